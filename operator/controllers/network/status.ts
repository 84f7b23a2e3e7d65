/** The status of a Network. The leases in it belong to the allocator: whatever they are, they are kept. */
import type {Network, NetworkStatus} from '../../../crds/index.ts';
import {NOT_DELETING, conditionsOf, deletingBecause, someOf} from '../shared/conditions.ts';
import type {Judgement} from '../shared/conditions.ts';
import {uuidOf} from '../shared/identity.ts';
import {addressCount} from './plan.ts';

/** What was seen. */
export interface NetworkSeen {
  readonly network: Network;
  /** Condition `Attachable`: whether the NetworkAttachmentDefinition is in place. */
  readonly attachable: Judgement;
  readonly duplicate: Judgement | undefined;
  readonly nowMs: number;
}

/** The whole status. A network whose attachment could not be made is not ready: servers on it would not start. */
export function networkStatus({network, attachable, duplicate, nowMs}: NetworkSeen): NetworkStatus {
  const total = addressCount(network.spec.ranges);
  const leases = network.status?.leases ?? [];
  const ready: Judgement =
    attachable.status === 'True'
      ? {type: 'Ready', status: 'True', reason: 'Ready', message: 'servers can be attached'}
      : {type: 'Ready', status: 'False', reason: attachable.reason, message: attachable.message};
  const deleting = network.metadata.deletionTimestamp !== undefined;
  return {
    observedGeneration: network.metadata.generation ?? 0,
    uuid: uuidOf(network),
    ...(leases.length === 0 ? {} : {leases}),
    total,
    free: Math.max(0, total - leases.length),
    ...(attachable.status === 'True' ? {nad: network.metadata.name} : {}),
    conditions: conditionsOf(
      network,
      [duplicate ?? ready, attachable, deleting ? deletingBecause('WaitingForServers', waitingFor(network)) : NOT_DELETING],
      nowMs,
    ),
  };
}

/** Which servers still hold an address of the network. */
export function waitingFor(network: Network): string {
  const servers = [...new Set((network.status?.leases ?? []).map((lease) => `${lease.namespace}/${lease.server}`))];
  return `addresses are still leased to ${someOf(servers)}`;
}
