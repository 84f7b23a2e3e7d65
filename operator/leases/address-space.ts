/** The IPv4 addresses that a network hands out, as one sequence of positions over all its ranges. Pure. */

/** What of a Network says which addresses there are. */
export interface AddressSource {
  readonly cidr?: string | undefined;
  readonly gateway?: string | undefined;
  readonly ranges?: readonly {readonly start: string; readonly end: string}[] | undefined;
}

/** IPv4 text as an unsigned number, or `undefined`. */
export function parseIpv4(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const bytes = match.slice(1).map(Number);
  if (bytes.some((byte) => byte > 255)) return undefined;
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

export const formatIpv4 = (value: number): string => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');

/** First and last address of a block, and its prefix length; `undefined` for what is no IPv4 block. */
export function parseCidr(
  cidr: string | undefined,
): {readonly first: number; readonly last: number; readonly prefixLength: number} | undefined {
  const match = /^([\d.]+)\/(\d{1,2})$/.exec(cidr ?? '');
  const address = parseIpv4(match?.[1] ?? '');
  const prefixLength = Number(match?.[2] ?? 33);
  if (address === undefined || prefixLength > 32) return undefined;
  const size = 2 ** (32 - prefixLength);
  const first = Math.floor(address / size) * size;
  return {first, last: first + size - 1, prefixLength};
}

/** The addresses of one network. */
export class AddressSpace {
  readonly #ranges: readonly {readonly start: number; readonly end: number}[];
  readonly #block: {readonly first: number; readonly last: number} | undefined;
  readonly #gateway: number | undefined;
  /** How many positions there are; the gateway's, when it lies inside a range, counts but is never handed out. */
  readonly size: number;

  constructor(source: AddressSource) {
    this.#block = parseCidr(source.cidr);
    this.#gateway = source.gateway === undefined ? undefined : parseIpv4(source.gateway);
    this.#ranges = this.#block === undefined && source.ranges === undefined ? [] : AddressSpace.#rangesOf(source, this.#block);
    this.size = this.#ranges.reduce((sum, {start, end}) => sum + end - start + 1, 0);
  }

  /** The ranges as given; without any, the whole block but its network and broadcast addresses. */
  static #rangesOf(source: AddressSource, block: {readonly first: number; readonly last: number} | undefined) {
    const given = (source.ranges ?? []).flatMap(({start, end}) => {
      const [first, last] = [parseIpv4(start), parseIpv4(end)];
      return first === undefined || last === undefined || last < first ? [] : [{start: first, end: last}];
    });
    if (given.length > 0 || block === undefined) return given;
    const whole = block.last - block.first < 3 ? {start: block.first, end: block.last} : {start: block.first + 1, end: block.last - 1};
    return [whole];
  }

  /** The address at a position, or `undefined` where it is the gateway's own or out of bounds. */
  at(position: number): string | undefined {
    let rest = position;
    for (const {start, end} of this.#ranges) {
      const length = end - start + 1;
      if (rest < length) return start + rest === this.#gateway ? undefined : formatIpv4(start + rest);
      rest -= length;
    }
    return undefined;
  }

  /** The position of an address, or -1. */
  positionOf(address: string): number {
    const value = parseIpv4(address);
    if (value === undefined) return -1;
    let offset = 0;
    for (const {start, end} of this.#ranges) {
      if (value >= start && value <= end) return offset + value - start;
      offset += end - start + 1;
    }
    return -1;
  }

  /** Whether a server may ask for this very address: inside the block (or, without one, a range), and not the gateway. */
  admits(address: string): boolean {
    const value = parseIpv4(address);
    if (value === undefined || value === this.#gateway) return false;
    if (this.#block === undefined) return this.positionOf(address) >= 0;
    const edge = this.#block.last - this.#block.first >= 3 && (value === this.#block.first || value === this.#block.last);
    return value >= this.#block.first && value <= this.#block.last && !edge;
  }
}
