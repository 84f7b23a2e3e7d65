/** Which Node a Host is, and what a Node says about itself. Pure. */
import type {Host} from '../../../crds/index.ts';
import type {Reason} from '../../../crds/conditions.ts';
import type {CoreNode} from '../../../kube/types.ts';
import {parseQuantity} from '../shared/quantity.ts';

/** On a Node that a Host has cordoned: the Host's name. Without it, a cordon is somebody else's and stays. */
export const CORDONED_BY = 'basalt.dev/cordoned-by';

/** KubeVirt's own word on a node. */
const KUBEVIRT_SCHEDULABLE = 'kubevirt.io/schedulable';
const KUBEVIRT_HEARTBEAT = 'kubevirt.io/heartbeat';
const KVM = 'devices.kubevirt.io/kvm';
/** A heartbeat older than this means that KubeVirt's node agent is dead, in milliseconds. */
export const HEARTBEAT_LIMIT_MS = 5 * 60_000;

/** The addresses of a node of one type. */
export const addressesOf = (node: CoreNode, type: string): readonly string[] =>
  (node.status?.addresses ?? []).filter((address) => address.type === type).map((address) => address.address);

/** Ways to look a node up; the operator's node informer and its indexes. */
export interface NodeLookup {
  byName(name: string): CoreNode | undefined;
  byHostname(hostname: string): readonly CoreNode[];
  byAddress(address: string): readonly CoreNode[];
}

/** The Node of a Host, or why there is none. */
export type Binding = {readonly node: CoreNode} | {readonly node: undefined; readonly reason: Reason; readonly message: string};

/** By `spec.nodeName` and nothing else when that is given; else by hostname, then by InternalIP. */
export function bindNode(spec: Host['spec'], nodes: NodeLookup): Binding {
  if (spec.nodeName !== undefined && spec.nodeName !== '') {
    const node = nodes.byName(spec.nodeName);
    return node === undefined ? {node, reason: 'NodeMissing', message: `node ${spec.nodeName} does not exist`} : {node};
  }
  const candidates = [nodes.byHostname(spec.hostname), spec.address === undefined ? [] : nodes.byAddress(spec.address)];
  for (const found of candidates) {
    const [node, second] = found;
    if (node === undefined) continue;
    if (second === undefined) return {node};
    const names = found.map((each) => each.metadata.name).toSorted();
    return {node: undefined, reason: 'Ambiguous', message: `nodes ${names.join(', ')} all match; set spec.nodeName`};
  }
  const tried = spec.address === undefined ? `hostname ${spec.hostname}` : `hostname ${spec.hostname} or address ${spec.address}`;
  return {node: undefined, reason: 'NodeMissing', message: `no node has ${tried}`};
}

/** Whether KubeVirt would run guests on the node, with the reason when not. `recheckAtMs` is when a silent heartbeat would change that. */
export function schedulability(
  node: CoreNode,
  nowMs: number,
): {readonly reason?: Reason; readonly message: string; readonly recheckAtMs?: number} {
  if (node.spec?.unschedulable === true) return {reason: 'Cordoned', message: `node ${node.metadata.name} is cordoned`};
  const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready');
  if (ready !== undefined && ready.status !== 'True')
    return {reason: 'NodeNotReady', message: ready.message ?? `node ${node.metadata.name} is not ready`};
  if (node.metadata.labels?.[KUBEVIRT_SCHEDULABLE] !== 'true') {
    return {
      reason: 'KubeVirtNotReady',
      message: `KubeVirt does not run guests on node ${node.metadata.name} (label ${KUBEVIRT_SCHEDULABLE})`,
    };
  }
  const beat = Date.parse(node.metadata.annotations?.[KUBEVIRT_HEARTBEAT] ?? '');
  if (Number.isNaN(beat)) return {message: 'guests can be placed here'};
  const staleAtMs = beat + HEARTBEAT_LIMIT_MS;
  if (nowMs >= staleAtMs)
    return {reason: 'HeartbeatLost', message: `KubeVirt's agent on node ${node.metadata.name} has been silent for over 5 minutes`};
  return {message: 'guests can be placed here', recheckAtMs: staleAtMs};
}

/** Whether the node offers hardware virtualisation. */
export const hasKvm = (node: CoreNode): boolean => parseQuantity(node.status?.allocatable?.[KVM] ?? 0) > 0;
