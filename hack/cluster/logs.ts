/** `logs`: the last lines of the logs, each with its process's name, and on with new ones. */
import {closeSync, existsSync, openSync, readSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {filesBelow} from './files.ts';
import type {Options} from './options.ts';
import {clusterPaths} from './paths.ts';

const FOLLOW_MS = 250;
/** Enough for the last lines of any of the programs here. */
const TAIL_BYTES = 256 * 1024;

/** The last `count` lines of a text, without a first one that may be cut. */
export function lastLines(text: string, count: number): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.slice(-count);
}

function readFrom(path: string, from: number): {text: string; size: number} {
  const size = statSync(path).size;
  const start = Math.min(from, size);
  const buffer = Buffer.alloc(size - start);
  const file = openSync(path, 'r');
  try {
    readSync(file, buffer, 0, buffer.length, start);
  } finally {
    closeSync(file);
  }
  return {text: buffer.toString('utf8'), size};
}

/** Prints logs until done, or with `--follow` until the signal. Throws for a name that has no log. */
export async function logs(options: Options, say: (line: string) => void, signal: AbortSignal): Promise<void> {
  const folder = clusterPaths(options.dir).log;
  const known = filesBelow(folder)
    .filter((file) => file.endsWith('.log'))
    .map((file) => file.slice(0, -4));
  const names = options.names.length === 0 ? known : options.names;
  for (const name of names)
    if (!known.includes(name)) throw new Error(`no log ${name} in ${folder}; there are: ${known.join(', ') || 'none'}`);
  const width = Math.max(0, ...names.map((name) => name.length));
  const print = (name: string, lines: readonly string[]): void => lines.forEach((line) => say(`${name.padEnd(width)} | ${line}`));
  const offsets = new Map<string, number>();
  for (const name of names) {
    const path = join(folder, `${name}.log`);
    const {text, size} = readFrom(path, Math.max(0, statSync(path).size - TAIL_BYTES));
    print(name, lastLines(text, options.lines));
    offsets.set(name, size);
  }
  while (options.follow && !signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS));
    for (const name of names) {
      const path = join(folder, `${name}.log`);
      if (!existsSync(path)) continue;
      const known = offsets.get(name) ?? 0;
      const {text, size} = readFrom(path, statSync(path).size < known ? 0 : known); // smaller: it was moved aside and begun anew
      const whole = text.lastIndexOf('\n') + 1;
      print(name, lastLines(text.slice(0, whole), Number.MAX_SAFE_INTEGER));
      offsets.set(name, size - Buffer.byteLength(text.slice(whole)));
    }
  }
}
