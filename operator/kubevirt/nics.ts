/** The NICs of a server as KubeVirt's `devices.interfaces` and `networks` (atomic lists: always sent whole). */
import {NIC_ADDRESSES_ANNOTATION, interfaceName} from './names.ts';
import type {InstanceNetwork, Interface} from './types.ts';

/** A NIC with its lease. */
export interface MachineNic {
  readonly index: number;
  /** `<namespace>/<name>` of the NetworkAttachmentDefinition. */
  readonly attachment: string;
  readonly model: 'virtio' | 'e1000' | 'rtl8139';
  /** Always set: an unset one would change with every start. */
  readonly macAddress: string;
  /** The leased address, without a prefix length; absent where the guest manages it alone. */
  readonly address?: string;
}

/**
 * Interfaces, networks and the annotation with the leased addresses. Without NICs both lists are empty and `autoattachPodInterface` is
 * off, else KubeVirt would add the pod network.
 */
export function buildNics(nics: readonly MachineNic[]): {
  readonly interfaces: Interface[];
  readonly networks: InstanceNetwork[];
  readonly autoattachPodInterface?: false;
  readonly annotations: Readonly<Record<string, string>>;
} {
  const sorted = nics.toSorted((left, right) => left.index - right.index);
  const interfaces = sorted.map(({index, model, macAddress}): Interface => ({name: interfaceName(index), model, macAddress, bridge: {}}));
  const networks = sorted.map(({index, attachment}): InstanceNetwork => ({name: interfaceName(index), multus: {networkName: attachment}}));
  const leased = sorted.flatMap(({index, address}) => (address === undefined ? [] : [[interfaceName(index), address] as const]));
  return {
    interfaces,
    networks,
    ...(nics.length === 0 ? {autoattachPodInterface: false as const} : {}),
    annotations: leased.length === 0 ? {} : {[NIC_ADDRESSES_ANNOTATION]: JSON.stringify(Object.fromEntries(leased))},
  };
}
