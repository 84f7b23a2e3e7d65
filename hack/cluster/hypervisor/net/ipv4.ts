/** IPv4 addresses as numbers, and ranges of them. Pure. */

/** A range in CIDR form. */
export interface Range {
  /** Its first address. */
  readonly first: number;
  readonly prefixLength: number;
}

/** The number of an address; undefined for anything but a dotted quad. */
export function addressNumber(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

/** The dotted quad of an address. */
export function addressText(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

/** A range from its text (an address alone is a range of one); undefined for anything else, IPv6 included. */
export function parseRange(text: string): Range | undefined {
  const [host = '', length, more] = text.split('/');
  const address = addressNumber(host);
  const prefixLength = length === undefined ? 32 : /^\d{1,2}$/.test(length) ? Number(length) : NaN;
  if (address === undefined || more !== undefined || !(prefixLength <= 32)) return undefined;
  return {first: (address & maskOf(prefixLength)) >>> 0, prefixLength};
}

/** The mask of a prefix length, as a number. */
export const maskOf = (prefixLength: number): number => (prefixLength === 0 ? 0 : (0xff_ff_ff_ff << (32 - prefixLength)) >>> 0);

/** Last address of a range. */
export const lastOf = ({first, prefixLength}: Range): number => first + 2 ** (32 - prefixLength) - 1;

/** Whether the range has the address. */
export const contains = (range: Range, address: number): boolean => address >= range.first && address <= lastOf(range);

/** Whether two ranges have an address in common. */
export const overlap = (left: Range, right: Range): boolean => left.first <= lastOf(right) && right.first <= lastOf(left);

/** A range's text. */
export const rangeText = ({first, prefixLength}: Range): string => `${addressText(first)}/${prefixLength}`;
