/** Sizes: bytes for people, and the units that storage and guests come in. How an API writes a size is that API's own. Pure. */
import {MIB_BYTES} from '../common.ts';

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

/** Bytes of an image of which neither spec nor source tells the size. */
export const DEFAULT_IMAGE_BYTES = gibibytes(1);

/** Computing power of one core as sold, in MHz: the most that one virtual CPU may buy. */
export const CORE_MHZ = 2200;

/** Virtual CPUs for so many MHz when the number is left to us: one per {@link CORE_MHZ}, at least one. */
export const coresForMhz = (mhz: number): number => Math.max(1, Math.ceil(mhz / CORE_MHZ));
