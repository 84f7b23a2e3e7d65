/**
 * The hypervisor of a local cluster: stands in for KubeVirt's virt-handler on every fake host and, in light mode, for KubeVirt's and
 * CDI's controllers too. See docs and config.ts for its environment.
 */
import {readFileSync} from 'node:fs';
import {createLogger} from '../../../kube/log.ts';
import type {Logger} from '../../../kube/log.ts';
import {readConfig} from './config.ts';
import {runHypervisor} from './run.ts';

const STOP_DEADLINE_MS = 10_000;

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
  log = createLogger({name: 'hypervisor', level: config.logLevel});
  await runHypervisor({config, log, readFile: (path) => readFileSync(path, 'utf8')}, stop.signal);
} catch (error) {
  if (log === undefined) console.error(error instanceof Error ? error.message : error);
  else log.error({err: error}, 'hypervisor failed');
  process.exitCode = 1;
}
