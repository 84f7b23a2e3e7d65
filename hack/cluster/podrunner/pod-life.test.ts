/** A pod's life with processes that a test ends, on a clock that stands still. */
import {describe, expect, test} from '@jest/globals';
import {silentLogger} from '../../../kube/log.ts';
import {FakeClock} from '../../../kube/testing/fake-clock.ts';
import {NotYet} from './not-yet.ts';
import {livePod} from './pod-life.ts';
import type {Ending} from './pod-life.ts';
import type {ContainerProcesses, ProcessEnd, ProcessRecord} from './process.ts';
import type {PodRecord} from './record.ts';
import type {StatusFacts} from './status.ts';
import {podOf} from './testing/pods.ts';

const T0 = '2026-01-01T00:00:00Z';
const keeper = {pid: 1, startTime: 's'};
const record: PodRecord = {uid: 'u1', namespace: 'ns', name: 'p', address: '10.1.1.1', since: T0, restarts: 0};
const adopted: ProcessRecord = {keeper, startedAt: T0, logBytes: 0};

/** One pod under test. */
class Scene {
  readonly clock = new FakeClock();
  readonly told: string[] = [];
  readonly saved: PodRecord[] = [];
  readonly ending = new AbortController();
  readonly stopping = new AbortController();
  readonly life: Promise<string>;
  starts = 0;
  stoppedWithin: number | undefined;
  #ended: ((end: ProcessEnd) => void) | undefined;

  constructor(
    options: {
      restartPolicy?: string;
      record?: Partial<PodRecord>;
      known?: ProcessEnd;
      prepare?: (looks: number) => void;
    } = {},
  ) {
    let looks = 0;
    const pod = podOf({}, {spec: {restartPolicy: options.restartPolicy ?? 'OnFailure'}});
    const processes: ContainerProcesses = {
      start: async (_sandbox, startedAt, saved) => {
        this.starts++;
        saved({keeper, startedAt, logBytes: 0});
      },
      end: () => options.known,
      untilEnd: (_record, signal) =>
        new Promise((resolve, reject) => {
          this.#ended = resolve;
          signal.addEventListener('abort', () => reject(signal.reason as Error), {once: true});
        }),
      stop: async (_record, graceMs) => {
        this.stoppedWithin = graceMs;
        return {exitCode: 143, atMs: this.clock.now()};
      },
      lastWords: (_record, {lost, exitCode}) => lost ?? `code ${exitCode}`,
    };
    this.life = livePod(
      {...record, ...options.record},
      {
        clock: this.clock,
        log: silentLogger,
        processes,
        hostAddress: '10.0.0.1',
        ending: this.ending.signal,
        stopping: this.stopping.signal,
        current: () => pod,
        prepare: async () => {
          options.prepare?.(++looks);
          return {options: [], command: ['x']};
        },
        write: async (facts) => void this.told.push(textOf(facts)),
        save: (next) => void this.saved.push(next),
      },
    );
    this.life.catch(() => undefined); // each test looks itself
  }

