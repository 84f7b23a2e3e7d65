/**
 * The process of a container. It lives in a session of its own, under a shell that writes its exit code to a file, so that it outlives the
 * runner and its end can be read by the next one. All of it is in the container's folder:
 *
 *   args   the options of bubblewrap, NUL-separated (they have secrets: mode 0600, removed once read)
 *   filter the seccomp filter, if there is one for this architecture
 *   info   bubblewrap's word on the process: its pid
 *   exit   the exit code, there only when it has ended
 */
import {spawn} from 'node:child_process';
import {closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import type {Clock} from '../../../kube/clock.ts';
import {readIfThere} from '../files.ts';
import {noFsyncFilter} from './no-fsync.ts';
import type {Sandbox} from './sandbox.ts';
import {identify, isAlive, signalProcess, type ProcessIdentity} from '../process-identity.ts';

/** Remembered of a process: enough for another runner to go on with it. */
export interface ProcessRecord {
  /** The shell around it: also the id of its process group. */
  readonly keeper: ProcessIdentity;
  /** RFC 3339. */
  readonly startedAt: string;
}

/** How a process ended. */
export interface ProcessEnd {
  readonly exitCode: number;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** Set where nobody saw the end: why the code is none of the program's own. */
  readonly lost?: string;
}

/** A container whose process was killed with SIGKILL. */
const KILLED = 137;
const POLL_MS = 50;
const START_DEADLINE_MS = 10_000;

/** Logs that are larger are moved to `<name>.1` before the next start. */
const LOG_BYTES = 8 * 1024 * 1024;

// $1 the folder, $2… bubblewrap. The code is written under another name first: a reader sees all of it or nothing.
const KEEPER = 'f=$1; shift; "$@" 3<"$f/args" 4>"$f/info" 5<"$f/filter"; c=$?; echo "$c" >"$f/exit.new"; mv "$f/exit.new" "$f/exit"';

/** Starts a sandbox. Throws when it cannot be started at all. */
export async function startContainer(folder: string, sandbox: Sandbox, logFile: string, startedAt: string): Promise<ProcessRecord> {
  mkdirSync(folder, {recursive: true, mode: 0o700});
  for (const name of ['info', 'exit']) rmSync(join(folder, name), {force: true});
  writeFileSync(join(folder, 'args'), sandbox.options.map((option) => `${option}\0`).join(''), {mode: 0o600});
  const filter = noFsyncFilter(process.arch);
  writeFileSync(join(folder, 'filter'), filter ?? '');
  mkdirSync(dirname(logFile), {recursive: true, mode: 0o700});
  if ((statSync(logFile, {throwIfNoEntry: false})?.size ?? 0) > LOG_BYTES) renameSync(logFile, `${logFile}.1`);
  const log = openSync(logFile, 'a', 0o600);
  try {
    const child = spawn(
      '/bin/sh',
      [
        '-c',
        KEEPER,
        'container',
        folder,
        'bwrap',
        '--args',
        '3',
        '--info-fd',
        '4',
        ...(filter === undefined ? [] : ['--seccomp', '5']),
        '--',
        ...sandbox.command,
      ],
      {
        detached: true, // a session of its own
        stdio: ['ignore', log, log],
        cwd: '/',
      },
    );
    child.unref();
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    // It is not waited for, so it cannot have gone from the process table before this.
    const keeper = identify(child.pid as number);
    return {keeper: keeper ?? {pid: child.pid as number, startTime: 'ended at once'}, startedAt};
  } finally {
    closeSync(log);
  }
}

/** The process inside, once bubblewrap has said which it is. */
function mainProcess(folder: string): ProcessIdentity | undefined {
  const pid = (/"child-pid":\s*(\d+)/.exec(readIfThere(join(folder, 'info')) ?? '') ?? [])[1];
  return pid === undefined ? undefined : identify(Number(pid));
}

/** How it ended; undefined while it runs. A process that is gone without a word was killed together with its keeper. */
export function endOf(folder: string, record: ProcessRecord, nowMs: number): ProcessEnd | undefined {
  const exitFile = join(folder, 'exit');
  const read = (): ProcessEnd | undefined =>
    existsSync(exitFile) ? {exitCode: Number(readFileSync(exitFile, 'utf8').trim()), atMs: statSync(exitFile).mtimeMs} : undefined;
  const end = read();
  if (end !== undefined) return end;
  if (isAlive(record.keeper)) return undefined;
  return read() ?? {exitCode: KILLED, atMs: nowMs, lost: 'the process and its keeper were killed from outside'};
}

/** Resolves when it has ended. Its arguments are removed as soon as they were read. */
export async function untilEnd(folder: string, record: ProcessRecord, clock: Clock, signal: AbortSignal): Promise<ProcessEnd> {
  for (;;) {
    const end = endOf(folder, record, clock.now());
    if (end !== undefined || mainProcess(folder) !== undefined) rmSync(join(folder, 'args'), {force: true});
    if (end !== undefined) return end;
    await clock.sleep(POLL_MS, signal);
  }
}

/** SIGTERM to the program itself; after the grace SIGKILL to all of it. Resolves when it is gone. */
export async function stopContainer(folder: string, record: ProcessRecord, graceMs: number, clock: Clock): Promise<ProcessEnd> {
  const main = mainProcess(folder);
  const deadline = clock.monotonicMs() + graceMs;
  if (graceMs > 0 && main !== undefined) {
    signalProcess(main, 'SIGTERM');
    while (clock.monotonicMs() < deadline) {
      const end = endOf(folder, record, clock.now());
      if (end !== undefined) return end;
      await clock.sleep(POLL_MS);
    }
  }
  killContainer(folder, record);
  const gone = clock.monotonicMs() + START_DEADLINE_MS;
  for (;;) {
    const end = endOf(folder, record, clock.now());
    if (end !== undefined) return end.lost === undefined ? end : {exitCode: KILLED, atMs: end.atMs};
    if (clock.monotonicMs() > gone) throw new Error(`process ${record.keeper.pid} does not end`);
    await clock.sleep(POLL_MS);
  }
}

// SIGKILL. The keeper lives on for a moment: it is to write down the end.
function killContainer(folder: string, record: ProcessRecord): void {
  const main = mainProcess(folder);
  // Without it bubblewrap is not that far yet, and dies with its parent.
  signalProcess(main ?? record.keeper, 'SIGKILL');
}
