/** Which MAC and which addresses a NIC of a VMI has: pure, from the spec, our own leases, the launcher pod and the guest's agent. */
import type {GuestFacts} from './guest.ts';
import {ANNOTATIONS} from './types.ts';
import type {InterfaceStatus, Vmi} from './types.ts';

/** The MAC of NIC `index` (lower case): the spec's, else one made from the VMI's uid, as KubeVirt would make one. */
export function macOf(vmi: Vmi, index: number): string {
  const asked = vmi.spec.domain.devices?.interfaces?.[index]?.macAddress;
  if (asked !== undefined && asked !== '') return asked.toLowerCase();
  const uid = (vmi.metadata.uid ?? '').padEnd(4, '0');
  return `52:54:00:${uid.slice(0, 2)}:${uid.slice(2, 4)}:${index.toString(16).padStart(2, '0')}`;
}

/** Our own leases: interface name → address. An annotation that is not such a JSON object counts as none. */
export function leasedAddresses(vmi: Vmi): ReadonlyMap<string, string> {
  const text = vmi.metadata.annotations?.[ANNOTATIONS.nicAddresses];
  if (text === undefined) return new Map();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return new Map();
    throw error;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return new Map();
  return new Map(Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== ''));
}

/**
 * The interfaces of the status. The first address of a NIC is the leased one; without a lease a NIC on the pod network has the pod's;
 * addresses that the agent sees follow. Fields that others wrote (virt-controller's pod interface name, …) are kept.
 */
export function interfaceStatuses(vmi: Vmi, facts: GuestFacts, podAddress: string | undefined): readonly InterfaceStatus[] {
  const leased = leasedAddresses(vmi);
  const present = new Map((vmi.status?.interfaces ?? []).map((nic) => [nic.name, nic]));
  const onPodNetwork = new Set((vmi.spec.networks ?? []).filter((network) => network.pod !== undefined).map((network) => network.name));
  return (vmi.spec.domain.devices?.interfaces ?? []).flatMap((nic, index) => {
    // One that is gone must not be shown: virt-controller then takes it out of the spec. One that is still there is.
    const plugged = facts.devices?.nics.get(nic.name);
    if (facts.devices === undefined ? nic.state === 'absent' : plugged === undefined) return [];
    const mac = macOf(vmi, index);
    const seen = facts.agent?.interfaces.get(mac);
    const first = leased.get(nic.name) ?? (onPodNetwork.has(nic.name) ? podAddress : undefined);
    const addresses = [...new Set([...(first === undefined || first === '' ? [] : [first]), ...(seen?.addresses ?? [])])];
    const before = present.get(nic.name);
    return {
      ...before,
      name: nic.name,
      mac,
      ...(addresses[0] === undefined ? {} : {ipAddress: addresses[0], ipAddresses: addresses}),
      ...(seen === undefined ? {} : {interfaceName: seen.interfaceName}),
      infoSource: infoSource(before?.infoSource, seen === undefined ? ['domain'] : ['domain', 'guest-agent']),
      queueCount: 1,
      ...(plugged === undefined ? {} : {linkState: plugged ? 'up' : 'down'}),
    };
  });
}

// virt-controller adds `multus-status` to the same string, in an order of its own: sources are a set, and neither side may drop or
// reorder the other's, or the two would write for ever.
function infoSource(before: string | undefined, ours: readonly string[]): string {
  const present = (before ?? '').split(', ').filter((source) => source !== '');
  if (ours.every((source) => present.includes(source))) return present.join(', ');
  return [...ours, ...present.filter((source) => !ours.includes(source))].join(', ');
}
