/** The environment of the pod runner, read once. */
import type {LogLevel} from '../../../kube/log.ts';

/** Everything that can be set; all but the log level must be. */
export interface Config {
  /** Kubeconfig of an administrator (KUBECONFIG). */
  readonly kubeconfig: string;
  /** Folder of the pods' records and files (PODRUNNER_FOLDER). */
  readonly folder: string;
  /** Folder of their logs (PODRUNNER_LOGS). */
  readonly logs: string;
  /** Folder of the cluster's programs (PODRUNNER_BIN). */
  readonly bin: string;
  /** First three numbers of the pods' addresses, `10.245.3.` (PODRUNNER_ADDRESSES). */
  readonly addressPrefix: string;
  /** Address of the hosts (PODRUNNER_HOST_ADDRESS). */
  readonly hostAddress: string;
  /** Where the proxy that refuses listens on 127.0.0.1 (PODRUNNER_PROXY_PORT). */
  readonly proxyPort: number;
  /** Log level (BASALT_LOG_LEVEL). Default info. */
  readonly logLevel: LogLevel;
}

/**
 * Reads the configuration.
 * @throws Error with one line for each setting that is missing or wrong.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const required = (name: string, pattern = /./): string => {
    const value = env[name] ?? '';
    if (value === '') problems.push(`${name} is not set`);
    else if (!pattern.test(value)) problems.push(`${name}=${value}: must match ${pattern.source}`);
    return value;
  };
  const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];
  const level = env['BASALT_LOG_LEVEL'] ?? 'info';
  const logLevel = levels.find((known) => known === level);
  if (logLevel === undefined) problems.push(`BASALT_LOG_LEVEL=${level}: must be one of ${levels.join(', ')}`);
  const config: Config = {
    kubeconfig: required('KUBECONFIG'),
    folder: required('PODRUNNER_FOLDER', /^\//),
    logs: required('PODRUNNER_LOGS', /^\//),
    bin: required('PODRUNNER_BIN', /^\//),
    addressPrefix: required('PODRUNNER_ADDRESSES', /^(\d+\.){3}$/),
    hostAddress: required('PODRUNNER_HOST_ADDRESS'),
    proxyPort: Number(required('PODRUNNER_PROXY_PORT', /^\d+$/)),
    logLevel: logLevel ?? 'info',
  };
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return config;
}
