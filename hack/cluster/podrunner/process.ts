/**
 * The process of a container. It lives in a session of its own, under a shell that writes its exit code to a file, so that it outlives the
 * runner and its end can be read by the next one. All of it is in the container's folder:
 *
 *   args    the options of bubblewrap, NUL-separated (they have secrets: mode 0600, removed once read)
 *   filter  the seccomp filter, if there is one for this architecture
 *   info    bubblewrap's word on the process: its pid
 *   exit    the exit code, there only when it has ended
 *
 * The shell begins only once the runner has written down that it is there: a runner that is killed in between leaves nothing behind.
 */
import {spawn} from 'node:child_process';
import {closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import type {Clock} from '../../../kube/clock.ts';
import {readIfThere} from '../files.ts';
import {identify, isAlive, signalProcess, type ProcessIdentity} from '../process-identity.ts';
import {noFsyncFilter} from './no-fsync.ts';
import type {Sandbox} from './sandbox.ts';
import {terminationMessage} from './status.ts';

/** Remembered of a process: enough for another runner to go on with it. */
export interface ProcessRecord {
  /** The shell around it. */
  readonly keeper: ProcessIdentity;
  /** RFC 3339. */
  readonly startedAt: string;
  /** Size of the log when it started: what comes after is its own. */
  readonly logBytes: number;
}

/** How a process ended. */
export interface ProcessEnd {
  readonly exitCode: number;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** Set where nobody saw the end: why the code is none of the program's own. */
  readonly lost?: string;
}

/** The processes of one container, one after the other. */
export interface ContainerProcesses {
  /** Starts a sandbox, once `saved` has written its record down. Throws when it cannot be started at all. */
  start(sandbox: Sandbox, startedAt: string, saved: (record: ProcessRecord) => void): Promise<void>;
  /** How it ended; undefined while it runs. A process that is gone without a word was killed together with its keeper. */
  end(record: ProcessRecord): ProcessEnd | undefined;
  /** Resolves when it has ended; rejects with the signal's reason. */
  untilEnd(record: ProcessRecord, signal: AbortSignal): Promise<ProcessEnd>;
  /** SIGTERM to the program itself; after the grace SIGKILL. Resolves when it is gone. */
  stop(record: ProcessRecord, graceMs: number): Promise<ProcessEnd>;
  /** Its termination message, after its end. */
  lastWords(record: ProcessRecord, end: ProcessEnd, policy: string | undefined): string;
}

/** A container whose process was killed with SIGKILL. */
const KILLED = 137;
const POLL_MS = 50;
const KILL_DEADLINE_MS = 10_000;

/** Logs that are larger are moved to `<name>.1` before the next start. */
const LOG_BYTES = 8 * 1024 * 1024;
/** Enough of a log's end for a termination message. */
const TAIL_BYTES = 16 * 1024;

// $1 the folder, then bubblewrap. The code is written under another name first: a reader sees all of it or nothing.
const KEEPER =
  'f=$1; shift; read -r go || exit 1; "$@" </dev/null 3<"$f/args" 4>"$f/info" 5<"$f/filter"; c=$?; echo "$c" >"$f/exit.new"; mv "$f/exit.new" "$f/exit"';

/** The file of the container's last words. */
export const terminationFile = (folder: string): string => join(folder, 'termination-log');

/** The processes of a container with this folder and log. */
export function containerProcesses({
  folder,
  logFile,
  clock,
}: {
  readonly folder: string;
  readonly logFile: string;
  readonly clock: Clock;
}): ContainerProcesses {
  const end = (record: ProcessRecord): ProcessEnd | undefined => {
    const told = readEnd(folder);
    if (told !== undefined || isAlive(record.keeper)) return told;
    return (
      readEnd(folder) ?? {
        exitCode: KILLED,
        atMs: clock.now(),
        lost: 'nobody saw how it ended: it was killed together with its keeper, its host or its cluster',
      }
    );
  };
  return {
    end,
    async start(sandbox, startedAt, saved) {
      mkdirSync(folder, {recursive: true, mode: 0o700});
      for (const name of ['info', 'exit']) rmSync(join(folder, name), {force: true});
      writeFileSync(join(folder, 'args'), sandbox.options.map((option) => `${option}\0`).join(''), {mode: 0o600});
      const filter = noFsyncFilter(process.arch);
      writeFileSync(join(folder, 'filter'), filter ?? '');
      const bwrap = ['bwrap', '--args', '3', '--info-fd', '4', ...(filter === undefined ? [] : ['--seccomp', '5'])];
      const logBytes = turnLog(logFile);
      const log = openSync(logFile, 'a', 0o600);
      try {
        const args = ['-c', KEEPER, 'container', folder, ...bwrap, '--', ...sandbox.command];
        // Detached: a session of its own.
        const keeper = spawn('/bin/sh', args, {detached: true, stdio: ['pipe', log, log], cwd: '/'});
        keeper.unref();
        await new Promise<void>((resolve, reject) => {
          keeper.once('spawn', resolve);
          keeper.once('error', reject);
        });
        const identity = identify(keeper.pid as number);
        if (identity === undefined) throw new Error('the keeper of the process ended at once');
        saved({keeper: identity, startedAt, logBytes});
        keeper.stdin?.on('error', () => undefined); // it was killed meanwhile: its end is read like any other
        keeper.stdin?.end('go\n');
      } finally {
        closeSync(log);
      }
    },
    async untilEnd(record, signal) {
      for (;;) {
        const ended = end(record);
        // Once bubblewrap has said who the process is, it has read its arguments.
        if (ended !== undefined || mainProcess(folder) !== undefined) rmSync(join(folder, 'args'), {force: true});
        if (ended !== undefined) return ended;
        await clock.sleep(POLL_MS, signal);
      }
    },
    async stop(record, graceMs) {
      const main = mainProcess(folder);
      const graceOver = clock.monotonicMs() + graceMs;
      if (graceMs > 0 && main !== undefined) {
        signalProcess(main, 'SIGTERM');
        while (clock.monotonicMs() < graceOver) {
          const ended = end(record);
          if (ended !== undefined) return ended;
          await clock.sleep(POLL_MS);
        }
      }
      // The keeper lives on for a moment: it is to write down the end. Without a process bubblewrap is not that far, and dies with its parent.
      signalProcess(mainProcess(folder) ?? record.keeper, 'SIGKILL');
      const deadline = clock.monotonicMs() + KILL_DEADLINE_MS;
      for (;;) {
        const ended = end(record);
        if (ended !== undefined) return {exitCode: ended.lost === undefined ? ended.exitCode : KILLED, atMs: ended.atMs};
        if (clock.monotonicMs() > deadline) throw new Error(`process ${record.keeper.pid} does not end`);
        await clock.sleep(POLL_MS);
      }
    },
    lastWords: (record, ended, policy) =>
      ended.lost ??
      terminationMessage(readIfThere(terminationFile(folder)) ?? '', () => tailOf(logFile, record.logBytes), ended.exitCode, policy),
  };
}

/** The process inside, once bubblewrap has said which it is. */
function mainProcess(folder: string): ProcessIdentity | undefined {
  const pid = (/"child-pid":\s*(\d+)/.exec(readIfThere(join(folder, 'info')) ?? '') ?? [])[1];
  return pid === undefined ? undefined : identify(Number(pid));
}

function readEnd(folder: string): ProcessEnd | undefined {
  const file = join(folder, 'exit');
  return existsSync(file) ? {exitCode: Number(readFileSync(file, 'utf8').trim()), atMs: statSync(file).mtimeMs} : undefined;
}

// The size of the log that a process begins with; one that has become too large is set aside.
function turnLog(logFile: string): number {
  mkdirSync(dirname(logFile), {recursive: true, mode: 0o700});
  const bytes = statSync(logFile, {throwIfNoEntry: false})?.size ?? 0;
  if (bytes <= LOG_BYTES) return bytes;
  renameSync(logFile, `${logFile}.1`);
  return 0;
}

function tailOf(logFile: string, from: number): string {
  const size = statSync(logFile, {throwIfNoEntry: false})?.size ?? 0;
  const start = Math.max(from, size - TAIL_BYTES);
  if (start >= size) return '';
  const buffer = Buffer.alloc(size - start);
  const file = openSync(logFile, 'r');
  try {
    return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, start)).toString();
  } finally {
    closeSync(file);
  }
}
