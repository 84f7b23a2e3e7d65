/** What every step of the demo has in hand: the addresses of the local cluster, the real clients, and a narrator. */
import {readFile} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import type {Clients} from '../clients/venv.ts';
import {attempt, run, type RunResult} from '../lib/process.ts';

/** A check that did not hold: the demo stops at the first one and says what it saw. */
export class Surprise extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Surprise';
  }
}

/** What later steps must know of earlier ones. */
export interface DemoMemory {
  /** Root's password on the server that was made over Cyclades, told once by the API. */
  adminPass?: string;
  /** The same of the server that took a file along. */
  filePass?: string;
  /** What was written into a guest before it was stopped. */
  marker?: string;
  /** The kernel's id of the boot before the reboot. */
  bootId?: string;
}

/** Handed from step to step. */
export interface DemoContext {
  /** The lines of the cluster's `env` file. */
  readonly env: Readonly<Record<string, string>>;
  readonly clients: Clients;
  /** Where the demo keeps its key and the picture that it takes. */
  readonly folder: string;
  readonly memory: DemoMemory;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** What the accounts had before the demo began: somebody's own things, which must be there afterwards too. */
  readonly before: ReadonlySet<string>;
}

/** One step: a sentence for the person who watches, and what happens. It throws at the first surprise. */
export interface DemoStep {
  readonly title: string;
  run(context: DemoContext): Promise<void>;
}

/** Reads `KEY=value` or `KEY='value'` lines (with or without `export`), as `make up` writes them. */
export function parseEnv(text: string): Record<string, string> {
  const env: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const match = /^(?:export )?([A-Z0-9_]+)=(.*)$/.exec(line.trim());
    if (match?.[1] === undefined || match[2] === undefined) continue;
    env[match[1]] = match[2].replace(/^(['"])(.*)\1$/, '$2');
  }
  return env;
}

/** Where the demo keeps its files, in the folder of the cluster. */
export const demoFolder = (directory: string): string => resolve(directory, 'demo');

/** The environment file of the cluster in `directory`. */
export async function readClusterEnv(directory: string): Promise<Record<string, string>> {
  return parseEnv(await readFile(join(directory, 'env'), 'utf8'));
}

/** Throws a {@link Surprise} unless `condition` holds. */
export function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Surprise(message);
}

/** A variable of the cluster's environment. */
export function need(context: DemoContext, name: string): string {
  const value = context.env[name];
  expect(value !== undefined && value !== '', `the cluster's env file has no ${name}; run 'make down && make up'`);
  return value;
}

/** kubectl against the local cluster. */
export async function kubectl(context: DemoContext, args: readonly string[], input?: string): Promise<string> {
  const {stdout} = await run(need(context, 'KUBECTL'), args, {
    env: {...process.env, KUBECONFIG: need(context, 'KUBECONFIG')},
    signal: context.signal,
    ...(input === undefined ? {} : {input}),
  });
  return stdout;
}

/** `kubectl get ARGS -o json`, parsed. */
export async function kubectlGet<T>(context: DemoContext, args: readonly string[]): Promise<T> {
  return JSON.parse(await kubectl(context, ['get', ...args, '-o', 'json'])) as T;
}

/** The real `openstack` command, logged in as the demo account; JSON output parsed when `-f json` is among the arguments. */
export async function openstack<T>(context: DemoContext, args: readonly string[]): Promise<T> {
  context.say(`$ openstack ${args.join(' ')}`);
  const {stdout} = await run(context.clients.openstack, args, {env: openstackEnv(context), signal: context.signal});
  return (args.includes('json') ? JSON.parse(stdout) : stdout) as T;
}

/** As {@link openstack}, for commands that may fail: the result as it is. */
export function openstackAttempt(context: DemoContext, args: readonly string[]): Promise<RunResult> {
  return attempt(context.clients.openstack, args, {env: openstackEnv(context), signal: context.signal});
}

function openstackEnv(context: DemoContext): Record<string, string | undefined> {
  return {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    OS_AUTH_TYPE: 'v2password',
    OS_IDENTITY_API_VERSION: '3', // some commands refuse to run when it says 2; no v3 call is made
    OS_AUTH_URL: need(context, 'OS_AUTH_URL'),
    OS_USERNAME: need(context, 'OS_USERNAME'),
    OS_PASSWORD: need(context, 'OS_PASSWORD'),
    OS_PROJECT_NAME: need(context, 'OS_PROJECT_NAME'),
    OS_REGION_NAME: need(context, 'OS_REGION_NAME'),
  };
}

/** libcloud's CloudSigma 1.0 driver (hack/clients/cloudsigma.py), logged in as the second account. */
export async function libcloud<T>(context: DemoContext, args: readonly string[]): Promise<T> {
  context.say(`$ libcloud: ${args.join(' ')}`);
  const script = new URL('../clients/cloudsigma.py', import.meta.url).pathname;
  const {stdout} = await run(context.clients.python, [script, ...args], {
    env: {
      PATH: process.env['PATH'],
      CS_BASE: need(context, 'CS_BASE'),
      CS_USER: need(context, 'OTHER_CS_USER'),
      CS_PASSWORD: need(context, 'OTHER_CS_PASSWORD'),
    },
    signal: context.signal,
  });
  return JSON.parse(stdout) as T;
}

/** curl with a JSON body; resolves with status and answer: parsed where it is JSON, else its text. Secrets are passed on standard input, never in the arguments. */
export async function curl(
  context: DemoContext,
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  body?: unknown,
): Promise<{status: number; body: unknown}> {
  context.say(`$ curl -X ${method} ${url}${body === undefined ? '' : ` -d '${JSON.stringify(body)}'`}`);
  const config = Object.entries({'Content-Type': 'application/json', ...headers}).map(([name, value]) => `header = "${name}: ${value}"`);
  const data = body === undefined ? [] : ['--data-raw', JSON.stringify(body)];
  const {stdout} = await run('curl', ['-sS', '-m', '30', '-X', method, '-K', '-', '-w', '\n%{http_code}', ...data, url], {
    input: config.join('\n'),
    signal: context.signal,
  });
  const cut = stdout.lastIndexOf('\n');
  const text = stdout.slice(0, cut);
  return {status: Number(stdout.slice(cut + 1)), body: /^[[{]/.test(text) ? JSON.parse(text) : text === '' ? undefined : text};
}

/**
 * Asks `probe` until it returns a value, every half second.
 *
 * @throws Surprise after `timeoutMs`, with what `describe` says of the last state
 */
export async function until<T>(
  context: DemoContext,
  what: string,
  timeoutMs: number,
  probe: () => Promise<T | undefined>,
  describe: () => string = () => '',
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    context.signal.throwIfAborted();
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > end) throw new Surprise(`${what}: not within ${timeoutMs / 1000} s. ${describe()}`.trim());
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
