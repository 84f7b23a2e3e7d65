/** Sizes: bytes as people and the APIs write them, and the units that storage and guests come in. Pure. */
import {MIB_BYTES} from '../common.ts';

const SUFFIXES = ['', 'k', 'm', 'g', 't'];

/** Bytes of `12582912`, `50G`, `4M` (powers of 1024, either case, `i` and `B` allowed after the letter); undefined when it is no size. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d{1,16})(?:([kmgt])i?b?|b)?$/i.exec(text.trim());
  if (match === null) return undefined;
  const bytes = Number(match[1]) * 1024 ** SUFFIXES.indexOf((match[2] ?? '').toLowerCase());
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Bytes for people: the largest binary unit in which the number is whole, else one decimal (`10Gi`, `1.5Gi`, `512`). */
export function formatBytes(bytes: number): string {
  const exponent = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  const amount = bytes / 1024 ** exponent;
  const digits = Number.isInteger(amount) ? String(amount) : amount.toFixed(1).replace(/\.0$/, '');
  return digits + (['', 'Ki', 'Mi', 'Gi', 'Ti'][exponent] ?? '');
}

/** The whole MiB that hold so many bytes: storage comes in whole ones. */
export const mebibytesFor = (bytes: number): number => Math.ceil(bytes / MIB_BYTES);

/** Bytes rounded up to whole MiB. */
export const roundUpToMiB = (bytes: number): number => mebibytesFor(bytes) * MIB_BYTES;

/** Bytes of so many GiB. */
export const gibibytes = (count: number): number => count * 1024 ** 3;

/** Computing power of one core as sold, in MHz: the most that one virtual CPU may buy. */
export const CORE_MHZ = 2200;

/** Virtual CPUs for so many MHz when the number is left to us: one per {@link CORE_MHZ}, at least one. */
export const coresForMhz = (mhz: number): number => Math.max(1, Math.ceil(mhz / CORE_MHZ));
