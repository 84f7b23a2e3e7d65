import {describe, expect, test} from '@jest/globals';
import {Registry} from 'prom-client';
import {ApiError} from '../../kube/errors.ts';
import {silentLogger} from '../../kube/log.ts';
import type {KubeObject} from '../../kube/objects.ts';
import {FakeClock, settle} from '../../kube/testing/fake-clock.ts';
import {FakeInformer} from '../testing/fake-informer.ts';
import {createController} from './controller.ts';
import type {RunningController} from './controller.ts';
import {createRuntimeMetrics} from './metrics.ts';
import {TerminalError} from './terminal-error.ts';
import {DONE, watchOf} from './types.ts';
import type {ControllerDefinition, ReconcileContext, Result} from './types.ts';

const object = (name: string, labels: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: {name, labels},
});

interface Fixture {
  readonly clock: FakeClock;
  readonly informer: FakeInformer<KubeObject>;
  readonly registry: Registry;
  readonly controller: RunningController;
  /** Keys in the order in which they were reconciled. */
  readonly runs: string[];
}

function setUp(reconcile: (key: string, context: ReconcileContext) => Promise<Result>, more: Partial<ControllerDefinition> = {}): Fixture {
  const clock = new FakeClock();
  const informer = new FakeInformer<KubeObject>({synced: more.primary === undefined});
  const registry = new Registry();
  const runs: string[] = [];
  const definition: ControllerDefinition = {
    name: 'thing',
    primary: informer,
    ...more,
    reconcile(key, context) {
      runs.push(key);
      return reconcile(key, context);
    },
  };
  const controller = createController(definition, {clock, log: silentLogger, metrics: createRuntimeMetrics(registry), random: () => 0.5});
  return {clock, informer, registry, controller, runs};
}

const valueOf = async (registry: Registry, name: string, labels: Record<string, string>): Promise<number | undefined> => {
  const metric = await registry.getSingleMetric(name)?.get();
  return metric?.values.find((value) => Object.entries(labels).every(([key, wanted]) => value.labels[key] === wanted))?.value;
};

test('reconciles what is listed and what changes', async () => {
  const {informer, controller, runs} = setUp(() => Promise.resolve(DONE));
  informer.set(object('a'));
  await controller.start();
  await settle();
  informer.set(object('b'));
  informer.remove('a');
  await settle();
  expect(runs).toEqual(['a', 'b', 'a']);
});

test('never runs a key twice at once, and runs it again when it changed meanwhile', async () => {
  const open: (() => void)[] = [];
  let atOnce = 0;
  let most = 0;
  const {informer, controller, runs} = setUp(async () => {
    most = Math.max(most, ++atOnce);
    await new Promise<void>((resolve) => open.push(resolve));
    atOnce -= 1;
    return DONE;
  });
  informer.set(object('a'));
  await controller.start();
  await settle();
  informer.set(object('a', {changed: 'yes'}));
  informer.set(object('a', {changed: 'again'}));
  await settle();
  expect(runs).toEqual(['a']);
  open.shift()?.();
  await settle();
  expect(runs).toEqual(['a', 'a']);
  open.shift()?.();
  await settle();
  expect([runs.length, most]).toEqual([2, 1]);
});

test('works on as many keys at once as it has workers', async () => {
  let atOnce = 0;
  let most = 0;
  const {informer, controller} = setUp(
    async () => {
      most = Math.max(most, ++atOnce);
      await settle();
      atOnce -= 1;
      return DONE;
    },
    {workers: 3},
  );
  for (let index = 0; index < 10; index++) informer.set(object(`o${index}`));
  await controller.start();
  for (let turn = 0; turn < 12; turn++) await settle();
  expect(most).toBe(3);
});

