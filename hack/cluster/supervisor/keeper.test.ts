import {describe, expect, test} from '@jest/globals';
import {FakeClock} from '../../../kube/testing/fake-clock.ts';
import {ProcessKeeper, type Exit, type ProcessState} from './keeper.ts';
import type {ProcessSpec} from './process-spec.ts';

class FakeChild {
  readonly identity: {pid: number; startTime: string};
  readonly signals: string[] = [];
  readonly ended: Promise<Exit>;
  readonly name: string;
  end: (exit: Exit) => void = () => {};
  obeys = true;

  constructor(name: string, pid: number) {
    this.name = name;
    this.identity = {pid, startTime: `t${pid}`};
    this.ended = new Promise((resolve) => (this.end = resolve));
  }

  signal(signal: string): void {
    this.signals.push(signal);
    if (this.obeys || signal === 'SIGKILL') this.end({signal});
  }
}

function setUp() {
  const clock = new FakeClock();
  const children: FakeChild[] = [];
  const seen: Record<string, ProcessState>[] = [];
  const keeper = new ProcessKeeper({
    start: (spec) => {
      const child = new FakeChild(spec.name, 100 + children.length);
      children.push(child);
      return child;
    },
    clock,
    log: () => {},
    onChange: (states) => seen.push(states),
  });
  const of = (name: string): FakeChild[] => children.filter((child) => child.name === name);
  return {clock, keeper, children, of, seen};
}

const spec = (name: string, stage = 1, more: Partial<ProcessSpec> = {}): ProcessSpec => ({
  name,
  command: `/bin/${name}`,
  args: [],
  env: {},
  stage,
  ...more,
});

test('processes start in the order of their stages and are on record at once', () => {
  const {keeper, children, seen} = setUp();
  keeper.reconcile([spec('b', 2), spec('a', 1)]);
  expect(children.map((child) => child.name)).toEqual(['a', 'b']);
  expect(seen[0]?.['a']).toMatchObject({status: 'running', pid: 100, startTime: 't100', restarts: 0});
});

test('an unchanged set changes nothing', () => {
  const {keeper, children} = setUp();
  keeper.reconcile([spec('a')]);
  keeper.reconcile([spec('a')]);
  expect(children).toHaveLength(1);
});

describe('a process that ends', () => {
  test('is started again after a pause that grows while it keeps failing', async () => {
    const {clock, keeper, of} = setUp();
    keeper.reconcile([spec('a')]);
    const pauses: number[] = [];
    for (let failure = 1; failure <= 7; failure++) {
      of('a').at(-1)?.end({code: 1});
      await clock.advanceAndSettle(0);
      pauses.push(clock.nextMs as number);
      await clock.advanceAndSettle(clock.nextMs as number);
      expect(of('a')).toHaveLength(failure + 1);
    }
    expect(pauses).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
    expect(keeper.states()['a']).toMatchObject({status: 'running', restarts: 7, lastExit: {code: 1}});
  });

  test('counts as healthy again after 10 s', async () => {
    const {clock, keeper, of} = setUp();
    keeper.reconcile([spec('a')]);
    for (let failure = 0; failure < 3; failure++) {
      of('a').at(-1)?.end({code: 1});
      await clock.advanceAndSettle(5_000);
    }
    await clock.advanceAndSettle(10_000);
    of('a').at(-1)?.end({signal: 'SIGKILL'});
    await clock.advanceAndSettle(0);
    expect(clock.nextMs).toBe(250);
  });

  test('has no pid while it waits', async () => {
    const {clock, keeper, of} = setUp();
    keeper.reconcile([spec('a')]);
    of('a')[0]?.end({signal: 'SIGKILL'});
    await clock.advanceAndSettle(0);
    expect(keeper.states()['a']).toEqual(
      expect.objectContaining({status: 'waiting', lastExit: expect.objectContaining({signal: 'SIGKILL'})}),
    );
    expect(keeper.states()['a']).not.toHaveProperty('pid');
  });
});

test('a changed spec restarts only its process; a missing one stops', async () => {
  const {clock, keeper, of} = setUp();
  keeper.reconcile([spec('a'), spec('b'), spec('c')]);
  keeper.reconcile([spec('a', 1, {revision: 'new'}), spec('b')]);
  await clock.advanceAndSettle(0);
  expect(of('a')).toHaveLength(2);
  expect(of('b')).toHaveLength(1);
  expect(of('c')[0]?.signals).toEqual(['SIGTERM']);
  expect(Object.keys(keeper.states())).toEqual(['a', 'b']);
});

test('a process that is wanted again while it stops is started when it has stopped', async () => {
  const {clock, keeper, of} = setUp();
  keeper.reconcile([spec('a')]);
  const [first] = of('a') as [FakeChild];
  first.obeys = false;
  keeper.reconcile([]);
  keeper.reconcile([spec('a')]);
  expect(of('a')).toHaveLength(1);
  first.end({code: 0});
  await clock.advanceAndSettle(0);
  expect(of('a')).toHaveLength(2);
});

describe('stopping everything', () => {
  test('goes from the highest stage down, each after the one above has ended, and starts nothing again', async () => {
    const {clock, keeper, of} = setUp();
    keeper.reconcile([spec('etcd', 0), spec('api', 1), spec('operator', 6)]);
    for (const name of ['etcd', 'api', 'operator']) (of(name)[0] as FakeChild).obeys = false;
    const stopped = keeper.stopAll();
    for (const [name, next] of [
      ['operator', 'api'],
      ['api', 'etcd'],
    ] as const) {
      expect(of(name)[0]?.signals).toEqual(['SIGTERM']);
      expect(of(next)[0]?.signals).toEqual([]);
      of(name)[0]?.end({code: 0});
      await clock.advanceAndSettle(0);
    }
    of('etcd')[0]?.end({code: 0});
    await stopped;
    await clock.advanceAndSettle(60_000);
    expect(of('operator')).toHaveLength(1);
    expect(keeper.states()['etcd']?.status).toBe('stopped');
  });

  test('kills what does not stop in time', async () => {
    const {clock, keeper, of} = setUp();
    keeper.reconcile([spec('a', 1, {stopTimeoutMs: 1_000})]);
    (of('a')[0] as FakeChild).obeys = false;
    const stopped = keeper.stopAll();
    await clock.advanceAndSettle(999);
    expect(of('a')[0]?.signals).toEqual(['SIGTERM']);
    await clock.advanceAndSettle(1);
    await stopped;
    expect(of('a')[0]?.signals).toEqual(['SIGTERM', 'SIGKILL']);
  });

  test('cancels the restart of one that waits for it', async () => {
    const {clock, keeper, of} = setUp();
    keeper.reconcile([spec('a')]);
    of('a')[0]?.end({code: 1});
    await clock.advanceAndSettle(0);
    await keeper.stopAll();
    await clock.advanceAndSettle(60_000);
    expect(of('a')).toHaveLength(1);
  });
});
