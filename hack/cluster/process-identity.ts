/**
 * Who a process id belongs to. A pid alone is not enough to kill by: it is reused. Pid and start time together are (within one boot, so the
 * boot's id is part of the start time).
 */
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';

/** A process that is or was: `startTime` is opaque and only compared. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
}

/** Where process facts come from; tests give their own. Absent text = no such process. */
export interface ProcessTable {
  /** The text of `/proc/<pid>/stat`. */
  stat(pid: number): string | undefined;
  /** One string per boot of the machine. */
  bootId(): string;
}

/**
 * The start time out of `/proc/<pid>/stat`, in clock ticks since boot; undefined for a zombie, which has ended in every sense but its
 * parent's attention. The command name (field 2) may hold spaces and brackets, so fields are counted from the last bracket.
 */
export function startTicks(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  if (state === undefined || state === 'Z' || state === 'X') return undefined;
  return fields[19];
}

const linuxTable: ProcessTable = {
  stat(pid) {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'utf8');
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  },
  bootId: () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
};

// ENOENT: never there; ESRCH: ended between open and read.
function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ESRCH';
}

/** Start time of a living process, undefined when there is none. Off Linux `ps` answers, to the second. */
export function startTimeOf(pid: number, table?: ProcessTable): string | undefined {
  if (table === undefined && process.platform !== 'linux') return startTimeFromPs(pid);
  const source = table ?? linuxTable;
  const stat = source.stat(pid);
  const ticks = stat === undefined ? undefined : startTicks(stat);
  return ticks === undefined ? undefined : `${source.bootId()}:${ticks}`;
}

function startTimeFromPs(pid: number): string | undefined {
  try {
    const [state, ...started] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {encoding: 'utf8'})
      .trim()
      .split(/\s+/);
    return state === undefined || state === '' || state.startsWith('Z') ? undefined : started.join(' ');
  } catch {
    return undefined; // ps exits 1 when there is no such process
  }
}

/** The identity of a living process; undefined when it has ended. */
export function identify(pid: number): ProcessIdentity | undefined {
  const startTime = startTimeOf(pid);
  return startTime === undefined ? undefined : {pid, startTime};
}

/** This process. */
export function ownIdentity(): ProcessIdentity {
  const own = identify(process.pid);
  if (own === undefined) throw new Error('this process cannot find itself in the process table');
  return own;
}

/** True while exactly this process lives, not another one with its number. */
export function isAlive(who: ProcessIdentity | undefined, table?: ProcessTable): boolean {
  return who !== undefined && startTimeOf(who.pid, table) === who.startTime;
}

/** Sends a signal to exactly this process; false when it has ended (nothing was sent). */
export function signalProcess(who: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(who)) return false;
  try {
    process.kill(who.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
