/** One qemu process: started or found again, spoken to over QMP, watched to its end. A guest that migrates goes through several. */
import {spawn} from 'node:child_process';
import {closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, truncateSync} from 'node:fs';
import {join} from 'node:path';
import type {Clock} from '../../../../kube/clock.ts';
import type {Logger} from '../../../../kube/log.ts';
import {identify, isAlive, signalProcess} from '../../process-identity.ts';
import type {ProcessIdentity} from '../../process-identity.ts';
import type {NicAttachment} from '../net/networks.ts';
import {commandLine, QEMU, runFiles} from './command-line.ts';
import type {RunFiles} from './command-line.ts';
import type {MachinePlan} from './machine.ts';
import {connectQmp} from './qmp.ts';
import type {QmpClient} from './qmp.ts';
import {forgetRun, writeRecord} from './state-file.ts';
import type {RunRecord} from './state-file.ts';

/** qemu opens its QMP socket within a second; this is for a machine that is busy. */
const START_TIMEOUT_MS = 20_000;
const GONE_POLL_MS = 100;
/** A qemu that refuses its command line is gone within milliseconds of its socket. */
const END_TIMEOUT_MS = 1_000;
/** A serial log larger than this begins anew: a guest may write for ever. */
const LARGEST_LOG_BYTES = 16 << 20;

/** Where a run is, and who it is of. */
export interface RunPlace {
  /** The folder of all runs. */
  readonly root: string;
  readonly folder: string;
  readonly sockets: string;
  readonly ephemeral: string;
  readonly vmiUid: string;
  readonly key: string;
  readonly nodeName: string;
}

/** A running qemu. */
export interface QemuInstance {
  readonly place: RunPlace;
  readonly files: RunFiles;
  readonly plan: MachinePlan;
  readonly process: ProcessIdentity;
  readonly qmp: QmpClient;
  /** By index. Devices that are plugged in later are added here. */
  readonly nics: Map<number, NicAttachment>;
  /** Resolves when the process has ended, whoever ended it. */
  readonly ended: Promise<void>;
  /** What qemu said last, for a message: it complains there before it dies. */
  lastWords(): string;
  /** Writes down what a restarted program must know; after a device came or went. */
  record(plan: MachinePlan): void;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Stops watching, but lets it live: this program ends. */
  letGo(): void;
  /** After its end: gives the NICs back and removes its files. */
  forget(): void;
  /** Keeps the serial log from growing for ever. */
  trimLog(): void;
}

