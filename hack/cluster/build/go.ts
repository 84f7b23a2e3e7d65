/** Calls of the go command. */
import {execFileSync, spawn} from 'node:child_process';
import {createWriteStream} from 'node:fs';
import {createInterface} from 'node:readline';

/** The environment of every go call: no cgo (one static file, no C compiler needed), no toolchain download, no settings of the user's. */
export function goEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {...env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOWORK: 'off', GOFLAGS: ''};
}

/** The command failed; the log has the rest. */
export class GoError extends Error {
  constructor(command: string, code: number | string, tail: readonly string[], logFile: string) {
    super(`${command} ended with ${code}\n${tail.join('\n')}\n(all of it: ${logFile})`);
    this.name = 'GoError';
  }
}

/** `1.26.8` of `go version go1.26.8 linux/amd64`; undefined without go. */
export function goVersion(env: NodeJS.ProcessEnv): string | undefined {
  try {
    return /go(\d+\.\d+(\.\d+)?)/.exec(execFileSync('go', ['version'], {encoding: 'utf8', env: goEnvironment(env)}))?.[1];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** True if `have` (1.26.8) is at least `want` (1.26). */
export function versionAtLeast(have: string, want: string): boolean {
  const [a, b] = [have.split('.').map(Number), want.split('.').map(Number)];
  for (let i = 0; i < b.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/**
 * Runs go, appending its output to the log file; `onPackage` is called for each line of `-v` output, a package compiled.
 * @throws GoError with the last 20 lines.
 */
export async function runGo(
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly env: NodeJS.ProcessEnv;
    readonly logFile: string;
    readonly onPackage?: () => void;
    readonly signal?: AbortSignal;
  },
): Promise<void> {
  const log = createWriteStream(options.logFile, {flags: 'a'});
  const tail: string[] = [];
  const child = spawn('go', args, {
    cwd: options.cwd,
    env: goEnvironment(options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.signal === undefined ? {} : {signal: options.signal}),
  });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({input: stream}).on('line', (line) => {
      log.write(`${line}\n`);
      tail.push(line);
      if (tail.length > 20) tail.shift();
      if (!line.startsWith('go: downloading') && /^[a-z0-9_.-]+(\/|$)/i.test(line)) options.onPackage?.();
    });
  }
  try {
    const code = await new Promise<number | string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) => resolve(status ?? signal ?? 'an unknown end'));
    });
    if (code !== 0) throw new GoError(`go ${args[0] ?? ''}`, code, tail, options.logFile);
  } finally {
    log.end();
  }
}

/** Where a module of the requirements lies in the module cache, downloading it if need be. */
export function moduleFolder(module: string, cwd: string, env: NodeJS.ProcessEnv): string {
  const options = {cwd, env: goEnvironment(env), encoding: 'utf8'} as const;
  execFileSync('go', ['mod', 'download', module], {...options, stdio: ['ignore', 'ignore', 'pipe']});
  return execFileSync('go', ['list', '-m', '-f', '{{.Dir}}', module], options).trim();
}
