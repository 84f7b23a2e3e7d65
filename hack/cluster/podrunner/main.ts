/**
 * The pod runner of a local cluster: a kubelet for the pods whose image names a program that this machine has (programs.ts). Each runs as a
 * process in a sandbox of bubblewrap. See config.ts for its environment.
 */
import {createLogger} from '../../../kube/log.ts';
import type {Logger} from '../../../kube/log.ts';
import {readConfig} from './config.ts';
import {runPodRunner} from './run.ts';

const STOP_DEADLINE_MS = 5_000;

const stop = new AbortController();
let log: Logger | undefined;
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.once(name, () => {
    setTimeout(() => process.exit(1), STOP_DEADLINE_MS).unref();
    stop.abort(new Error(`received ${name}`));
  });
}

try {
  const config = readConfig(process.env);
  log = createLogger({name: 'podrunner', level: config.logLevel});
  await runPodRunner(config, log, stop.signal);
} catch (error) {
  if (log === undefined) console.error(error instanceof Error ? error.message : error);
  else log.error({err: error}, 'pod runner failed');
  process.exitCode = 1;
}
