import {describe, expect, test} from '@jest/globals';
import {FakeClock, settle} from '../../../kube/testing/fake-clock.ts';
import {silentLogger} from '../../../kube/log.ts';
import {createKeyedQueue} from './keyed-queue.ts';
import type {KeyedQueue, KeyedQueueOptions} from './keyed-queue.ts';

function setUp(run: KeyedQueueOptions['run'], workers = 4): {queue: KeyedQueue; clock: FakeClock} {
  const clock = new FakeClock();
  return {clock, queue: createKeyedQueue({name: 'q', workers, clock, log: silentLogger, run})};
}

/** A run that ends when it is told to. */
function gate(): {run: KeyedQueueOptions['run']; started: string[]; open: () => Promise<void>} {
  const started: string[] = [];
  const waiting: (() => void)[] = [];
  return {
    started,
    run: async (key) => {
      started.push(key);
      await new Promise<void>((resolve) => waiting.push(resolve));
    },
    open: async () => {
      waiting.shift()?.();
      await settle();
    },
  };
}

describe('keyed queue', () => {
  test('one worker per key: what is added meanwhile runs exactly once more afterwards', async () => {
    const {run, started, open} = gate();
    const {queue} = setUp(run);
    queue.add('a');
    await settle();
    queue.add('a');
    queue.add('a');
    await settle();
    expect(started).toEqual(['a']);
    await open();
    expect(started).toEqual(['a', 'a']);
    await open();
    expect(started).toEqual(['a', 'a']);
  });

  test('other keys run beside it, up to the number of workers', async () => {
    const {run, started, open} = gate();
    const {queue} = setUp(run, 2);
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await settle();
    expect(started).toEqual(['a', 'b']);
    expect(queue.depth).toBe(3);
    await open();
    expect(started).toEqual(['a', 'b', 'c']);
  });

  test('a failing key backs off 50, 100, 200 ms and starts anew after a success', async () => {
    let failing = true;
    const at: number[] = [];
    const {queue, clock} = setUp(() => {
      at.push(clock.monotonicMs());
      return failing ? Promise.reject(new Error('no')) : Promise.resolve();
    });
    queue.add('a');
    await clock.advanceAndSettle(350);
    expect(at).toEqual([0, 50, 150, 350]);
    failing = false;
    await clock.advanceAndSettle(400);
    expect(at).toEqual([0, 50, 150, 350, 750]);
    failing = true;
    queue.add('a');
    await clock.advanceAndSettle(50);
    expect(at.slice(5)).toEqual([750, 800]);
  });

  test('the back-off ends at 10 s', async () => {
    const at: number[] = [];
    const {queue, clock} = setUp(() => {
      at.push(clock.monotonicMs());
      return Promise.reject(new Error('no'));
    });
    queue.add('a');
    await clock.advanceAndSettle(60_000);
    expect((at.at(-1) ?? 0) - (at.at(-2) ?? 0)).toBe(10_000);
  });

  test('of several delayed adds the earliest counts', async () => {
    const at: number[] = [];
    const {queue, clock} = setUp(() => {
      at.push(clock.monotonicMs());
      return Promise.resolve();
    });
    queue.addAfter('a', 100);
    queue.addAfter('a', 20);
    queue.addAfter('a', 50);
    await clock.advanceAndSettle(200);
    expect(at).toEqual([20]);
  });

  test('a run may ask to be run again', async () => {
    const at: number[] = [];
    const {queue, clock} = setUp(() => {
      at.push(clock.monotonicMs());
      return Promise.resolve(at.length < 3 ? {againInMs: 10} : undefined);
    });
    queue.add('a');
    await clock.advanceAndSettle(100);
    expect(at).toEqual([0, 10, 20]);
  });

  test('stop aborts what runs, waits for it and forgets the rest', async () => {
    const ran: string[] = [];
    const {queue, clock} = setUp(async (key, signal) => {
      ran.push(key);
      await clock.sleep(1_000_000, signal);
    }, 1);
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 10);
    await settle();
    await queue.stop();
    queue.add('d');
    await clock.advanceAndSettle(100);
    expect(ran).toEqual(['a']);
    expect(clock.pending).toBe(0);
  });
});
