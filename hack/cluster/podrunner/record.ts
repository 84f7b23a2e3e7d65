/** What the runner remembers of a pod, in a folder of its own: enough to go on with it after a restart, and to end it when the cluster goes down. */
import {mkdirSync, readdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import type {Clock} from '../../../kube/clock.ts';
import {readJson, writeAtomic} from '../files.ts';
import {isAlive} from '../process-identity.ts';
import type {Terminated} from './pod.ts';
import {containerProcesses, type ProcessRecord} from './process.ts';

/** One pod. */
export interface PodRecord {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly address: string;
  /** RFC 3339: when the runner took it on. */
  readonly since: string;
  readonly restarts: number;
  readonly last?: Terminated;
  /** The process, while there is one. */
  readonly process?: ProcessRecord;
}

const FILE = 'pod.json';

/** The folder of a pod. */
export function podFolder(root: string, uid: string): string {
  return join(root, uid);
}

/** Writes it. */
export function writeRecord(root: string, record: PodRecord): void {
  writeAtomic(join(podFolder(root, record.uid), FILE), JSON.stringify(record));
}

/** All pods that are remembered, by uid. */
export function readRecords(root: string): Map<string, PodRecord> {
  mkdirSync(root, {recursive: true, mode: 0o700});
  const records = new Map<string, PodRecord>();
  for (const uid of readdirSync(root)) {
    const record = readJson(join(podFolder(root, uid), FILE)) as PodRecord | undefined;
    if (record !== undefined) records.set(uid, record);
  }
  return records;
}

/** Forgets a pod and its files; volumes are elsewhere. */
export function removeRecord(root: string, uid: string): void {
  rmSync(podFolder(root, uid), {recursive: true, force: true});
}

/** Ends every process of a cluster that is down, for `down` and for the `up` after a killed run. Resolves with the names of the pods. */
export async function endAll(root: string, clock: Clock): Promise<string[]> {
  const running = [...readRecords(root).values()].filter(({process}) => isAlive(process?.keeper));
  await Promise.all(
    running.map(async ({uid, process}) => {
      if (process !== undefined) await containerProcesses({folder: podFolder(root, uid), logFile: '/dev/null', clock}).stop(process, 0);
    }),
  );
  return running.map(({name}) => name);
}
