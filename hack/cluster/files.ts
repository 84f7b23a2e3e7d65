/** Small file helpers: atomic writes, JSON that may be absent, walks with a fixed order. */
import {mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';

/** Writes a file so that a reader sees the old text or the new one, never half. Mode 0600 unless told. */
export function writeAtomic(path: string, text: string | Buffer, mode = 0o600): void {
  mkdirSync(dirname(path), {recursive: true, mode: 0o700});
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text, {mode});
  renameSync(temporary, path);
}

/** The text of a file; undefined when there is none. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Parsed JSON of a file; undefined when there is none. Throws on bad JSON, naming the file. */
export function readJson(path: string): unknown {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Error(`${path}: not JSON`, {cause: error});
  }
}

/** Paths of all files below a folder, relative to it, sorted; an absent folder has none. */
export function filesBelow(folder: string, under = ''): string[] {
  let entries;
  try {
    entries = readdirSync(join(folder, under), {withFileTypes: true});
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const found: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = under === '' ? entry.name : `${under}/${entry.name}`;
    if (entry.isDirectory()) found.push(...filesBelow(folder, path));
    else if (entry.isFile()) found.push(path);
  }
  return found;
}
