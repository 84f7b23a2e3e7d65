import {describe, expect, test} from '@jest/globals';
import fc from 'fast-check';
import {FakeClock} from '../../kube/testing/fake-clock.ts';
import {createRateLimiter} from './rate-limiter.ts';
import {createWorkQueue} from './work-queue.ts';
import type {WorkQueue} from './work-queue.ts';

function setUp(): {clock: FakeClock; queue: WorkQueue; seen: Record<string, number>} {
  const clock = new FakeClock();
  const seen: Record<string, number> = {added: 0, retried: 0, waited: 0, worked: 0};
  const queue = createWorkQueue({
    clock,
    limiter: createRateLimiter({clock, random: () => 0.5}),
    metrics: {
      added: () => (seen['added'] = (seen['added'] ?? 0) + 1),
      retried: () => (seen['retried'] = (seen['retried'] ?? 0) + 1),
      taken: (ms) => (seen['waited'] = ms),
      finished: (ms) => (seen['worked'] = ms),
    },
  });
  return {clock, queue, seen};
}

/** The keys that are ready now, in order; gives them back. */
async function drain(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.depth > 0) {
    const key = await queue.get();
    if (key === undefined) break;
    keys.push(key);
    queue.done(key);
  }
  return keys;
}

test('a key added twice is handed out once', async () => {
  const {queue, seen} = setUp();
  queue.add('a');
  queue.add('a');
  queue.add('b');
  expect(await drain(queue)).toEqual(['a', 'b']);
  expect(seen['added']).toBe(2);
});

test('a key added while it is worked on comes once more, after done', async () => {
  const {queue} = setUp();
  queue.add('a');
  const key = await queue.get();
  queue.add('a');
  queue.add('a');
  expect(queue.depth).toBe(0);
  queue.done(key ?? '');
  expect(await drain(queue)).toEqual(['a']);
});

test('a waiting worker gets the key at once', async () => {
  const {queue} = setUp();
  const worker = queue.get();
  queue.add('a');
  expect(await worker).toBe('a');
});

describe('priorities', () => {
  test('a change overtakes the start-up list', async () => {
    const {queue} = setUp();
    queue.add('listed-1', 'low');
    queue.add('listed-2', 'low');
    queue.add('changed', 'high');
    expect(await drain(queue)).toEqual(['changed', 'listed-1', 'listed-2']);
  });

  test('a change promotes a key that waits at low priority, and not the other way round', async () => {
    const {queue} = setUp();
    queue.add('a', 'low');
    queue.add('b', 'low');
    queue.add('b', 'high');
    queue.add('b', 'low');
    expect(await drain(queue)).toEqual(['b', 'a']);
  });

  test('a high add during work is not lowered by a low one', async () => {
    const {queue} = setUp();
    queue.add('a');
    await queue.get();
    queue.add('a', 'high');
    queue.add('a', 'low');
    queue.add('listed', 'low');
    queue.done('a');
    expect(await drain(queue)).toEqual(['a', 'listed']);
  });
});

describe('delays', () => {
  test('of several delays for a key the earliest stands', async () => {
    const {clock, queue} = setUp();
    queue.addAfter('a', 1000);
    queue.addAfter('a', 200);
    queue.addAfter('a', 500);
    clock.advance(199);
    expect(queue.depth).toBe(0);
    clock.advance(1);
    expect(await drain(queue)).toEqual(['a']);
    clock.advance(10_000);
    expect(queue.depth).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test('a failing key waits longer each time; forget starts over', () => {
    const {queue, seen} = setUp();
    expect([queue.addRateLimited('a'), queue.addRateLimited('a'), queue.addRateLimited('b')]).toEqual([5, 10, 5]);
    queue.forget('a');
    expect(queue.addRateLimited('a')).toBe(5);
    expect(seen['retried']).toBe(4);
  });
});

describe('close', () => {
  test('frees waiting workers and drops what waits, timers included', async () => {
    const {clock, queue} = setUp();
    const worker = queue.get();
    queue.addAfter('later', 1000);
    queue.close();
    expect(await worker).toBeUndefined();
    expect(await queue.get()).toBeUndefined();
    queue.add('a');
    expect([queue.depth, clock.pending]).toEqual([0, 0]);
  });

  test('a key that is worked on can be given back and does not come again', async () => {
    const {queue} = setUp();
    queue.add('a');
    await queue.get();
    queue.add('a');
    queue.close();
    queue.done('a');
    expect([queue.depth, queue.active.size]).toEqual([0, 0]);
  });
});

test('waiting and working times are reported', async () => {
  const {clock, queue, seen} = setUp();
  queue.add('a');
  clock.advance(30);
  await queue.get();
  expect(seen['waited']).toBe(30);
  clock.advance(70);
  queue.done('a');
  expect(seen['worked']).toBe(70);
});

test('whatever the order of calls: a key is worked on once at a time, and every add is followed by a later take', async () => {
  const operation = fc.oneof(
    fc.record({kind: fc.constant('add' as const), key: fc.integer({min: 0, max: 4}), low: fc.boolean()}),
    fc.record({kind: fc.constant('take' as const)}),
    fc.record({kind: fc.constant('done' as const), key: fc.integer({min: 0, max: 4})}),
    fc.record({kind: fc.constant('after' as const), key: fc.integer({min: 0, max: 4}), ms: fc.integer({min: 0, max: 50})}),
    fc.record({kind: fc.constant('time' as const), ms: fc.integer({min: 0, max: 60})}),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(operation, {maxLength: 60}), async (operations) => {
      const {clock, queue} = setUp();
      const working = new Set<string>();
      const owed = new Set<string>(); // added since it was last taken
      const take = async (): Promise<void> => {
        if (queue.depth === 0) return;
        const key = (await queue.get()) ?? '';
        if (working.has(key)) throw new Error(`${key} is worked on twice at once`);
        working.add(key);
        owed.delete(key);
      };
      for (const step of operations) {
        if (step.kind === 'add') queue.add(`k${step.key}`, step.low ? 'low' : 'high');
        if (step.kind === 'after') queue.addAfter(`k${step.key}`, step.ms);
        if (step.kind === 'add' || step.kind === 'after') owed.add(`k${step.key}`);
        if (step.kind === 'time') clock.advance(step.ms);
        if (step.kind === 'take') await take();
        if (step.kind === 'done' && working.delete(`k${step.key}`)) queue.done(`k${step.key}`);
      }
      clock.advance(100);
      while (queue.depth > 0 || working.size > 0) {
        await take();
        for (const key of working) queue.done(key);
        working.clear();
      }
      expect([...owed]).toEqual([]);
    }),
    {numRuns: 200},
  );
});
