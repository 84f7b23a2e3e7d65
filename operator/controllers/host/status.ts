/** The status of a Host, from its Node and the launcher pods on it. The only place where a Host's conditions are judged. */
import type {Reason} from '../../../crds/conditions.ts';
import type {Host, HostStatus} from '../../../crds/index.ts';
import {uuidOf} from '../../../crds/rules/ids.ts';
import type {CoreNode, Pod} from '../../../kube/types.ts';
import {NOT_DELETING, conditionsOf} from '../shared/conditions.ts';
import type {Judgement} from '../shared/conditions.ts';
import {NOTHING, sumOf, totalsOfResources, without} from '../shared/totals.ts';
import type {Totals} from '../shared/totals.ts';
import {hasKvm, schedulability} from './node.ts';
import type {Binding} from './node.ts';
import {wantsCordon} from './plan.ts';

/** What was gathered. */
export interface HostSeen {
  readonly host: Host;
  readonly binding: Binding;
  /** Launcher pods on the node. */
  readonly pods: readonly Pod[];
  /** VirtualMachineInstances on the node. */
  readonly instances: number;
  /** Region or Cell that the host names and that does not exist. */
  readonly missing: string | undefined;
  readonly duplicate: Judgement | undefined;
  readonly nowMs: number;
}

/** What a pod asks of its node: the sum over its containers. Ended pods ask nothing. */
export function requestsOf(pod: Pod): Totals {
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return NOTHING;
  return sumOf((pod.spec?.containers ?? []).map((container) => totalsOfResources(container.resources?.requests)));
}

const judge = (type: string, ok: boolean, reason: Reason, message: string): Judgement => ({
  type,
  status: ok ? 'True' : 'False',
  reason,
  message,
});

const unknown = (type: string, message: string): Judgement => ({type, status: 'Unknown', reason: 'NodeMissing', message});

function nodeJudgements(node: CoreNode, seen: HostSeen): readonly [Judgement, Judgement, Judgement] {
  const inactive = {reason: 'Inactive', message: 'the host is switched off in the inventory (spec.activity)'} as const;
  const {reason, message} = seen.host.spec.activity === 'Inactive' ? inactive : schedulability(node, seen.nowMs);
  return [
    judge('NodeFound', true, 'NodeFound', `this host is node ${node.metadata.name}`),
    judge('Schedulable', reason === undefined, reason ?? 'Schedulable', message),
    hasKvm(node)
      ? judge('KVMAvailable', true, 'KVMAvailable', 'the node offers hardware virtualisation')
      : judge('KVMAvailable', false, 'KVMMissing', `node ${node.metadata.name} does not offer devices.kubevirt.io/kvm`),
  ];
}

function maintenanceJudgements(host: Host, instances: number, bound: boolean): readonly Judgement[] {
  const mode = host.spec.maintenance?.mode ?? 'None';
  const active =
    mode === 'None'
      ? judge('MaintenanceActive', false, 'NoMaintenance', '')
      : judge('MaintenanceActive', true, mode, `maintenance mode ${mode}`);
  const drained =
    mode !== 'Drain'
      ? judge('Drained', false, 'NotRequested', '')
      : !bound || instances === 0
        ? judge('Drained', true, 'Drained', 'no server is left on this host')
        : judge('Drained', false, 'ServersRemain', `${instances} servers are still on this host`);
  return [active, drained, judge('Fenced', false, 'NotFenced', '')];
}

/** The whole status. */
export function hostStatus(seen: HostSeen): HostStatus {
  const {host, binding, pods, instances, missing, duplicate, nowMs} = seen;
  const {node} = binding;
  const prerequisites =
    node === undefined
      ? [
          judge('NodeFound', false, binding.reason, binding.message),
          unknown('Schedulable', 'there is no node to ask'),
          unknown('KVMAvailable', 'there is no node to ask'),
        ]
      : nodeJudgements(node, seen);
  const dependency = missing === undefined ? undefined : judge('Ready', false, 'DependencyMissing', `${missing} does not exist`);
  const failed = prerequisites.find((condition) => condition.status !== 'True');
  const ready =
    failed === undefined ? judge('Ready', true, 'Ready', 'servers can run here') : judge('Ready', false, failed.reason, failed.message);
  const allocatable = totalsOfResources(node?.status?.allocatable);
  const requested = sumOf(pods.map(requestsOf));
  return {
    observedGeneration: host.metadata.generation ?? 0,
    uuid: uuidOf(host),
    ...(node === undefined ? {} : {nodeName: node.metadata.name}),
    servers: instances,
    capacity: totalsOfResources(node?.status?.capacity),
    allocatable,
    requested,
    // A host that takes no servers has nothing free to offer, whatever its node has left.
    free: failed === undefined && !wantsCordon(host) ? without(allocatable, requested) : NOTHING,
    conditions: conditionsOf(
      host,
      [duplicate ?? dependency ?? ready, ...prerequisites, ...maintenanceJudgements(host, instances, node !== undefined), NOT_DELETING],
      nowMs,
    ),
  };
}
