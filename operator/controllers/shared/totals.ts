/** Sums of CPU and memory, as Region, Cell and Host show them. */
import {MIB_BYTES} from '../../../crds/common.ts';
import type {Totals as ShownTotals} from '../../../crds/index.ts';
import {bytesOf, cpuMilliOf} from './quantity.ts';

/** An amount of compute. `cpuCores` is `cpuMilli` in whole cores, rounded down, for the columns. */
export type Totals = Required<ShownTotals>;

/** Makes an amount of thousandths of cores and MiB; negative ones count as 0. */
export function totals(cpuMilli: number, memoryMiB: number): Totals {
  const cpu = Math.max(0, cpuMilli);
  return {cpuCores: Math.floor(cpu / 1000), cpuMilli: cpu, memoryMiB: Math.max(0, Math.floor(memoryMiB))};
}

export const NOTHING: Totals = totals(0, 0);

/** The sum; absent amounts count as nothing. */
export function sumOf(amounts: readonly (Partial<Totals> | undefined)[]): Totals {
  let cpuMilli = 0;
  let memoryMiB = 0;
  for (const amount of amounts) {
    cpuMilli += amount?.cpuMilli ?? 0;
    memoryMiB += amount?.memoryMiB ?? 0;
  }
  return totals(cpuMilli, memoryMiB);
}

/** What is left of `whole` after `part`, never below nothing. */
export const without = (whole: Totals, part: Totals): Totals => totals(whole.cpuMilli - part.cpuMilli, whole.memoryMiB - part.memoryMiB);

/** The `cpu` and `memory` of a Kubernetes resource list (a node's capacity, a container's requests). */
export function totalsOfResources(resources: Readonly<Record<string, string | number>> | undefined): Totals {
  return totals(cpuMilliOf(resources?.['cpu']), bytesOf(resources?.['memory']) / MIB_BYTES);
}
