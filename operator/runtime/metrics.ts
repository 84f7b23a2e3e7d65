/**
 * The runtime's metrics, under controller-runtime's names so that existing dashboards and alerts work. Every label combination is set
 * to 0 when a controller is registered, so that `rate()` sees the first error. No label carries an object's name.
 */
import {Counter, Gauge, Histogram} from 'prom-client';
import type {Registry} from 'prom-client';
import type {QueueMetrics} from './work-queue.ts';

/** The label `result` of `controller_runtime_reconcile_total`. */
export type ReconcileOutcome = 'success' | 'error' | 'requeue' | 'requeue_after';
const OUTCOMES: readonly ReconcileOutcome[] = ['success', 'error', 'requeue', 'requeue_after'];

/** controller-runtime's buckets from 5 ms to 60 s, without those that a reconcile never separates. */
const RECONCILE_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Theirs start at 10 ns, tuned for Go; below a millisecond this runtime cannot tell. */
const QUEUE_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 50, 100];

/** What a controller reports about its runs. Times in milliseconds. */
export interface ControllerMetrics {
  readonly queue: QueueMetrics;
  /** A run ended with `outcome` after `durationMs`. */
  ended(outcome: ReconcileOutcome, durationMs: number): void;
  terminalError(): void;
  timeout(): void;
  /** The reconcile threw something that is not an error of the outside world (a TypeError and the like). */
  panic(): void;
}

/** What the gauges read when they are scraped. */
export interface ControllerState {
  readonly workers: number;
  readonly depth: number;
  /** For how many milliseconds each running key has been worked on. */
  runningMs(): readonly number[];
}

/** All metrics of the runtime, in one registry. */
export interface RuntimeMetrics {
  readonly registry: Registry;
  /** Registers a controller: sets its counters to 0 and reads its gauges from `state` at each scrape. */
  controller(name: string, state: ControllerState): ControllerMetrics;
  /** `leader_election_master_status{name}`. */
  leader(name: string, leading: boolean): void;
}

/** Creates the metrics in `registry`. Throws when the registry has metrics of these names already. */
export function createRuntimeMetrics(registry: Registry): RuntimeMetrics {
  const registers = [registry];
  const states = new Map<string, ControllerState>();
  const counter = (name: string, help: string, labelNames: readonly string[]): Counter =>
    new Counter({name, help, labelNames: [...labelNames], registers});
  const histogram = (name: string, help: string, labelNames: readonly string[], buckets: number[]): Histogram =>
    new Histogram({name, help, labelNames: [...labelNames], buckets, registers});
  const gauge = (name: string, help: string, label: string, read: (state: ControllerState) => number): Gauge =>
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        for (const [controller, state] of states) this.set({[label]: controller}, read(state));
      },
    });

  const total = counter('controller_runtime_reconcile_total', 'Reconciles per controller and result', ['controller', 'result']);
  const errors = counter('controller_runtime_reconcile_errors_total', 'Reconciles that threw', ['controller']);
  const terminal = counter('controller_runtime_terminal_reconcile_errors_total', 'Reconciles that threw an error not worth a retry', [
    'controller',
  ]);
  const panics = counter('controller_runtime_reconcile_panics_total', 'Reconciles that threw a programming error', ['controller']);
  const timeouts = counter('controller_runtime_reconcile_timeouts_total', 'Reconciles that ran into their deadline', ['controller']);
  const seconds = histogram('controller_runtime_reconcile_time_seconds', 'Duration of a reconcile', ['controller'], RECONCILE_SECONDS);
  gauge('controller_runtime_max_concurrent_reconciles', 'Workers per controller', 'controller', (state) => state.workers);
  gauge('controller_runtime_active_workers', 'Workers that are reconciling now', 'controller', (state) => state.runningMs().length);

  const adds = counter('workqueue_adds_total', 'Keys added to the queue', ['name']);
  const retries = counter('workqueue_retries_total', 'Keys added again after an error', ['name']);
  const queued = histogram('workqueue_queue_duration_seconds', 'Time a key waits in the queue', ['name'], QUEUE_SECONDS);
  const worked = histogram('workqueue_work_duration_seconds', 'Time a key is worked on', ['name'], QUEUE_SECONDS);
  gauge('workqueue_depth', 'Keys ready to be worked on', 'name', (state) => state.depth);
  gauge(
    'workqueue_unfinished_work_seconds',
    'Sum of the ages of running work',
    'name',
    (state) => state.runningMs().reduce((sum, ms) => sum + ms, 0) / 1000,
  );
  gauge(
    'workqueue_longest_running_processor_seconds',
    'Age of the oldest running work',
    'name',
    (state) => Math.max(0, ...state.runningMs()) / 1000,
  );

  const master = new Gauge({name: 'leader_election_master_status', help: '1 while this process leads', labelNames: ['name'], registers});

  return {
    registry,
    controller(name, state) {
      states.set(name, state);
      for (const result of OUTCOMES) total.inc({controller: name, result}, 0);
      for (const each of [errors, terminal, panics, timeouts]) each.inc({controller: name}, 0);
      for (const each of [adds, retries]) each.inc({name}, 0);
      seconds.zero({controller: name});
      queued.zero({name});
      worked.zero({name});
      return {
        queue: {
          added: () => adds.inc({name}),
          taken: (ms) => queued.observe({name}, ms / 1000),
          finished: (ms) => worked.observe({name}, ms / 1000),
          retried: () => retries.inc({name}),
        },
        ended(result, ms) {
          total.inc({controller: name, result});
          if (result === 'error') errors.inc({controller: name});
          seconds.observe({controller: name}, ms / 1000);
        },
        terminalError: () => terminal.inc({controller: name}),
        timeout: () => timeouts.inc({controller: name}),
        panic: () => panics.inc({controller: name}),
      };
    },
    leader: (name, leading) => master.set({name}, leading ? 1 : 0),
  };
}