describe('the result decides what follows', () => {
  test.each<[string, () => Promise<Result>, number | undefined, string]>([
    ['done', () => Promise.resolve(DONE), undefined, 'success'],
    ['blocked', () => Promise.resolve({kind: 'blocked', reason: 'DependencyMissing', message: 'no image'}), undefined, 'success'],
    ['requeue', () => Promise.resolve({kind: 'requeue', afterMs: 7000, why: 'poll'}), 7000, 'requeue_after'],
    ['an error', () => Promise.reject(new Error('boom')), 5, 'error'],
    [
      'a synchronous throw',
      () => {
        throw new Error('boom');
      },
      5,
      'error',
    ],
    ['a terminal error', () => Promise.reject(new TerminalError('never')), undefined, 'error'],
    [
      'a conflict',
      () => Promise.reject(new ApiError({status: 409, reason: 'Conflict', message: '', verb: 'put', resource: 'things'})),
      5,
      'requeue',
    ],
  ])('%s', async (_name, reconcile, againAfterMs, outcome) => {
    const {clock, informer, registry, controller, runs} = setUp(reconcile, {resyncMs: 1e9});
    informer.set(object('a'));
    await controller.start();
    await settle();
    expect(runs).toEqual(['a']);
    expect(await valueOf(registry, 'controller_runtime_reconcile_total', {controller: 'thing', result: outcome})).toBe(1);
    await clock.advanceAndSettle((againAfterMs ?? 3_600_000) - 1);
    expect(runs).toEqual(['a']);
    await clock.advanceAndSettle(1);
    expect(runs).toEqual(againAfterMs === undefined ? ['a'] : ['a', 'a']);
  });

  test('errors back off and a success ends that', async () => {
    let failures = 3;
    const {clock, informer, controller, runs} = setUp(() => (failures-- > 0 ? Promise.reject(new Error('boom')) : Promise.resolve(DONE)));
    informer.set(object('a'));
    await controller.start();
    await clock.advanceAndSettle(5 + 10 + 20);
    expect(runs).toHaveLength(4);
    failures = 1;
    informer.set(object('a', {changed: 'yes'}));
    await clock.advanceAndSettle(5);
    expect(runs).toHaveLength(6);
  });

  test('a terminal error is tried again once the object changes', async () => {
    const {informer, controller, runs, registry} = setUp(() => Promise.reject(new TerminalError('never')));
    informer.set(object('a'));
    await controller.start();
    await settle();
    informer.set(object('a', {changed: 'yes'}));
    await settle();
    expect(runs).toHaveLength(2);
    expect(await valueOf(registry, 'controller_runtime_terminal_reconcile_errors_total', {controller: 'thing'})).toBe(2);
  });
});

test('a run is aborted at its deadline, counted, and tried again', async () => {
  const {clock, informer, registry, controller, runs} = setUp(
    (_key, {signal}) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    {timeoutMs: 2000},
  );
  informer.set(object('a'));
  await controller.start();
  await clock.advanceAndSettle(2000);
  expect(await valueOf(registry, 'controller_runtime_reconcile_timeouts_total', {controller: 'thing'})).toBe(1);
  await clock.advanceAndSettle(5);
  expect(runs).toHaveLength(2);
});

