/** Runs a command to its end, with a deadline and a bounded amount of output. */
import {spawn} from 'node:child_process';

/** How to run a command. */
export interface RunOptions {
  /** Killed after so long; default 120 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Replaces the environment when given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
  readonly cwd?: string;
}

/** What a command printed. */
export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** A command that failed: its name, exit code and the end of what it said. */
export class CommandError extends Error {
  readonly result: RunResult;
  constructor(command: string, args: readonly string[], result: RunResult, why: string) {
    const said = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-12).join('\n');
    super(`${[command.split('/').at(-1), ...args].join(' ').slice(0, 300)}: ${why}${said === '' ? '' : `\n${said}`}`);
    this.name = 'CommandError';
    this.result = result;
  }
}

/**
 * Runs `command` and resolves with its output when it exits with 0.
 *
 * @throws CommandError for any other exit, a signal, the deadline, or a command that cannot be started
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const result = await attempt(command, args, options);
  if (result.exitCode !== 0) throw new CommandError(command, args, result, `exit code ${result.exitCode}`);
  return result;
}

/** As {@link run}, but resolves for every exit code: for commands whose failure is an answer. */
export function attempt(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const timeoutMs = options.timeoutMs ?? 120_000;
  const deadline = AbortSignal.timeout(timeoutMs);
  const signal = options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline]);
  return new Promise<RunResult>((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      signal,
      killSignal: 'SIGKILL',
      ...(options.cwd === undefined ? {} : {cwd: options.cwd}),
      ...(options.env === undefined ? {} : {env: {...options.env}}),
    });
    const output = {stdout: '', stderr: ''};
    const collect = (name: 'stdout' | 'stderr') => (chunk: Buffer) => {
      if (output[name].length < MAX_OUTPUT_BYTES) output[name] += chunk.toString('utf8');
    };
    child.stdout.on('data', collect('stdout'));
    child.stderr.on('data', collect('stderr'));
    const fail = (why: string, exitCode = -1): void => reject(new CommandError(command, args, {...output, exitCode}, why));
    child.on('error', (error) => fail(deadline.aborted ? `no end within ${timeoutMs / 1000} s` : error.message));
    child.stdin.on('error', () => undefined); // EPIPE: the command did not want its input; its exit code tells
    child.on('close', (code, killedBy) => {
      if (code === null) fail(deadline.aborted ? `no end within ${timeoutMs / 1000} s` : `killed by ${killedBy}`);
      else resolve({...output, exitCode: code});
    });
    child.stdin.end(options.input ?? '');
  });
}
