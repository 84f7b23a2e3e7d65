/** The command line of the local cluster. */
import {resolve} from 'node:path';
import {parseArgs} from 'node:util';
import type {Tier} from './state.ts';

/** What can be asked for. */
export const COMMANDS = ['build', 'up', 'down', 'status', 'logs', 'host'] as const;

/** A parsed command line. */
export interface Options {
  readonly command: (typeof COMMANDS)[number];
  /** The cluster's folder, absolute. */
  readonly dir: string;
  readonly tier: Tier;
  readonly light: boolean;
  readonly programs: boolean;
  /** Number of hosts; undefined: as nodes.yaml says. */
  readonly hosts: number | undefined;
  readonly purge: boolean;
  readonly follow: boolean;
  readonly lines: number;
  /** Names of logs. */
  readonly names: readonly string[];
  /** The host whose power is to go or to come; of the command `host` only. */
  readonly host: {readonly power: 'on' | 'off'; readonly name: string} | undefined;
}

/** Shown for a command line that is not understood. */
export const USAGE = `usage: node hack/cluster/main.ts COMMAND [options]

  build                     build the programs of the local cluster, unless the cache has them
  up                        start the cluster (or bring a running one up to date) and wait until it is ready
      --tier api|full       api: etcd and the API server with our CRDs only (default full)
      --light               no KubeVirt and CDI processes: the hypervisor plays them
      --no-programs         no operator, api-server, chart and demo cloud
      --hosts N             number of simulated hosts (or BASALT_HOSTS; default: nodes.yaml)
  down [--purge]            stop it; --purge also removes its data
  status                    what runs and whether it is ready
  logs [-f] [-n N] [NAME…]  last lines of the logs
  host off|on NAME          take a simulated host's power, with all its guests, and give it back

  --dir DIR                 the cluster's folder (or BASALT_CLUSTER_DIR; default .cluster): several clusters run side by side
`;

/** The command line was not understood; the message says what. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** What is printed for a {@link UsageError}: what is wrong first, and again below the usage, where the eye is. */
export function usageText({message}: UsageError): string {
  return `${message}\n\n${USAGE}\n${message}`;
}

/** Parses arguments (after the program's name). Throws UsageError. */
export function parseOptions(argv: readonly string[], env: Readonly<Record<string, string | undefined>>, cwd: string): Options {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        dir: {type: 'string'},
        tier: {type: 'string', default: 'full'},
        light: {type: 'boolean', default: false},
        'no-programs': {type: 'boolean', default: false},
        hosts: {type: 'string'},
        purge: {type: 'boolean', default: false},
        follow: {type: 'boolean', short: 'f', default: false},
        lines: {type: 'string', short: 'n', default: '20'},
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const {values, positionals} = parsed;
  const [name, ...names] = positionals;
  const command = COMMANDS.find((known) => known === name);
  if (command === undefined) throw new UsageError(name === undefined ? 'a command is missing' : `${name} is not a command`);
  if (names.length > 0 && command !== 'logs' && command !== 'host') throw new UsageError(`${command} takes no names`);
  if (values.tier !== 'api' && values.tier !== 'full') throw new UsageError(`--tier must be api or full, not ${values.tier}`);
  if (values.tier === 'api' && values.light) throw new UsageError('--light is of the full tier: the api tier has no controllers at all');
  const hosts = values.hosts ?? nonEmpty(env['BASALT_HOSTS']);
  return {
    command,
    dir: resolve(cwd, values.dir ?? nonEmpty(env['BASALT_CLUSTER_DIR']) ?? '.cluster'),
    tier: values.tier,
    light: values.light,
    programs: !values['no-programs'] && values.tier === 'full',
    hosts: hosts === undefined ? undefined : positive('the number of hosts (HOSTS=N, --hosts N or BASALT_HOSTS)', hosts),
    purge: values.purge,
    follow: values.follow,
    lines: positive('--lines', values.lines),
    names,
    host: command === 'host' ? hostOf(names) : undefined,
  };
}

function hostOf([power, name, ...rest]: readonly string[]): NonNullable<Options['host']> {
  if ((power !== 'on' && power !== 'off') || name === undefined || rest.length > 0)
    throw new UsageError('host takes on or off, and one name');
  return {power, name};
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new UsageError(`${name} must be a positive integer, not ${JSON.stringify(text)}`);
  return value;
}
