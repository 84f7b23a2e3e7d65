/** The leases of one network as a table that answers and changes fast. Pure but for its own state; nothing is written here. */
import {MAX_LEASES} from '../../crds/index.ts';
import type {NetworkLease} from '../../crds/index.ts';
import {AddressSpace} from './address-space.ts';
import type {AddressSource} from './address-space.ts';
import {deriveMac, normaliseMac} from './mac.ts';

/** `Network.status.leases[]`. */
export type Lease = NetworkLease;

/** One NIC of one server. */
export interface NicIdentity {
  readonly namespace: string;
  readonly server: string;
  readonly index: number;
}

/** What a NIC wants of its network. */
export interface NicWish extends NicIdentity {
  /** Uuid of the server: its MAC address is derived from it. */
  readonly uuid: string;
  /** `Manual`: the guest looks after its address itself; it gets a MAC address and no lease. */
  readonly addressing: 'Auto' | 'Static' | 'Manual';
  /** Wanted address; absent: any free one. */
  readonly address?: string | undefined;
  /** Wanted MAC address; absent: derived. */
  readonly macAddress?: string | undefined;
}

/** Why a wish cannot be met. */
export interface Refusal {
  readonly kind: 'refused';
  readonly reason: 'NoFreeAddress' | 'AddressInUse' | 'AddressOutsideNetwork' | 'MacAddressInUse';
  readonly message: string;
}
/** What a NIC has. */
export interface Granted {
  readonly kind: 'granted';
  readonly macAddress: string;
  /** Absent: no lease, either because the guest manages its address or because the network hands none out. */
  readonly address?: string;
}
export type Outcome = Granted | Refusal;

const serverOf = ({namespace, server}: Pick<NicIdentity, 'namespace' | 'server'>): string => `${namespace}/${server}`;
const ownerOf = ({namespace, server, index}: NicIdentity): string => `${namespace}/${server}/${index}`;

/** Choices of a derived MAC address before giving up. With 5,000 in use, 16 in a row are all taken with probability 1e-56. */
const MAC_ATTEMPTS = 16;

export class LeaseTable {
  readonly #space: AddressSpace;
  readonly #byOwner = new Map<string, Lease>();
  readonly #byAddress = new Map<string, Lease>();
  readonly #byMac = new Map<string, Lease>();
  readonly #byServer = new Map<string, Set<Lease>>();
  #cursor = 0;
  #changes = 0;

  constructor(source: AddressSource, leases: readonly Lease[]) {
    this.#space = new AddressSpace(source);
    for (const lease of leases) this.#put(lease);
    // Next fit after the newest lease: constant time, and an address that was just given back rests for a while.
    const newest = leases.at(-1);
    if (newest !== undefined) this.#cursor = this.#space.positionOf(newest.address) + 1;
  }

  /** Counts the changes since construction: equal numbers mean an unchanged table. */
  get changes(): number {
    return this.#changes;
  }

