/** A process's use of the machine, out of Linux's /proc. */
import {readFile} from 'node:fs/promises';
import type {ProcessUsage} from './measures.ts';

/** The unit of times in /proc: USER_HZ, which is 100 on every architecture that Linux's user space has. */
const TICKS_PER_SECOND = 100;

/** User and system seconds out of `/proc/<pid>/stat`; undefined when it is not of that form. The name (field 2) may hold spaces and brackets. */
export function cpuSeconds(stat: string): Pick<ProcessUsage, 'userSeconds' | 'systemSeconds'> | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  if (!Number.isFinite(user) || !Number.isFinite(system)) return undefined;
  return {userSeconds: user / TICKS_PER_SECOND, systemSeconds: system / TICKS_PER_SECOND};
}

/** Bytes in memory out of `/proc/<pid>/status`; undefined for a zombie, which has none. */
export function residentBytes(status: string): number | undefined {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  return match === null ? undefined : Number(match[1]) * 1024;
}

/** Reads both; undefined when the process has ended, or off Linux. */
export async function processUsage(pid: number): Promise<ProcessUsage | undefined> {
  let texts: readonly [string, string];
  try {
    texts = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile(`/proc/${pid}/status`, 'utf8')]);
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
  const [cpu, resident] = [cpuSeconds(texts[0]), residentBytes(texts[1])];
  return cpu === undefined || resident === undefined ? undefined : {...cpu, residentBytes: resident};
}
