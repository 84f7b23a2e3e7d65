/** The program's settings, read once from the environment and checked; a wrong one ends the start with its name. */
import {Ajv} from 'ajv';
import type {LogLevel} from '../kube/log.ts';
import type {ListenAddress} from './http/listeners.ts';

/** Settings of the api-server. */
export interface Config {
  /** Path of a kubeconfig; undefined: in-cluster. */
  readonly kubeConfig: string | undefined;
  /** `BASALT_NAMESPACE`, default `basalt-system`. */
  readonly systemNamespace: string;
  /** `BASALT_LISTEN`, default `0.0.0.0:8080`: all APIs. */
  readonly listen: ListenAddress;
  /** `BASALT_CLOUDSIGMA_LISTEN`, default `0.0.0.0:8081`: CloudSigma at the root. */
  readonly cloudSigmaListen: ListenAddress;
  /** `BASALT_METRICS_LISTEN`, default `0.0.0.0:8082`: metrics and health. */
  readonly metricsListen: ListenAddress;
  /** `BASALT_PUBLIC_URL`: scheme and host of links; absent: those of the request. */
  readonly publicUrl: string | undefined;
  /** `BASALT_REGION_NAME`, default `default`. */
  readonly regionName: string;
  /** `BASALT_NODEPOOL_PUBLIC_READS`, default true. */
  readonly nodepoolPublicReads: boolean;
  /** `BASALT_TOKEN_HOURS`, default 24: how long an issued token lives. */
  readonly tokenHours: number;
  /** `BASALT_SHUTDOWN_DELAY_SECONDS`, default 0: how long to answer on after a SIGTERM, until load balancers have noticed. */
  readonly shutdownDelaySeconds: number;
  readonly logLevel: LogLevel;
}

const ADDRESS = '^(\\[[0-9a-fA-F:]+\\]|[\\w.-]*):\\d{1,5}$';

const SCHEMA = {
  type: 'object',
  properties: {
    KUBECONFIG: {type: 'string'},
    BASALT_NAMESPACE: {type: 'string', minLength: 1, default: 'basalt-system'},
    BASALT_LISTEN: {type: 'string', pattern: ADDRESS, default: '0.0.0.0:8080'},
    BASALT_CLOUDSIGMA_LISTEN: {type: 'string', pattern: ADDRESS, default: '0.0.0.0:8081'},
    BASALT_METRICS_LISTEN: {type: 'string', pattern: ADDRESS, default: '0.0.0.0:8082'},
    BASALT_PUBLIC_URL: {type: 'string', pattern: '^(https?://[^/]+/?)?$'},
    BASALT_REGION_NAME: {type: 'string', minLength: 1, default: 'default'},
    BASALT_NODEPOOL_PUBLIC_READS: {enum: ['true', 'false'], default: 'true'},
    BASALT_TOKEN_HOURS: {type: 'string', pattern: '^[1-9]\\d{0,3}$', default: '24'},
    BASALT_SHUTDOWN_DELAY_SECONDS: {type: 'string', pattern: '^\\d{1,3}$', default: '0'},
    BASALT_LOG_LEVEL: {enum: ['debug', 'info', 'warn', 'error', 'silent'], default: 'info'},
  },
} as const;

type Variables = Record<keyof typeof SCHEMA.properties, string>;

/** Reads the settings; throws an `Error` that names every wrong variable. An empty variable counts as absent. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const set = Object.fromEntries(
    Object.entries(environment).filter(([name, value]) => name in SCHEMA.properties && value !== undefined && value !== ''),
  );
  const ajv = new Ajv({useDefaults: true, allErrors: true});
  if (!ajv.validate(SCHEMA, set))
    throw new Error(
      `wrong settings: ${(ajv.errors ?? []).map(({instancePath, message}) => `${instancePath.slice(1)} ${message}`).join(', ')}`,
    );
  const variables = set as Partial<Variables> & Record<string, string>;
  const text = (name: keyof Variables): string => variables[name] ?? '';
  return {
    kubeConfig: variables.KUBECONFIG,
    systemNamespace: text('BASALT_NAMESPACE'),
    listen: address(text('BASALT_LISTEN')),
    cloudSigmaListen: address(text('BASALT_CLOUDSIGMA_LISTEN')),
    metricsListen: address(text('BASALT_METRICS_LISTEN')),
    publicUrl: variables.BASALT_PUBLIC_URL?.replace(/\/$/, ''),
    regionName: text('BASALT_REGION_NAME'),
    nodepoolPublicReads: text('BASALT_NODEPOOL_PUBLIC_READS') === 'true',
    tokenHours: Number(text('BASALT_TOKEN_HOURS')),
    shutdownDelaySeconds: Number(text('BASALT_SHUTDOWN_DELAY_SECONDS')),
    logLevel: text('BASALT_LOG_LEVEL') as LogLevel,
  };
}

function address(text: string): ListenAddress {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[|\]$/g, '');
  return {host: host === '' ? '0.0.0.0' : host, port: Number(text.slice(colon + 1))};
}