describe('watches', () => {
  const watching = (delayMs: number) => {
    const other = new FakeInformer<KubeObject>();
    return {
      other,
      watches: [watchOf(other, ({object: {metadata}}) => [metadata.labels?.['of'] ?? ''].filter((key) => key !== ''), {delayMs})],
    };
  };

  test('map changes of other kinds to keys', async () => {
    const {other, watches} = watching(0);
    const {controller, runs} = setUp(() => Promise.resolve(DONE), {watches});
    await controller.start();
    other.set(object('child', {of: 'parent'}));
    other.set(object('stranger'));
    await settle();
    expect(runs).toEqual(['parent']);
  });

  test('with a delay, a burst becomes one run', async () => {
    const {other, watches} = watching(1000);
    const {clock, controller, runs} = setUp(() => Promise.resolve(DONE), {watches});
    await controller.start();
    for (let index = 0; index < 50; index++) other.set(object(`child-${index}`, {of: 'parent'}));
    await clock.advanceAndSettle(999);
    expect(runs).toEqual([]);
    await clock.advanceAndSettle(5000);
    expect(runs).toEqual(['parent']);
  });

  test('a mapping that throws is logged and counted, and never reaches the informer', async () => {
    const other = new FakeInformer<KubeObject>();
    const broken = watchOf(other, () => {
      throw new Error('bad mapping');
    });
    const {controller, registry} = setUp(() => Promise.resolve(DONE), {watches: [broken]});
    await controller.start();
    expect(() => other.set(object('child'))).not.toThrow();
    expect(await valueOf(registry, 'controller_runtime_reconcile_panics_total', {controller: 'thing'})).toBe(1);
  });

  test('start waits for the first lists of what it must see, not for optional kinds', async () => {
    const must = new FakeInformer<KubeObject>({synced: false});
    const may = new FakeInformer<KubeObject>({synced: false});
    const {informer, controller, runs} = setUp(() => Promise.resolve(DONE), {
      watches: [watchOf(must, () => []), watchOf(may, () => [], {optional: true})],
    });
    informer.set(object('a'));
    const started = controller.start();
    await settle();
    expect([runs, controller.waitingFor]).toEqual([[], 'controller thing waits for its caches']);
    must.sync();
    await started;
    await settle();
    expect([runs, controller.waitingFor]).toEqual([['a'], undefined]);
  });
});

test('everything is looked at again after the resync period', async () => {
  const {clock, informer, controller, runs} = setUp(() => Promise.resolve(DONE), {resyncMs: 1000});
  informer.set(object('a'));
  await controller.start();
  await settle();
  await clock.advanceAndSettle(1000 + 50);
  expect(runs).toEqual(['a', 'a']);
  await clock.advanceAndSettle(1000 + 50);
  expect(runs).toEqual(['a', 'a', 'a']);
});

describe('drain', () => {
  test('waits for running work and takes no more', async () => {
    let open = (): void => undefined;
    const {informer, controller, runs} = setUp(
      async () => {
        await new Promise<void>((resolve) => (open = resolve));
        return DONE;
      },
      {workers: 1},
    );
    informer.set(object('a'));
    informer.set(object('b'));
    await controller.start();
    await settle();
    let drained = false;
    const draining = controller.drain().then(() => (drained = true));
    await settle();
    expect(drained).toBe(false);
    open();
    await draining;
    informer.set(object('c'));
    await settle();
    expect(runs).toEqual(['a']);
  });

  test('abort cuts it short', async () => {
    const {informer, controller} = setUp(
      (_key, {signal}) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    );
    informer.set(object('a'));
    await controller.start();
    await settle();
    const draining = controller.drain();
    controller.abort(new Error('time is up'));
    await draining;
    expect(controller.queue.active.size).toBe(0);
  });
});

test('all metrics of a controller exist at zero before its first run', async () => {
  const {registry} = setUp(() => Promise.resolve(DONE));
  const text = await registry.metrics();
  for (const line of [
    ...['success', 'error', 'requeue', 'requeue_after'].map(
      (result) => `controller_runtime_reconcile_total{controller="thing",result="${result}"} 0`,
    ),
    'controller_runtime_reconcile_errors_total{controller="thing"} 0',
    'controller_runtime_terminal_reconcile_errors_total{controller="thing"} 0',
    'controller_runtime_reconcile_panics_total{controller="thing"} 0',
    'controller_runtime_reconcile_timeouts_total{controller="thing"} 0',
    'controller_runtime_reconcile_time_seconds_count{controller="thing"} 0',
    'controller_runtime_max_concurrent_reconciles{controller="thing"} 8',
    'controller_runtime_active_workers{controller="thing"} 0',
    'workqueue_depth{name="thing"} 0',
    'workqueue_adds_total{name="thing"} 0',
    'workqueue_retries_total{name="thing"} 0',
    'workqueue_queue_duration_seconds_count{name="thing"} 0',
    'workqueue_work_duration_seconds_count{name="thing"} 0',
    'workqueue_unfinished_work_seconds{name="thing"} 0',
    'workqueue_longest_running_processor_seconds{name="thing"} 0',
  ]) {
    expect(text).toContain(line);
  }
});
