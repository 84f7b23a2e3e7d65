import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {isForbidden} from './errors.ts';
import {createSequence, SequenceError} from './ids.ts';
import type {Sequence, SequenceOptions} from './ids.ts';
import {startFakeApiServer} from './testing/fake-api-server.ts';
import type {FakeApiServer} from './testing/fake-api-server.ts';
import {FakeClock} from './testing/fake-clock.ts';
import {until} from './testing/until.ts';
import {CONFIG_MAP} from './types.ts';

let server: FakeApiServer;
let clock: FakeClock;
beforeEach(async () => {
  server = await startFakeApiServer();
  clock = new FakeClock();
});
afterEach(() => server.close());

const counter = {namespace: 'n', name: 'ids'};
const sequence = (options: Partial<SequenceOptions> = {}): Sequence =>
  createSequence({client: server.client({retry: {baseMs: 1}}), ...counter, clock, random: () => 0.5, ...options});
/** Lets sleeps pass at once until the promise settles. */
async function hurried<T>(promise: Promise<T>): Promise<T> {
  let done = false;
  const settled = promise.finally(() => {
    done = true;
  });
  settled.catch(() => undefined);
  await until('the ids', () => {
    if (!done && clock.nextMs !== undefined && clock.nextMs < 1000) clock.advance(clock.nextMs);
    return done;
  });
  return settled;
}
const take = async (from: Sequence, count: number): Promise<number[]> => {
  const ids: number[] = [];
  for (let i = 0; i < count; i++) ids.push(await from.next());
  return ids;
};
const stored = (): string | undefined => server.object(CONFIG_MAP, counter)?.data?.['next'];

describe('a sequence', () => {
  test('begins at 1, is kept in a ConfigMap, and goes on after a restart', async () => {
    expect(await take(sequence(), 3)).toEqual([1, 2, 3]);
    expect(stored()).toBe('4');
    expect(await take(sequence(), 2)).toEqual([4, 5]);
  });

  test('takes blocks: one write for many, the rest of a block becomes a gap', async () => {
    const first = sequence({blockSize: 10});
    expect(await take(first, 7)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(server.writes).toBe(1);
    expect(await take(sequence({blockSize: 10}), 1)).toEqual([11]);
    expect(await take(first, 4)).toEqual([8, 9, 10, 21]);
  });

  test('many at once share one reservation', async () => {
    const one = sequence({blockSize: 50});
    const ids = await Promise.all(Array.from({length: 50}, () => one.next()));
    expect([new Set(ids).size, server.writes]).toEqual([50, 1]);
  });

  test('several processes never give out a number twice', async () => {
    const processes = [sequence({blockSize: 3}), sequence({blockSize: 5}), sequence()];
    const ids = await hurried(Promise.all(processes.flatMap((each) => Array.from({length: 20}, () => each.next()))));
    expect(new Set(ids).size).toBe(60);
  });

  test('a write whose answer was lost costs a gap, not a repetition', async () => {
    await take(sequence(), 1);
    server.faults.reset({afterEffect: true, match: ({method}) => method === 'PUT'});
    expect(await hurried(sequence({blockSize: 4}).next())).toBe(6); // 2-5 went with the lost answer
  });

  test('a create whose answer was lost is an error; the next try goes on behind it', async () => {
    server.faults.reset({afterEffect: true, match: ({method}) => method === 'POST'});
    const one = sequence({blockSize: 4});
    await expect(one.next()).rejects.toMatchObject({reason: 'ConnectionError'});
    expect(await one.next()).toBe(5);
  });

  test('a counter that is lost does not begin below what is in use', async () => {
    let highest = 41;
    const guarded = sequence({floor: () => highest + 1});
    expect(await guarded.next()).toBe(42);
    highest = 10;
    expect(await guarded.next()).toBe(43);
  });

  test.each(['', '0', '-1', '1.5', 'x', '99999999999999999999'])('a counter that says %j is not guessed at', async (next) => {
    server.put(CONFIG_MAP, {apiVersion: 'v1', kind: 'ConfigMap', metadata: counter, data: {next}});
    await expect(sequence().next()).rejects.toThrow(SequenceError);
    expect(server.writes).toBe(0);
  });

  test('other data of the ConfigMap stays', async () => {
    server.put(CONFIG_MAP, {apiVersion: 'v1', kind: 'ConfigMap', metadata: counter, data: {next: '8', note: 'keep'}});
    await sequence().next();
    expect(server.object(CONFIG_MAP, counter)?.data).toEqual({next: '9', note: 'keep'});
  });

  test('a caller that gives up takes nothing from the others', async () => {
    server.faults.slow({ms: 5});
    const one = sequence({blockSize: 2});
    const abort = new AbortController();
    const reason = new Error('gave up');
    const given = one.next(abort.signal);
    const kept = one.next();
    abort.abort(reason);
    await expect(given).rejects.toBe(reason);
    expect(await kept).toBe(1);
    await expect(one.next(abort.signal)).rejects.toBe(reason);
    expect(await one.next()).toBe(2);
  });

  test('errors reach all who wait, and the next try is fresh', async () => {
    server.faults.status(403, 'Forbidden');
    const one = sequence();
    const [a, b] = await Promise.allSettled([one.next(), one.next()]);
    for (const each of [a, b]) expect(each?.status === 'rejected' && isForbidden(each.reason)).toBe(true);
    expect(await one.next()).toBe(1);
  });

  test('does not wait for ever', async () => {
    server.faults.halfOpen({times: Infinity});
    const waiting = sequence().next();
    waiting.catch(() => undefined);
    await until('the request', () => server.requests.length === 1);
    clock.advance(30_000);
    await expect(waiting).rejects.toThrow('no block within 30000 ms');
  });

  test('a block has a size', () => {
    expect(() => sequence({blockSize: 0})).toThrow(RangeError);
  });
});
