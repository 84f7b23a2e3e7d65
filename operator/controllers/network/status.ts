/** The status of a Network. The leases in it belong to the allocator: whatever they are, they are kept. */
import type {Network, NetworkStatus} from '../../../crds/index.ts';
import {uuidOf} from '../../../crds/rules/ids.ts';
import {NOT_DELETING, conditionsOf, deletingBecause, someOf} from '../shared/conditions.ts';
import type {Judgement} from '../shared/conditions.ts';
import {AddressSpace} from '../../leases/address-space.ts';

/** What was seen. */
export interface NetworkSeen {
  readonly network: Network;
  /** `Ready`: whether the NetworkAttachmentDefinition is in place; without it servers on the network would not start. */
  readonly attachment: Judgement;
  readonly duplicate: Judgement | undefined;
  readonly nowMs: number;
}

/** The whole status. */
export function networkStatus({network, attachment, duplicate, nowMs}: NetworkSeen): NetworkStatus {
  const leases = network.status?.leases;
  const total = new AddressSpace(network.spec).size;
  const deleting = network.metadata.deletionTimestamp !== undefined;
  return {
    observedGeneration: network.metadata.generation ?? 0,
    uuid: uuidOf(network),
    ...(leases === undefined ? {} : {leases}),
    total,
    free: Math.max(0, total - (leases?.length ?? 0)), // as the allocator counts, or the two would correct each other for ever
    ...(attachment.status === 'True' ? {nad: network.metadata.name} : {}),
    conditions: conditionsOf(
      network,
      [duplicate ?? attachment, deleting ? deletingBecause('LeasesRemain', waitingFor(network)) : NOT_DELETING],
      nowMs,
    ),
  };
}

/** Which servers still hold an address of the network. */
export function waitingFor(network: Network): string {
  const servers = [...new Set((network.status?.leases ?? []).map((lease) => `${lease.namespace}/${lease.server}`))];
  return `addresses are still leased to ${someOf(servers)}`;
}
