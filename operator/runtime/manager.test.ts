import {describe, expect, test} from '@jest/globals';
import {Registry} from 'prom-client';
import {silentLogger} from '../../kube/log.ts';
import type {KubeObject} from '../../kube/objects.ts';
import {FakeClock, settle} from '../../kube/testing/fake-clock.ts';
import {FakeInformer} from '../testing/fake-informer.ts';
import {createManager} from './manager.ts';
import type {Election, Manager} from './manager.ts';
import {createRuntimeMetrics} from './metrics.ts';
import type {KindName, ServedKinds} from './served-kinds.ts';
import {DONE} from './types.ts';
import type {ReconcileContext, Result} from './types.ts';

const THINGS: KindName = {group: 'example.org', version: 'v1', plural: 'things'};

/** Kinds that a test serves by hand. */
function fakeKinds(): ServedKinds & {serve(): void} {
  const waiting: (() => void)[] = [];
  let served = false;
  return {
    expect: (_type, onServed) => (served ? onServed() : void waiting.push(onServed)),
    served: () => served,
    missing: [],
    looked: Promise.resolve(),
    run: () => new Promise(() => undefined),
    serve() {
      served = true;
      for (const callback of waiting.splice(0)) callback();
    },
  };
}

/** An election that a test decides. Like the real one, it aborts the leading signal before it rejects. */
function fakeElection() {
  const leading = new AbortController();
  const ended = Promise.withResolvers<void>();
  const log: string[] = [];
  let start = (_signal: AbortSignal): void => undefined;
  const election: Election = (onStarted, signal) => {
    start = onStarted;
    signal.addEventListener('abort', () => {
      log.push('released');
      leading.abort(signal.reason);
      ended.resolve();
    });
    return ended.promise;
  };
  return {
    election,
    log,
    win: () => start(leading.signal),
    lose() {
      leading.abort(new Error('could not renew'));
      ended.reject(new Error('could not renew'));
    },
  };
}

function setUp(reconcile: (key: string, context: ReconcileContext) => Promise<Result> = () => Promise.resolve(DONE)) {
  const clock = new FakeClock();
  const kinds = fakeKinds();
  const vote = fakeElection();
  const informer = new FakeInformer<KubeObject>();
  const manager: Manager = createManager({
    clock,
    log: silentLogger,
    metrics: createRuntimeMetrics(new Registry()),
    kinds,
    election: vote.election,
    graceMs: 25_000,
    abortGraceMs: 2000,
  });
  const runs: string[] = [];
  manager.addInformer({type: THINGS, informer});
  manager.addController({
    name: 'thing',
    primary: informer,
    reconcile(key, context) {
      runs.push(key);
      return reconcile(key, context);
    },
  });
  informer.set({apiVersion: 'v1', kind: 'Thing', metadata: {name: 'a'}});
  return {clock, kinds, vote, informer, manager, runs};
}

const untilAborted = (_key: string, {signal}: ReconcileContext): Promise<Result> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

test('a standby fills its caches and runs no controller; on taking over it does', async () => {
  const {kinds, vote, informer, manager, runs} = setUp();
  manager.start();
  kinds.serve();
  await settle();
  expect([informer.started, runs, manager.leading]).toEqual([1, [], false]);
  vote.win();
  await settle();
  expect([runs, manager.leading]).toEqual([['a'], true]);
});

test('is busy while a controller has work, and not before or after', async () => {
  const work = Promise.withResolvers<Result>();
  const {kinds, vote, manager} = setUp(() => work.promise);
  manager.start();
  kinds.serve();
  await settle();
  expect(manager.busy).toBe(false);
  vote.win();
  await settle();
  expect(manager.busy).toBe(true);
  work.resolve(DONE);
  await settle();
  expect(manager.busy).toBe(false);
});

describe('readiness', () => {
  test('names what is missing, and a standby with filled caches is ready', async () => {
    const {kinds, informer, manager} = setUp();
    expect(manager.unready()).toEqual(['the program has not started yet']);
    informer.hasSynced = false;
    manager.start();
    expect(manager.unready()).toEqual(['the cluster does not serve things.example.org: is its CRD installed?']);
    kinds.serve();
    expect(manager.unready()).toEqual(['the first list of things.example.org has not arrived yet']);
    informer.sync();
    expect(manager.unready()).toEqual([]);
    await manager.shutdown();
    expect(manager.unready()).toEqual(['the program is shutting down']);
  });

  test('does not ask for optional kinds', () => {
    const {kinds, manager} = setUp();
    manager.addInformer({type: {...THINGS, plural: 'extras'}, informer: new FakeInformer<KubeObject>({synced: false}), optional: true});
    manager.start();
    kinds.serve();
    expect(manager.unready()).toEqual([]);
  });
});

test('a controller whose kind is not served does not hold up the others', async () => {
  const {vote, manager, runs} = setUp();
  manager.addController({name: 'other', primary: new FakeInformer<KubeObject>({synced: false}), reconcile: () => Promise.resolve(DONE)});
  manager.start();
  vote.win();
  await settle();
  expect(runs).toEqual(['a']);
});

describe('losing leadership', () => {
  test('aborts what runs and rejects', async () => {
    let aborted = false;
    const {vote, manager} = setUp((key, context) => {
      context.signal.addEventListener('abort', () => (aborted = true));
      return untilAborted(key, context);
    });
    manager.start();
    vote.win();
    await settle();
    vote.lose();
    await expect(manager.finished).rejects.toThrow('could not renew');
    expect([aborted, manager.leading]).toEqual([true, false]);
  });
});

describe('shutdown', () => {
  test('lets running work end, then gives leadership back', async () => {
    const order: string[] = [];
    let open = (): void => undefined;
    const {vote, manager} = setUp(async () => {
      await new Promise<void>((resolve) => (open = resolve));
      order.push('work ended');
      return DONE;
    });
    manager.start();
    vote.win();
    await settle();
    const stopping = manager.shutdown();
    await settle();
    expect(vote.log).toEqual([]);
    open();
    await stopping;
    expect([...order, ...vote.log]).toEqual(['work ended', 'released']);
    await manager.finished;
  });

  test('aborts work that does not end within the grace period', async () => {
    const {clock, vote, manager} = setUp(untilAborted);
    manager.start();
    vote.win();
    await settle();
    let done = false;
    const stopping = manager.shutdown().then(() => (done = true));
    await clock.advanceAndSettle(24_999);
    expect(done).toBe(false);
    await clock.advanceAndSettle(1);
    await stopping;
  });

  test('abandons work that ignores its signal', async () => {
    const {clock, vote, manager} = setUp(() => new Promise(() => undefined));
    manager.start();
    vote.win();
    await settle();
    let done = false;
    void manager.shutdown().then(() => (done = true));
    await clock.advanceAndSettle(26_999);
    expect(done).toBe(false);
    await clock.advanceAndSettle(1);
    expect([done, vote.log]).toEqual([true, ['released']]);
  });

  test('before leading, and twice, is fine', async () => {
    const {manager, runs} = setUp();
    manager.start();
    expect(manager.shutdown()).toBe(manager.shutdown());
    await manager.shutdown();
    await manager.finished;
    expect(runs).toEqual([]);
  });
});
