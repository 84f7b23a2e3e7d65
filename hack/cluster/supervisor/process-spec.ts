/** What the supervisor keeps running: one JSON file per process in `run/processes/`, written by `up`, read by the supervisor. */
import {createHash} from 'node:crypto';
import {join} from 'node:path';
import {filesBelow, readJson, writeAtomic} from '../files.ts';

/** One process. */
export interface ProcessSpec {
  /** Also the name of its log file. */
  readonly name: string;
  /** Absolute path of the program. */
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the supervisor's own environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Higher stages stop first: a server outlives its clients. */
  readonly stage: number;
  /** After so long without an end SIGTERM becomes SIGKILL. @default 8000 */
  readonly stopTimeoutMs?: number;
  /** Any text: a change restarts the process (a hash of its sources). */
  readonly revision?: string;
}

/** The order of life: etcd first and last. */
export const STAGES = {store: 0, apiserver: 1, controllers: 2, nodes: 3, virtualization: 4, hypervisor: 5, programs: 6} as const;

/** Equal hashes = nothing to restart. */
export function specHash(spec: ProcessSpec): string {
  const env = Object.entries(spec.env).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([spec.command, spec.args, env, spec.stage, spec.stopTimeoutMs ?? null, spec.revision ?? null]))
    .digest('hex')
    .slice(0, 16);
}

/** Writes one spec. The supervisor looks when it gets SIGHUP. */
export function writeSpec(folder: string, spec: ProcessSpec): void {
  writeAtomic(join(folder, `${spec.name}.json`), JSON.stringify(spec, undefined, 2));
}

/** All specs of the folder. */
export function readSpecs(folder: string): ProcessSpec[] {
  return filesBelow(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => readJson(join(folder, file)) as ProcessSpec);
}

/** Groups in the order in which they stop: highest stage first, members of a stage together. */
export function stopOrder<T extends {readonly stage: number}>(items: readonly T[]): T[][] {
  const stages = [...new Set(items.map((item) => item.stage))].toSorted((a, b) => b - a);
  return stages.map((stage) => items.filter((item) => item.stage === stage));
}
