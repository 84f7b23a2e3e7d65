/**
 * The operator program: reads its settings, connects, wires caches, controllers and leadership together, and ends cleanly. Only this
 * file exits the process. Exit codes: 0 after a clean stop, 1 when leadership is lost or something broke, 2 for settings that make no sense.
 */
import {sequenceName} from '../crds/rules/ids.ts';
import {collectDefaultMetrics, Registry} from 'prom-client';
import {createApplier} from '../kube/apply.ts';
import {systemClock} from '../kube/clock.ts';
import {createEventRecorder} from '../kube/events.ts';
import {createSequence} from '../kube/ids.ts';
import {runLeaderElection} from '../kube/lease.ts';
import {createLogger} from '../kube/log.ts';
import type {Logger} from '../kube/log.ts';
import {createClientMetrics} from '../kube/metrics.ts';
import {loadKubeConfig} from '../kube/pooled-kube-config.ts';
import {createInformer} from '../kube/reflector.ts';
import {createClient} from '../kube/transport.ts';
import {ConfigError, readConfig} from './config.ts';
import type {OperatorConfig} from './config.ts';
import {createControllers} from './controllers/index.ts';
import {createInformers} from './create-informers.ts';
import {highestId} from './highest-id.ts';

import {startHealthServer} from './runtime/health.ts';
import {createManager, withoutElection} from './runtime/manager.ts';
import type {Election} from './runtime/manager.ts';
import {createRuntimeMetrics} from './runtime/metrics.ts';
import {ReconcilingOperator} from './runtime/reconciling-operator.ts';
import {createServedKinds} from './runtime/served-kinds.ts';
import type {Deps, Sequence} from './runtime/types.ts';

const LEASE_NAME = 'basalt-operator';
const FIELD_MANAGER = 'basalt-operator';
/** Ids taken at once for objects made by kubectl; what is left of a block at the end of the process becomes a gap. */
const ID_BLOCK = 8;
/** How long events may take to be sent at the end, in milliseconds. */
const FLUSH_MS = 2_000;

/** The operator of this program: all its controllers, in the programming model of `@dot-i/k8s-operator`. */
class BasaltOperator extends ReconcilingOperator {
  readonly #deps: Deps;

  constructor(options: ConstructorParameters<typeof ReconcilingOperator>[0], deps: Deps) {
    super(options);
    this.#deps = deps;
  }

  protected override init(): Promise<void> {
    for (const definition of createControllers(this.#deps)) this.watch(definition);
    return Promise.resolve();
  }
}

async function run(config: OperatorConfig, log: Logger): Promise<void> {
  const clock = systemClock;
  const registry = new Registry();
  collectDefaultMetrics({register: registry}); // the event-loop lag is the one to alert on: a blocked loop renews no lease
  const metrics = createRuntimeMetrics(registry);
  const clientMetrics = createClientMetrics(registry);
  const kubeConfig = loadKubeConfig(config.kubeconfig === undefined ? {inCluster: true} : {path: config.kubeconfig});
  const client = createClient({
    kubeConfig,
    userAgent: 'basalt-operator',
    fieldManager: FIELD_MANAGER,
    connections: config.connections,
    metrics: clientMetrics.transport,
    log,
  });
  const {informers, managed} = createInformers({client, clock, log, metrics: clientMetrics.reflector, systemNamespace: config.namespace});
  const kinds = createServedKinds({client, clock, log});
  const events = createEventRecorder({
    client,
    component: 'basalt-operator',
    clock,
    log,
    // In a burst, machines and statuses first: events are for later reading.
    busy: () => manager.busy,
  });
  const sequences = new Map<string, Sequence>();
  const deps: Deps = {
    client,
    clock,
    log,
    events,
    applier: createApplier({client, fieldManager: FIELD_MANAGER}),
    informers,
    sequences({kind}) {
      const name = sequenceName(kind);
      const sequence =
        sequences.get(name) ??
        createSequence({
          client,
          namespace: config.namespace,
          name,
          blockSize: ID_BLOCK,
          clock,
          floor: () => highestId(informers, kind) + 1,
        });
      sequences.set(name, sequence);
      return sequence;
    },
    served: kinds.served,
    systemNamespace: config.namespace,
  };

  metrics.leader(LEASE_NAME, false);
  const election: Election = config.leaderElect
    ? (onStarted, signal) =>
        runLeaderElection(
          {
            client,
            namespace: config.namespace,
            name: LEASE_NAME,
            identity: config.identity,
            clock,
            log,
            metrics,
            onStarted,
          },
          signal,
        )
    : withoutElection;
  const manager = createManager({clock, log, metrics, kinds, election, workers: config.workers});
  for (const informer of managed) manager.addInformer(informer);
  const operator = new BasaltOperator(
    {
      kubeConfig,
      client,
      manager,
      log,
      createInformer: (type, namespace) => createInformer({client, type, clock, log, ...(namespace === undefined ? {} : {namespace})}),
    },
    deps,
  );

  const health = await startHealthServer({...config.listen, registry, unready: manager.unready, log});
  log.info({port: health.port, namespace: config.namespace, identity: config.identity}, 'the operator starts');
  onSignals(log, () => operator.stop());
  try {
    await operator.start();
    await operator.finished;
  } finally {
    await operator.shutdown();
    await events.flush(AbortSignal.timeout(FLUSH_MS)).catch((error: unknown) => log.warn({err: error}, 'some events were not sent'));
    await health.close();
    await client.close();
  }
}

/** The first SIGTERM or SIGINT begins a shutdown, the second ends the process at once. */
function onSignals(log: Logger, stop: () => void): void {
  let asked = false;
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (asked) process.exit(1);
      asked = true;
      log.info({signal: name}, 'asked to stop');
      stop();
    });
  }
}

async function main(): Promise<number> {
  let config: OperatorConfig;
  try {
    config = readConfig(process.env, process.argv.slice(2), process.pid);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`basalt-operator: ${error.message}\n`);
    return 2;
  }
  const log = createLogger({name: 'basalt-operator', level: config.logLevel});
  process.on('unhandledRejection', (error) => {
    log.error({err: error}, 'an error that nobody handles: stopping');
    process.exit(1);
  });
  try {
    await run(config, log);
    log.info({}, 'the operator has stopped');
    return 0;
  } catch (error) {
    log.error({err: error}, 'the operator ends');
    return 1;
  }
}

process.exit(await main());