/** Options of {@link startInstance}. */
export interface StartOptions {
  readonly place: RunPlace;
  readonly plan: MachinePlan;
  readonly nics: ReadonlyMap<number, NicAttachment>;
  /** It waits for a guest that moves here. */
  readonly incoming: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Starts qemu in a session of its own, so that it outlives this program. Rejects with what qemu says when it does not start. */
export async function startInstance(options: StartOptions): Promise<QemuInstance> {
  const {place, plan, clock, signal} = options;
  const files = runFiles(place.folder, place.sockets);
  for (const folder of [place.folder, place.sockets]) mkdirSync(folder, {recursive: true, mode: 0o700});
  for (const socket of [files.qmp, files.serial, files.vnc, files.agent, files.incoming]) rmSync(socket, {force: true});
  const netdevs = new Map([...options.nics].map(([index, nic]) => [index, nic.netdevArguments]));
  const log = openSync(join(place.folder, 'qemu.log'), 'a', 0o600);
  const child = spawn(QEMU, commandLine(plan, files, netdevs, options.incoming), {detached: true, stdio: ['ignore', log, log]});
  closeSync(log);
  const failure = new Promise<never>((_, reject) => {
    child.once('error', reject); // no such program
    child.once('exit', (code, by) => reject(new Error(`qemu ended with ${by ?? `code ${code}`}: ${wordsOf(place.folder)}`)));
  });
  failure.catch(() => undefined); // after the start it is `ended` that tells
  child.unref();
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  try {
    // Before anything is said to it: were this program killed now, its next run must know of the process.
    if (identity !== undefined) writeRecord(place.folder, recordOf(place, identity, plan, options.nics));
    const qmp = await Promise.race([connectQmp({path: files.qmp, deadlineMs: START_TIMEOUT_MS, clock, signal}), failure]);
    if (identity === undefined) throw new Error(`qemu ended at once: ${wordsOf(place.folder)}`);
    return new Instance({place, files, plan, identity, qmp, nics: options.nics, clock});
  } catch (error) {
    const reason = signal.aborted ? error : await reasonOf(error, failure, clock);
    if (identity !== undefined) await endProcess(identity, clock);
    throw reason;
  }
}

/** Why qemu did not start: its closed socket is often heard of before its end, which alone has its own words. */
export function reasonOf(error: unknown, end: Promise<never>, clock: Clock): Promise<unknown> {
  return Promise.race([end.catch((told: unknown) => told), clock.sleep(END_TIMEOUT_MS).then(() => error)]);
}

async function endProcess(identity: ProcessIdentity, clock: Clock): Promise<void> {
  signalProcess(identity, 'SIGKILL');
  while (isAlive(identity)) await clock.sleep(GONE_POLL_MS); // nothing refuses SIGKILL
}

function recordOf(
  {folder: _folder, root: _root, ...place}: RunPlace,
  process: ProcessIdentity,
  plan: MachinePlan,
  nics: ReadonlyMap<number, NicAttachment>,
): RunRecord {
  const states = Object.fromEntries([...nics].map(([index, nic]) => [String(index), nic.state]));
  return {version: 1, ...place, process, plan, nics: states};
}

/** Finds a qemu again that an earlier run of this program started; undefined when it has ended or does not answer. */
export async function adoptInstance(options: {
  readonly root: string;
  readonly folder: string;
  readonly record: RunRecord;
  readonly nics: ReadonlyMap<number, NicAttachment>;
  readonly clock: Clock;
  readonly log: Logger;
}): Promise<QemuInstance | undefined> {
  const {record, clock, log} = options;
  if (!isAlive(record.process)) return undefined;
  const place: RunPlace = {
    root: options.root,
    folder: options.folder,
    sockets: record.sockets,
    ephemeral: record.ephemeral,
    vmiUid: record.vmiUid,
    key: record.key,
    nodeName: record.nodeName,
  };
  const files = runFiles(place.folder, place.sockets);
  try {
    const qmp = await connectQmp({path: files.qmp, deadlineMs: START_TIMEOUT_MS, clock});
    return new Instance({place, files, plan: record.plan, identity: record.process, qmp, nics: options.nics, clock});
  } catch (error) {
    log.warn({vmi: record.key, pid: record.process.pid, err: error}, 'a guest that does not answer is ended: nobody could ever command it');
    await endProcess(record.process, clock);
    return undefined;
  }
}

const wordsOf = (folder: string): string => {
  try {
    return readFileSync(join(folder, 'qemu.log'), 'utf8').trim().slice(-500);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
};

class Instance implements QemuInstance {
  readonly place: RunPlace;
  readonly files: RunFiles;
  readonly process: ProcessIdentity;
  readonly qmp: QmpClient;
  readonly nics: Map<number, NicAttachment>;
  readonly ended: Promise<void>;
  readonly #clock: Clock;
  #plan: MachinePlan;
  #letGo = false;

  constructor(parts: {
    readonly place: RunPlace;
    readonly files: RunFiles;
    readonly plan: MachinePlan;
    readonly identity: ProcessIdentity;
    readonly qmp: QmpClient;
    readonly nics: ReadonlyMap<number, NicAttachment>;
    readonly clock: Clock;
  }) {
    this.place = parts.place;
    this.files = parts.files;
    this.process = parts.identity;
    this.qmp = parts.qmp;
    this.nics = new Map(parts.nics);
    this.#plan = parts.plan;
    this.#clock = parts.clock;
    this.ended = this.#watch();
  }

  get plan(): MachinePlan {
    return this.#plan;
  }

  // Its socket closes when it ends. A process that lives without one cannot be commanded any more: it is ended.
  async #watch(): Promise<void> {
    await this.qmp.closed;
    if (this.#letGo) return new Promise(() => undefined);
    await endProcess(this.process, this.#clock);
  }

  lastWords(): string {
    return wordsOf(this.place.folder);
  }

  record(plan: MachinePlan): void {
    this.#plan = plan;
    writeRecord(this.place.folder, recordOf(this.place, this.process, plan, this.nics));
  }

  async kill(): Promise<void> {
    signalProcess(this.process, 'SIGKILL');
    await this.ended;
  }

  letGo(): void {
    this.#letGo = true;
    this.qmp.close();
  }

  forget(): void {
    for (const nic of this.nics.values()) nic.release();
    this.nics.clear();
    forgetRun(this.place.root, this.place.folder, this.place);
  }

  trimLog(): void {
    try {
      if (statSync(this.files.serialLog).size > LARGEST_LOG_BYTES) truncateSync(this.files.serialLog);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
