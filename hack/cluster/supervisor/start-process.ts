/** Starting real processes for the keeper: output to one log each, nothing read from standard input. */
import {spawn} from 'node:child_process';
import {closeSync, mkdirSync, openSync, renameSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {identify} from '../process-identity.ts';
import type {Child, Exit} from './keeper.ts';
import type {ProcessSpec} from './process-spec.ts';

/** A log larger than this is moved to `<name>.log.1` at the next start of its process. */
const ROTATE_BYTES = 64 * 1024 * 1024;

/** The environment that children share: the user's, without what points at a cluster or changes Node. */
export function childEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => name !== 'KUBECONFIG' && name !== 'NODE_OPTIONS' && !name.startsWith('BASALT_')),
  );
}

/** Starts a process; a program that cannot be started ends at once with an error. */
export function startProcess(spec: ProcessSpec, logFolder: string, env: NodeJS.ProcessEnv): Child {
  const logFile = join(logFolder, `${spec.name}.log`);
  mkdirSync(logFolder, {recursive: true, mode: 0o700});
  rotate(logFile);
  const log = openSync(logFile, 'a', 0o600);
  try {
    const child = spawn(spec.command, spec.args, {env: {...env, ...spec.env}, stdio: ['ignore', log, log]});
    const ended = new Promise<Exit>((resolve) => {
      child.once('error', (error) => resolve({error: error.message}));
      child.once('exit', (code, signal) => resolve(code === null ? {signal: signal ?? 'unknown'} : {code}));
    });
    return {
      identity: child.pid === undefined ? undefined : identify(child.pid),
      ended,
      signal: (name) => void child.kill(name),
    };
  } finally {
    closeSync(log);
  }
}

function rotate(logFile: string): void {
  if ((statSync(logFile, {throwIfNoEntry: false})?.size ?? 0) > ROTATE_BYTES) renameSync(logFile, `${logFile}.1`);
}
