/** The api-server. Settings come from the environment (config.ts); SIGTERM and SIGINT stop it gracefully. */
import {systemClock} from '../kube/clock.ts';
import {createLogger} from '../kube/log.ts';
import {loadKubeConfig} from '../kube/pooled-kube-config.ts';
import {createClient} from '../kube/transport.ts';
import {readConfig} from './config.ts';
import {createHttpMetrics} from './http/metrics.ts';
import {startProgram} from './program.ts';

const config = readConfig(process.env);
const log = createLogger({name: 'basalt-api-server', level: config.logLevel});

try {
  const client = createClient({
    kubeConfig: loadKubeConfig(config.kubeConfig === undefined ? {inCluster: true} : {path: config.kubeConfig}),
    userAgent: 'basalt-api-server',
    fieldManager: 'basalt-api-server',
    log,
  });
  const program = await startProgram({config, client, clock: systemClock, log, metrics: createHttpMetrics()});
  const stop = (signal: NodeJS.Signals): void => {
    log.info({signal}, 'stopping');
    program.stop().then(
      () => log.info({}, 'stopped'),
      (error: unknown) => {
        log.error({err: error}, 'stop failed');
        process.exitCode = 1;
      },
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  log.error({err: error}, 'start failed');
  process.exitCode = 1;
}
