/** What of an object stays in the cache: everything the operator reads, and none of the bulk. Pure; tested against what the readers use. */
import {createHash} from 'node:crypto';
import type {KubeObject} from '../kube/objects.ts';
import type {CoreNode, Namespace, PersistentVolumeClaim, Pod, Secret} from '../kube/types.ts';
import type {VirtualMachineInstance} from './kubevirt/types.ts';

/** A launcher pod: where it is, what it asks for, how it does. Its volumes, environment and mounts are a hundred times as much. */
export function trimPod(pod: Pod): Pod {
  const {apiVersion, kind, metadata, spec, status} = pod;
  return {
    apiVersion,
    kind,
    metadata: trimMetadata(metadata),
    ...(spec === undefined
      ? {}
      : {
          spec: {
            ...(spec.nodeName === undefined ? {} : {nodeName: spec.nodeName}),
            containers: (spec.containers ?? []).map(({name, resources}) => ({
              name,
              ...(resources?.requests === undefined ? {} : {resources: {requests: resources.requests}}),
            })),
          },
        }),
    ...(status === undefined
      ? {}
      : {
          status: {
            ...(status.phase === undefined ? {} : {phase: status.phase}),
            ...(status.reason === undefined ? {} : {reason: status.reason}),
            ...(status.message === undefined ? {} : {message: status.message}),
            conditions: (status.conditions ?? []).filter(({status: value}) => value !== 'True'),
            containerStatuses: (status.containerStatuses ?? []).filter(
              ({state}) => state?.waiting !== undefined || state?.terminated !== undefined,
            ),
          },
        }),
  };
}

/** Annotations of a launcher pod are written by KubeVirt for KubeVirt. */
const trimMetadata = ({annotations: _annotations, ...metadata}: KubeObject['metadata']): KubeObject['metadata'] => metadata;

/** A node without the list of images on it, which alone is some 10 KB. */
export function trimNode(node: CoreNode): CoreNode {
  const {apiVersion, kind, metadata, spec, status} = node;
  return {
    apiVersion,
    kind,
    metadata,
    ...(spec === undefined
      ? {}
      : {
          spec: {
            ...(spec.unschedulable === undefined ? {} : {unschedulable: spec.unschedulable}),
            ...(spec.taints === undefined ? {} : {taints: spec.taints}),
          },
        }),
    status: {
      ...(status?.capacity === undefined ? {} : {capacity: status.capacity}),
      ...(status?.allocatable === undefined ? {} : {allocatable: status.allocatable}),
      ...(status?.addresses === undefined ? {} : {addresses: status.addresses}),
      // Heartbeat times change all the time and mean nothing here.
      conditions: (status?.conditions ?? []).map(({type, status: value, reason, message}) => ({
        type,
        status: value,
        ...(reason === undefined ? {} : {reason}),
        ...(message === undefined ? {} : {message}),
      })),
    },
  };
}

/** A Secret of ours without its bytes: each value becomes `sha256:<hex>` of itself decoded, which is enough to see drift. */
export function hashSecret(secret: Secret): Secret {
  const hash = (base64: string): string => `sha256:${createHash('sha256').update(Buffer.from(base64, 'base64')).digest('hex')}`;
  return {
    ...secret,
    ...(secret.data === undefined ? {} : {data: Object.fromEntries(Object.entries(secret.data).map(([key, value]) => [key, hash(value)]))}),
  };
}

/** A namespace without the conditions of its deletion. */
export const trimNamespace = ({apiVersion, kind, metadata, status}: Namespace): Namespace => ({
  apiVersion,
  kind,
  metadata,
  ...(status?.phase === undefined ? {} : {status: {phase: status.phase}}),
});

/** A claim without CDI's annotations but those that name its source and progress. */
export function trimClaim(claim: PersistentVolumeClaim): PersistentVolumeClaim {
  const annotations = Object.fromEntries(
    Object.entries(claim.metadata.annotations ?? {}).filter(([key]) => key.startsWith('cdi.kubevirt.io/') || key.startsWith('basalt.dev/')),
  );
  return {...claim, metadata: {...claim.metadata, annotations}};
}

/** Parts of an instance's status, and of its domain, that nobody here reads; on a real cluster they are more than half of it. */
const UNREAD_STATUS: ReadonlySet<string> = new Set([
  'activePods',
  'currentCPUTopology',
  'guestOSInfo',
  'kernelBootStatus',
  'launcherContainerImageVersion',
  'machine',
  'memory',
  'runtimeUser',
  'selinuxContext',
  'topologyHints',
  'volumeStatus',
]);
const UNREAD_DOMAIN: ReadonlySet<string> = new Set(['clock', 'features', 'firmware', 'machine']);

const omit = <T extends object>(object: T, unread: ReadonlySet<string>): T =>
  Object.fromEntries(Object.entries(object).filter(([key]) => !unread.has(key))) as T;

/** A guest as the server's controllers read it: what it runs with, where, and how it does. */
export function trimInstance(instance: VirtualMachineInstance): VirtualMachineInstance {
  const {spec, status} = instance;
  return {
    ...instance,
    ...(spec?.domain === undefined ? {} : {spec: {...spec, domain: omit(spec.domain, UNREAD_DOMAIN)}}),
    ...(status === undefined ? {} : {status: omit(status, UNREAD_STATUS)}),
  };
}