  /** Lets promises run until nothing more happens. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  }

  async end(exitCode: number): Promise<void> {
    await this.settle();
    this.#ended?.({exitCode, atMs: this.clock.now()});
    await this.settle();
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advanceAndSettle(ms);
    await this.settle();
  }
}

function textOf({phase, state, ready, restarts, last, reason}: Omit<StatusFacts, 'nowMs'>): string {
  const what =
    'running' in state
      ? `running${ready ? ' ready' : ''}`
      : 'waiting' in state
        ? `${state.waiting.reason}: ${state.waiting.message}`
        : `${state.terminated.reason}: ${state.terminated.message}`;
  return [
    phase,
    what,
    `restarts ${restarts}`,
    ...(last === undefined ? [] : [`last ${last.exitCode}`]),
    ...(reason === undefined ? [] : [reason]),
  ].join(', ');
}

test('a pod that does its work', async () => {
  const scene = new Scene();
  await scene.end(0);
  expect(await scene.life).toBe('over');
  expect(scene.told).toEqual(['Running, running ready, restarts 0', 'Succeeded, Completed: code 0, restarts 0']);
});

test('one that fails and may not try again', async () => {
  const scene = new Scene({restartPolicy: 'Never'});
  await scene.end(3);
  expect(await scene.life).toBe('over');
  expect(scene.told.at(-1)).toBe('Failed, Error: code 3, restarts 0');
});

test('one that fails is started again after its back-off; how it ended is told first, then that it waits', async () => {
  const scene = new Scene();
  await scene.end(1);
  expect(scene.told.slice(1)).toEqual([
    'Running, Error: code 1, restarts 0',
    'Running, CrashLoopBackOff: back-off 1s restarting failed container=c, restarts 1, last 1',
  ]);
  await scene.pass(999);
  expect(scene.starts).toBe(1);
  await scene.pass(1);
  expect(scene.starts).toBe(2);
  expect(scene.told.at(-1)).toBe('Running, running ready, restarts 1, last 1');
  await scene.end(1);
  expect(scene.told.at(-1)).toContain('back-off 2s');
  await scene.pass(2_000);
  await scene.end(0);
  expect(await scene.life).toBe('over');
  expect(scene.told.at(-1)).toBe('Succeeded, Completed: code 0, restarts 2, last 1');
});

test('a long run makes the back-off begin anew', async () => {
  const scene = new Scene({record: {restarts: 8}});
  await scene.settle();
  await scene.pass(600_000);
  await scene.end(1);
  expect(scene.told.at(-1)).toContain('back-off 1s');
});

test('what is missing is waited for, and said when it takes longer', async () => {
  const scene = new Scene({
    prepare: (looks) => {
      if (looks <= 7) throw new NotYet('ContainerCreating', 'no claim');
    },
  });
  await scene.pass(10_000);
  expect(scene.told).toEqual(['Pending, ContainerCreating: no claim, restarts 0', 'Running, running ready, restarts 0']);
});

test('what cannot be had is said, and looked for again', async () => {
  const scene = new Scene({
    prepare: () => {
      throw new Error('no such volume');
    },
  });
  await scene.pass(10_000);
  expect(scene.told[0]).toBe('Pending, CreateContainerError: no such volume, restarts 0');
  expect(scene.starts).toBe(0);
});

describe('after a restart of the runner', () => {
  test('a process that runs is gone on with', async () => {
    const scene = new Scene({record: {process: adopted, restarts: 2}});
    await scene.end(0);
    expect(await scene.life).toBe('over');
    expect(scene.starts).toBe(0);
    expect(scene.told.at(-1)).toBe('Succeeded, Completed: code 0, restarts 2');
  });

  test('the end of one that ended meanwhile is told as it was', async () => {
    const scene = new Scene({record: {process: adopted}, known: {exitCode: 0, atMs: Date.parse(T0)}});
    expect(await scene.life).toBe('over');
    expect(scene.told).toEqual(['Succeeded, Completed: code 0, restarts 0']);
  });

  test('one that is lost is said to be lost, and is tried again', async () => {
    const scene = new Scene({record: {process: adopted}, known: {exitCode: 137, atMs: Date.parse(T0), lost: 'killed from outside'}});
    await scene.settle();
    expect(scene.told[0]).toBe('Running, ContainerStatusUnknown: killed from outside, restarts 0');
    expect(scene.told[1]).toContain('CrashLoopBackOff');
  });
});

describe('cut short', () => {
  const cut = async (kind: Ending['kind'], scene = new Scene()): Promise<Scene> => {
    await scene.settle();
    scene.ending.abort({kind, graceMs: 5_000} satisfies Ending);
    expect(await scene.life).toBe(kind);
    return scene;
  };

  test('a deleted pod has its grace, and is forgotten to run', async () => {
    const scene = await cut('deleted');
    expect(scene.stoppedWithin).toBe(5_000);
    expect(scene.told.at(-1)).toBe('Failed, Error: code 143, restarts 0');
    expect(scene.saved.at(-1)).not.toHaveProperty('process');
  });

  test('one past its deadline has failed', async () => {
    expect((await cut('deadline')).told.at(-1)).toBe('Failed, Error: code 143, restarts 0, DeadlineExceeded');
  });

  test('one that is gone is ended without a word', async () => {
    const scene = await cut('gone');
    expect([scene.stoppedWithin, scene.told]).toEqual([5_000, ['Running, running ready, restarts 0']]);
  });

  test('one whose host has lost its power is ended without a word', async () => {
    expect((await cut('off')).told).toEqual(['Running, running ready, restarts 0']);
  });

  test('one that waits to be started again is not started any more', async () => {
    const scene = new Scene();
    await scene.end(1);
    await cut('deleted', scene);
    expect([scene.stoppedWithin, scene.starts]).toEqual([undefined, 1]);
  });

  test('when the runner stops, its process is left alone', async () => {
    const scene = new Scene();
    await scene.settle();
    scene.stopping.abort(new Error('stopping'));
    await expect(scene.life).rejects.toThrow('stopping');
    expect(scene.stoppedWithin).toBeUndefined();
    expect(scene.saved.at(-1)).toHaveProperty('process');
  });
});
