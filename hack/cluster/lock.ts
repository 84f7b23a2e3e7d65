/**
 * A lock between processes: a file that names its holder. A holder that has ended (killed, rebooted) does not hold: its file is taken over.
 */
import {closeSync, fstatSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {isAlive, ownIdentity, type ProcessIdentity} from './process-identity.ts';
import {waitFor} from './waiting.ts';

/** Gives the lock back. */
export type Release = () => void;

/** Tries once: the release, or the living holder. */
export function tryLock(path: string): Release | ProcessIdentity {
  mkdirSync(dirname(path), {recursive: true, mode: 0o700});
  const own = ownIdentity();
  const mine = `${path}.${own.pid}`;
  writeFileSync(mine, JSON.stringify(own), {mode: 0o600});
  try {
    // link() fails when the name exists and shows the whole file when it does not: no reader sees an empty lock.
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        linkSync(mine, path);
        return () => rmSync(path, {force: true});
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const found = readHolder(path);
      if (found === undefined) continue; // given back between link and read
      if (isAlive(found.holder)) return found.holder;
      moveStale(path, found.inode);
    }
    throw new Error(`${path}: could not be locked`);
  } finally {
    rmSync(mine, {force: true});
  }
}

function readHolder(path: string): {holder: ProcessIdentity; inode: number} | undefined {
  let file;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return {holder: JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity, inode: fstatSync(file).ino};
  } finally {
    closeSync(file);
  }
}

// Two waiters may both find the lock stale, and the slower one would move the faster one's new lock: it sees another inode than it judged
// and puts the file back.
function moveStale(path: string, judged: number): void {
  const aside = `${path}.stale-${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (statSync(aside).ino === judged) rmSync(aside);
  else renameSync(aside, path);
}

/**
 * Waits for the lock.
 * @throws DeadlineError past the deadline (milliseconds).
 */
export async function lock(
  path: string,
  options: {readonly deadlineMs: number; readonly onWait?: (holder: ProcessIdentity) => void; readonly signal?: AbortSignal},
): Promise<Release> {
  let release: Release | undefined;
  let told = false;
  await waitFor(
    async () => {
      const got = tryLock(path);
      if (typeof got === 'function') {
        release = got;
        return undefined;
      }
      if (!told) options.onWait?.(got);
      told = true;
      return `held by process ${got.pid}`;
    },
    {
      what: `lock ${path}`,
      deadlineMs: options.deadlineMs,
      intervalMs: 250,
      ...(options.signal === undefined ? {} : {signal: options.signal}),
    },
  );
  return release as Release;
}