  /** The leases in the order in which they were granted. */
  leases(): readonly Lease[] {
    return [...this.#byOwner.values()];
  }

  /** How many addresses there are to lease. */
  get size(): number {
    return this.#space.size;
  }

  /** The leases of one server, by NIC index. */
  ofServer(namespace: string, server: string): readonly Lease[] {
    return [...(this.#byServer.get(serverOf({namespace, server})) ?? [])].toSorted((left, right) => left.index - right.index);
  }

  /** What a wish would get without any change: an existing lease that fits it, or a NIC that needs no lease. `undefined`: ask `grant`. */
  peek(wish: NicWish, macInUse: (mac: string) => boolean): Granted | undefined {
    if (!this.#needsLease(wish)) {
      if (this.#byOwner.has(ownerOf(wish))) return undefined;
      const granted = this.#grantMacOnly(wish, macInUse);
      return granted.kind === 'granted' ? granted : undefined;
    }
    const lease = this.#byOwner.get(ownerOf(wish));
    if (lease === undefined) return undefined;
    const fits =
      (wish.address === undefined || wish.address === lease.address) &&
      (wish.macAddress === undefined || normaliseMac(wish.macAddress) === lease.macAddress);
    return fits ? {kind: 'granted', macAddress: lease.macAddress, address: lease.address} : undefined;
  }

  /**
   * Meets a wish: keeps a lease that fits, replaces one that does not, or adds one. `macInUse` knows the NICs on this network that have
   * no lease.
   */
  grant(wish: NicWish, macInUse: (mac: string) => boolean): Outcome {
    const present = this.peek(wish, macInUse);
    if (present !== undefined) return present;
    const old = this.#byOwner.get(ownerOf(wish));
    if (old !== undefined) this.#drop(old);
    const outcome = this.#needsLease(wish) ? this.#newLease(wish, old, macInUse) : this.#grantMacOnly(wish, macInUse);
    if (outcome.kind === 'granted') this.#changes += 1;
    // A refused change leaves the NIC with what it had.
    else if (old !== undefined) this.#put(old);
    return outcome;
  }

  /** Gives back the leases of a server for which `keep` is false. */
  release(namespace: string, server: string, keep: (lease: Lease) => boolean): void {
    for (const lease of this.ofServer(namespace, server)) {
      if (keep(lease)) continue;
      this.#drop(lease);
      this.#changes += 1;
    }
  }

  #needsLease(wish: NicWish): boolean {
    return wish.addressing !== 'Manual' && (this.#space.size > 0 || wish.address !== undefined);
  }

  #newLease(wish: NicWish, old: Lease | undefined, macInUse: (mac: string) => boolean): Outcome {
    if (this.#byOwner.size >= MAX_LEASES)
      return {kind: 'refused', reason: 'NoFreeAddress', message: `the network has ${MAX_LEASES} leases, the most there can be`};
    const macAddress = this.#chooseMac(wish, macInUse);
    if (typeof macAddress !== 'string') return macAddress;
    const address = this.#chooseAddress(wish, old);
    if (typeof address !== 'string') return address;
    const {namespace, server, index} = wish;
    this.#put({address, macAddress, server, namespace, index});
    return {kind: 'granted', macAddress, address};
  }

  #chooseAddress(wish: NicWish, old: Lease | undefined): string | Refusal {
    if (wish.address !== undefined) {
      if (!this.#space.admits(wish.address)) {
        return {kind: 'refused', reason: 'AddressOutsideNetwork', message: `${wish.address} does not belong to the network`};
      }
      return this.#byAddress.has(wish.address)
        ? {kind: 'refused', reason: 'AddressInUse', message: `${wish.address} is leased to another server`}
        : wish.address;
    }
    if (old !== undefined && this.#space.positionOf(old.address) >= 0) return old.address;
    for (let step = 0; step < this.#space.size; step += 1) {
      const position = (this.#cursor + step) % this.#space.size;
      const address = this.#space.at(position);
      if (address === undefined || this.#byAddress.has(address)) continue;
      this.#cursor = position + 1;
      return address;
    }
    return {kind: 'refused', reason: 'NoFreeAddress', message: `all ${this.#space.size} addresses of the network are leased`};
  }

  #chooseMac(wish: NicWish, macInUse: (mac: string) => boolean): string | Refusal {
    const taken = (mac: string): boolean => this.#byMac.has(mac) || macInUse(mac);
    if (wish.macAddress !== undefined) {
      const mac = normaliseMac(wish.macAddress);
      return taken(mac) ? {kind: 'refused', reason: 'MacAddressInUse', message: `${mac} is in use on the network`} : mac;
    }
    for (let attempt = 0; attempt < MAC_ATTEMPTS; attempt += 1) {
      const mac = deriveMac(wish.uuid, wish.index, attempt);
      if (!taken(mac)) return mac;
    }
    return {kind: 'refused', reason: 'MacAddressInUse', message: 'no free MAC address was found'};
  }

  #grantMacOnly(wish: NicWish, macInUse: (mac: string) => boolean): Outcome {
    const macAddress = this.#chooseMac(wish, macInUse);
    return typeof macAddress === 'string' ? {kind: 'granted', macAddress} : macAddress;
  }

  #put(lease: Lease): void {
    this.#byOwner.set(ownerOf(lease), lease);
    this.#byAddress.set(lease.address, lease);
    this.#byMac.set(normaliseMac(lease.macAddress), lease);
    const own = this.#byServer.get(serverOf(lease)) ?? new Set();
    this.#byServer.set(serverOf(lease), own.add(lease));
  }

  #drop(lease: Lease): void {
    this.#byOwner.delete(ownerOf(lease));
    this.#byAddress.delete(lease.address);
    this.#byMac.delete(normaliseMac(lease.macAddress));
    const own = this.#byServer.get(serverOf(lease));
    own?.delete(lease);
    if (own?.size === 0) this.#byServer.delete(serverOf(lease));
  }
}
