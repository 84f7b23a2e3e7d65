/** Numbers as the CloudSigma API writes them: sizes in bytes with suffixes, cpu in core MHz, memory in MB. Pure. */
import {CORE_MHZ, coresForMhz, mebibytesFor} from '../../crds/rules/sizes.ts';

const SUFFIX_BYTES: Readonly<Record<string, number>> = {'': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4};

/** MHz of one core when `cpu` is a count of cores. */
export const MHZ_PER_COUNTED_CORE = 1000;

/** Fewest MHz per core when `smp` is given as a number. */
const MIN_MHZ_PER_CORE = 1000;

/** Bytes of `12582912`, `50G`, `4M` (powers of 1024, either case); undefined when it is not a size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,15})([kKmMgGtT]?)$/.exec(text.trim());
  if (match === null) return undefined;
  const bytes = Number(match[1]) * (SUFFIX_BYTES[(match[2] ?? '').toLowerCase()] ?? Number.NaN);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A decimal integer without sign; undefined for anything else. */
export function parseInteger(text: string): number | undefined {
  return /^\d{1,15}$/.test(text.trim()) ? Number(text.trim()) : undefined;
}

/** MB of `mem`, each a MiB: a plain number of MB, or a size with suffix. */
export function parseMemoryMiB(text: string): number | undefined {
  const plain = parseInteger(text);
  if (plain !== undefined) return plain;
  const bytes = parseSize(text);
  return bytes === undefined ? undefined : mebibytesFor(bytes);
}

/** `cpu` as total MHz; below 100 it is a count of cores of 1000 MHz each, and `counted` says so. */
export function parseCpu(text: string): {readonly mhz: number; readonly counted: number | undefined} | undefined {
  const value = parseInteger(text);
  if (value === undefined || value === 0) return undefined;
  return value < 100 ? {mhz: value * MHZ_PER_COUNTED_CORE, counted: value} : {mhz: value, counted: undefined};
}

/** Cores for `smp auto`: those that were counted, else as few as the speed of one core allows. */
export function automaticCores(mhz: number, counted?: number): number {
  return counted ?? coresForMhz(mhz);
}

/** Why `smp cores` does not go with `cpu mhz` (the manual's granularity), or undefined when it does. */
export function smpProblem(cores: number, mhz: number): string | undefined {
  const perCore = mhz / cores;
  if (perCore < MIN_MHZ_PER_CORE) return `${cores} processors need at least ${cores * MIN_MHZ_PER_CORE} core MHz, cpu is ${mhz}`;
  if (perCore > CORE_MHZ) return `${cores} processors give at most ${cores * CORE_MHZ} core MHz, cpu is ${mhz}`;
  return undefined;
}
