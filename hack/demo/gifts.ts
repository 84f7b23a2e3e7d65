/** What the demo gives servers to take along: a key pair of its own, and a file. */
import {mkdir, readFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {run} from '../lib/process.ts';
import type {DemoContext} from './context.ts';

/** Contents of the personality file `/root/greeting`. */
export const GREETING = 'Good morning from Basalt.';

/** Where the demo keeps its key. */
export interface KeyFiles {
  readonly privateKeyFile: string;
  readonly publicKeyFile: string;
  /** The line of the public key. */
  readonly publicKey: string;
}

/** Makes the demo's key, in the demo's folder of the cluster. */
export async function makeKey(context: DemoContext): Promise<KeyFiles> {
  await mkdir(context.folder, {recursive: true, mode: 0o700});
  const file = join(context.folder, 'key');
  await Promise.all([rm(file, {force: true}), rm(`${file}.pub`, {force: true})]);
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'basalt-demo', '-f', file], {timeoutMs: 10_000, signal: context.signal});
  return keyFiles(context);
}

/** The key that {@link makeKey} made. */
export async function keyFiles({folder}: DemoContext): Promise<KeyFiles> {
  const privateKeyFile = join(folder, 'key');
  const publicKeyFile = `${privateKeyFile}.pub`;
  return {privateKeyFile, publicKeyFile, publicKey: (await readFile(publicKeyFile, 'utf8')).trim()};
}
