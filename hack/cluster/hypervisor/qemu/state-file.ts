/** What is written down about each running guest, so that a restarted program finds it again and `down` leaves none behind. */
import {mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {isAlive, signalProcess} from '../../process-identity.ts';
import type {ProcessIdentity} from '../../process-identity.ts';
import type {JsonValue} from '../net/networks.ts';
import type {MachinePlan} from './machine.ts';

/** One run of a guest: a process with its files. */
export interface RunRecord {
  readonly version: 1;
  readonly vmiUid: string;
  /** `namespace/name`. */
  readonly key: string;
  readonly nodeName: string;
  readonly process: ProcessIdentity;
  /** Folder of its sockets. */
  readonly sockets: string;
  readonly plan: MachinePlan;
  /** By index of the NIC: what the networks want back. */
  readonly nics: Readonly<Record<string, JsonValue>>;
  /** Files that only this guest has (overlays, empty disks), which go when it ends. */
  readonly ephemeral: string;
}

const NAME = 'state.json';

/** Writes it: whole or not at all. */
export function writeRecord(folder: string, record: RunRecord): void {
  mkdirSync(folder, {recursive: true, mode: 0o700});
  const draft = join(folder, `${NAME}.new`);
  writeFileSync(draft, JSON.stringify(record, undefined, 1), {mode: 0o600});
  renameSync(draft, join(folder, NAME));
}

/** Reads one; undefined where there is none, or none of this version. */
export function readRecord(folder: string): RunRecord | undefined {
  let text: string;
  try {
    text = readFileSync(join(folder, NAME), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const record = JSON.parse(text) as RunRecord;
    return record.version === 1 ? record : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** All runs below a folder, with their folders. */
export function readRecords(root: string): readonly {readonly folder: string; readonly record: RunRecord}[] {
  let names: string[];
  try {
    names = readdirSync(root);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names.flatMap((name) => {
    const folder = join(root, name);
    const record = readRecord(folder);
    return record === undefined ? [] : [{folder, record}];
  });
}

/** Serial logs of guests that have ended: so many stay. */
const KEPT_LOGS = 100;

/** Which guests (`namespace/name`) have a living process, as of now. */
export function livingGuests(root: string): (key: string) => boolean {
  const keys = new Set(readRecords(root).flatMap(({record}) => (isAlive(record.process) ? [record.key] : [])));
  return (key) => keys.has(key);
}

/** Removes the files of a run that has ended; its serial log goes to `ended.logs/<namespace>_<name>.log`, where the newest one stays. */
export function forgetRun(root: string, folder: string, record: Pick<RunRecord, 'key' | 'sockets'>): void {
  const kept = join(root, 'ended.logs');
  mkdirSync(kept, {recursive: true, mode: 0o700});
  try {
    renameSync(join(folder, 'serial.log'), join(kept, `${record.key.replace('/', '_')}.log`));
    pruneOldest(kept);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  rmSync(folder, {recursive: true, force: true});
  rmSync(record.sockets, {recursive: true, force: true});
}

function pruneOldest(folder: string): void {
  const names = readdirSync(folder);
  if (names.length <= KEPT_LOGS) return;
  const byAge = names.map((name) => ({name, atMs: statSync(join(folder, name)).mtimeMs})).toSorted((a, b) => a.atMs - b.atMs);
  for (const {name} of byAge.slice(0, names.length - KEPT_LOGS)) rmSync(join(folder, name), {force: true});
}

/** Ends every recorded guest below a folder (SIGKILL: there is nobody to wait for a polite end). Returns their keys. */
export function endAllGuests(root: string): readonly string[] {
  return readRecords(root).flatMap(({folder, record}) => {
    const lived = isAlive(record.process) && signalProcess(record.process, 'SIGKILL');
    forgetRun(root, folder, record);
    rmSync(record.ephemeral, {recursive: true, force: true});
    return lived ? [record.key] : [];
  });
}
