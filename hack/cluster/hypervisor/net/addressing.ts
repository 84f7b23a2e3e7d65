/** From what is known of a network to how one NIC on it is addressed and reached. Pure. */
import {addressNumber, addressText, contains, lastOf, parseRange, rangeText} from './ipv4.ts';
import type {Range} from './ipv4.ts';
import type {NicRequest} from './networks.ts';

/** What a network tells its guests, as far as the switch must know. */
export interface NetworkFacts {
  /** `public`: guests are reached from this machine and DHCP is answered. `vlan`: nothing but the wire. */
  readonly kind: 'public' | 'vlan';
  readonly cidr: string | undefined;
  readonly gateway: string | undefined;
  readonly nameservers: readonly string[];
  /** Addresses that are leased; empty: all. */
  readonly ranges: readonly {readonly start: string; readonly end: string}[];
}

/** The gateway's side of a NIC. */
export interface UplinkPlan {
  readonly range: Range;
  /** The guest's own. */
  readonly address: number;
  /** The gateway; where the network has none, an address of it that no guest has. */
  readonly host: number;
  /** qemu wants one, though no guest is told of it. */
  readonly dns: number;
  /** What the guest is told. */
  readonly gateway: number | undefined;
  readonly nameservers: readonly number[];
}

/** Narrower ranges have no room for a guest, a gateway and a name server. */
const LONGEST_PREFIX = 29;

/** The gateway's side of a NIC; undefined where the network has none for it: a VLAN, no lease, or addresses that are not IPv4. */
export function planUplink(facts: NetworkFacts, address: string | undefined): UplinkPlan | undefined {
  const range = facts.cidr === undefined ? undefined : parseRange(facts.cidr);
  const own = address === undefined ? undefined : addressNumber(address);
  if (facts.kind !== 'public' || range === undefined || own === undefined) return undefined;
  if (range.prefixLength > LONGEST_PREFIX || !contains(range, own)) return undefined;
  const gateway = facts.gateway === undefined ? undefined : addressNumber(facts.gateway);
  // A server may have been leased the very address of a name server; it is its own then.
  const nameservers = facts.nameservers.map(addressNumber).filter((each): each is number => each !== undefined && each !== own);
  const host = gateway ?? spareAddress(range, facts.ranges, [own, ...nameservers]);
  const dns = nameservers.find((each) => contains(range, each) && each !== host) ?? spareAddress(range, facts.ranges, [own, host]);
  return {range, address: own, host, dns, gateway, nameservers};
}

// The highest that is not leased to guests; where all are, the highest.
function spareAddress(range: Range, leased: NetworkFacts['ranges'], taken: readonly number[]): number {
  const bounds = leased.map(({start, end}) => [addressNumber(start) ?? 0, addressNumber(end) ?? 0] as const);
  const highest = lastOf(range) - 1;
  let best: number | undefined;
  // One step per leased range or taken address at most: each moves below the one that is in the way.
  for (let at = highest; at > range.first;) {
    const within = bounds.find(([start, end]) => at >= start && at <= end);
    if (taken.includes(at)) at -= 1;
    else {
      best ??= at;
      if (within === undefined) return at;
      at = within[0] - 1;
    }
  }
  return best ?? highest;
}

/** What a NIC on the pod network is told: the pod's own address, in a network of 256. */
export function podFacts(podAddress: string | undefined): {readonly facts: NetworkFacts; readonly address: string} {
  const address = podAddress !== undefined && addressNumber(podAddress) !== undefined ? podAddress : '10.0.2.15';
  const number = addressNumber(address) ?? 0;
  const range = parseRange(`${address}/24`) ?? {first: 0, prefixLength: 24};
  const gateway = number === range.first + 1 ? range.first + 254 : range.first + 1;
  return {address, facts: {kind: 'public', cidr: rangeText(range), gateway: addressText(gateway), nameservers: [], ranges: []}};
}

/** How the gateway's MAC is made of its address by qemu's user network. */
export function uplinkMac(host: number): string {
  return [
    '52',
    '55',
    ...addressText(host)
      .split('.')
      .map((part) => Number(part).toString(16).padStart(2, '0')),
  ].join(':');
}

/** UDP ports of a NIC's cables; `uplink` where it has a gateway. */
export interface NicPorts {
  readonly switchPort: number;
  readonly guestPort: number;
  readonly uplinkPort: number | undefined;
}

/** A netdev as QMP's `netdev_add` and `-netdev` take it. */
export type Netdev = Readonly<Record<string, string | number | boolean | Readonly<Record<string, string>>>>;

/** Id of the user network of a NIC. */
export const userNetdev = (index: number): string => `user${index}`;

/**
 * The netdevs of a NIC, in the order in which they can be added; the device uses `net<index>`. The gateway is qemu's user network on a cable of
 * its own: the switch decides what it hears. It answers for the gateway's address and opens ports of this machine, and nothing else:
 * what a guest sends through it is dropped.
 */
export function netdevsOf(
  {index}: Pick<NicRequest, 'index'>,
  ports: NicPorts,
  host: string,
  uplink: UplinkPlan | undefined,
): readonly Netdev[] {
  const inet = (port: number): Readonly<Record<string, string>> => ({type: 'inet', host, port: String(port)});
  const cable = (id: string, port: number): Netdev => ({type: 'dgram', id, local: inet(port), remote: inet(ports.switchPort)});
  const nic = cable(`net${index}`, ports.guestPort);
  if (uplink === undefined || ports.uplinkPort === undefined) return [nic];
  return [
    nic,
    {
      type: 'user',
      id: userNetdev(index),
      net: rangeText(uplink.range),
      host: addressText(uplink.host),
      dns: addressText(uplink.dns),
      dhcpstart: addressText(uplink.address),
      restrict: true,
      ipv6: false,
    },
    cable(`up${index}`, ports.uplinkPort),
    {type: 'hubport', id: `userhub${index}`, hubid: index, netdev: userNetdev(index)},
    {type: 'hubport', id: `uphub${index}`, hubid: index, netdev: `up${index}`},
  ];
}
