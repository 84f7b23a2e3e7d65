/**
 * The operator's settings, read once: environment variables, and a flag of the same name in lower case for each
 * (`BASALT_LOG_LEVEL=debug` or `--log-level=debug`; the flag wins). Anything unknown or malformed stops the program with a message that names it.
 */
import {Ajv} from 'ajv';
import {hostname} from 'node:os';
import {parseArgs} from 'node:util';
import type {LogLevel} from '../kube/log.ts';

/** What the operator can be told. */
export interface OperatorConfig {
  /** Path of a kubeconfig; absent: the pod's service account. `KUBECONFIG`, `--kubeconfig`. */
  readonly kubeconfig?: string;
  /** System namespace: leader lease, id counters, credentials, public images. `BASALT_NAMESPACE`. Default `basalt-system`. */
  readonly namespace: string;
  /** Address of /livez, /readyz and /metrics, `host:port`. `BASALT_OPERATOR_LISTEN`, or `BASALT_OPERATOR_PORT` on 127.0.0.1. Default `127.0.0.1:8080`. */
  readonly listen: {readonly host: string; readonly port: number};
  /** `BASALT_LOG_LEVEL`. Default `info`. */
  readonly logLevel: LogLevel;
  /** Run for leadership before working. `BASALT_LEADER_ELECT`. Default true; switch off only for a single replica. */
  readonly leaderElect: boolean;
  /** This process in the lease. `BASALT_IDENTITY`. Default `<hostname>-<pid>`. */
  readonly identity: string;
  /** Workers per controller, over the built-in numbers: `server=32,drive=16`. `BASALT_WORKERS`. */
  readonly workers: Readonly<Record<string, number>>;
  /** Calls to the API server in flight at once. `BASALT_CONNECTIONS`. Default 32. */
  readonly connections: number;
}

/** The program was started with settings that make no sense. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

/** One setting as text: where it comes from and what it must look like. */
const SETTINGS = {
  KUBECONFIG: {type: 'string', maxLength: 4096},
  BASALT_NAMESPACE: {type: 'string', pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$'},
  BASALT_OPERATOR_LISTEN: {type: 'string', pattern: '^.+:[0-9]{1,5}$'},
  BASALT_OPERATOR_PORT: {type: 'string', pattern: '^[0-9]{1,5}$'},
  BASALT_LOG_LEVEL: {type: 'string', enum: ['debug', 'info', 'warn', 'error', 'silent']},
  BASALT_LEADER_ELECT: {type: 'string', enum: ['true', 'false']},
  BASALT_IDENTITY: {type: 'string', minLength: 1, maxLength: 253},
  BASALT_WORKERS: {type: 'string', pattern: '^[a-z]+=[1-9][0-9]{0,2}(,[a-z]+=[1-9][0-9]{0,2})*$'},
  BASALT_CONNECTIONS: {type: 'string', pattern: '^[1-9][0-9]{0,3}$'},
} as const;

type Setting = keyof typeof SETTINGS;
const NAMES = Object.keys(SETTINGS) as Setting[];
const flagOf = (name: Setting): string =>
  name
    .replace(/^BASALT_(OPERATOR_)?/, '')
    .toLowerCase()
    .replaceAll('_', '-');

const validate = new Ajv({allErrors: true}).compile<Partial<Record<Setting, string>>>({
  type: 'object',
  properties: SETTINGS,
  additionalProperties: false,
});

function flags(argv: readonly string[]): Partial<Record<Setting, string>> {
  const options = Object.fromEntries(NAMES.map((name) => [flagOf(name), {type: 'string' as const}]));
  try {
    const {values} = parseArgs({args: [...argv], options, strict: true, allowPositionals: false});
    return Object.fromEntries(NAMES.flatMap((name) => (values[flagOf(name)] === undefined ? [] : [[name, values[flagOf(name)]]])));
  } catch (error) {
    throw new ConfigError(
      `${error instanceof Error ? error.message : String(error)}. Flags: ${NAMES.map((name) => `--${flagOf(name)}`).join(' ')}`,
    );
  }
}

function listenOf(settings: Partial<Record<Setting, string>>): OperatorConfig['listen'] {
  const address = settings.BASALT_OPERATOR_LISTEN ?? `127.0.0.1:${settings.BASALT_OPERATOR_PORT ?? '8080'}`;
  const colon = address.lastIndexOf(':');
  const port = Number(address.slice(colon + 1));
  if (port > 65_535) throw new ConfigError(`${address}: a port is at most 65535`);
  return {host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port};
}

/** Reads the settings. Throws {@link ConfigError}. An empty variable counts as absent. */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>>,
  argv: readonly string[],
  pid: number,
): OperatorConfig {
  const fromEnvironment = Object.fromEntries(
    NAMES.flatMap((name) => (environment[name] === undefined || environment[name] === '' ? [] : [[name, environment[name]]])),
  );
  const settings: Partial<Record<Setting, string>> = {...fromEnvironment, ...flags(argv)};
  if (!validate(settings)) {
    const [first] = validate.errors ?? [];
    const name = first?.instancePath.slice(1) ?? '';
    throw new ConfigError(
      `${name}=${JSON.stringify(settings[name as Setting])} ${first?.message ?? 'is invalid'} (flag --${flagOf(name as Setting)})`,
    );
  }
  const workers = Object.fromEntries(
    (settings.BASALT_WORKERS ?? '')
      .split(',')
      .filter((entry) => entry !== '')
      .map((entry) => entry.split('='))
      .map(([name, count]) => [name ?? '', Number(count)]),
  );
  return {
    ...(settings.KUBECONFIG === undefined ? {} : {kubeconfig: settings.KUBECONFIG}),
    namespace: settings.BASALT_NAMESPACE ?? 'basalt-system',
    listen: listenOf(settings),
    logLevel: (settings.BASALT_LOG_LEVEL ?? 'info') as LogLevel,
    leaderElect: settings.BASALT_LEADER_ELECT !== 'false',
    identity: settings.BASALT_IDENTITY ?? `${hostname()}-${pid}`,
    workers,
    connections: Number(settings.BASALT_CONNECTIONS ?? 32),
  };
}
