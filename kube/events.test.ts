import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {createEventRecorder, LONGEST_YIELD_MS} from './events.ts';
import type {EventInput, EventRecorder} from './events.ts';
import {silentLogger} from './log.ts';
import type {Logger} from './log.ts';
import type {KubeObject} from './objects.ts';
import {startFakeApiServer} from './testing/fake-api-server.ts';
import type {FakeApiServer} from './testing/fake-api-server.ts';
import {FakeClock, settle} from './testing/fake-clock.ts';
import {until} from './testing/until.ts';
import {EVENT} from './types.ts';

let server: FakeApiServer;
let clock: FakeClock;
let warnings: string[];
let recorder: EventRecorder;
beforeEach(async () => {
  server = await startFakeApiServer();
  clock = new FakeClock();
  warnings = [];
  recorder = create();
});
afterEach(() => server.close());

const log: Logger = {...silentLogger, warn: (_fields, message) => warnings.push(message), child: () => log};
const create = (queueSize?: number, busy?: () => boolean): EventRecorder =>
  createEventRecorder({
    client: server.client({clock, retry: {maxRetries: 0}}),
    component: 'basalt-operator',
    clock,
    log,
    ...(queueSize === undefined ? {} : {queueSize}),
    ...(busy === undefined ? {} : {busy}),
  });
const flushed = (): Promise<void> => recorder.flush(AbortSignal.timeout(4000));
const object = (name = 'web', namespace: string | undefined = 'n'): KubeObject => ({
  apiVersion: 'basalt.dev/v1alpha1',
  kind: 'Server',
  metadata: {name, uid: `uid-${name}`, resourceVersion: '7', ...(namespace === undefined ? {} : {namespace})},
});
const failed: EventInput = {type: 'Warning', reason: 'ImageMissing', action: 'Resolve', message: 'image debian is not there'};

describe('events', () => {
  test('say what happened to what', async () => {
    recorder.event(object(), failed);
    await flushed();
    expect(server.objects(EVENT)).toEqual([
      expect.objectContaining({
        metadata: expect.objectContaining({namespace: 'n', name: expect.stringMatching(/^web\.[0-9a-f]+$/)}),
        eventTime: '2026-01-01T00:00:00.000000Z',
        reportingController: 'basalt-operator',
        reportingInstance: 'basalt-operator',
        regarding: {apiVersion: 'basalt.dev/v1alpha1', kind: 'Server', name: 'web', namespace: 'n', uid: 'uid-web', resourceVersion: '7'},
        type: 'Warning',
        reason: 'ImageMissing',
        action: 'Resolve',
        note: 'image debian is not there',
      }),
    ]);
    expect(server.objects(EVENT)[0]).not.toHaveProperty('series');
  });

  test('of cluster-scoped objects live in default', async () => {
    recorder.event({...object(), metadata: {name: 'r1', uid: 'u'}}, failed);
    await flushed();
    expect(server.objects(EVENT)[0]?.metadata.namespace).toBe('default');
  });

  test('are cut to what the API takes, between characters', async () => {
    recorder.event(object('x'.repeat(253)), {...failed, message: '€'.repeat(1000)});
    await flushed();
    const [event] = server.objects(EVENT);
    expect(Buffer.byteLength(event?.note ?? '')).toBeLessThanOrEqual(1024);
    expect(event?.note).toMatch(/^€+…$/);
    expect(event?.metadata.name.length).toBeLessThanOrEqual(253);
  });

  test('that repeat become a series, written seldom', async () => {
    recorder.event(object(), failed);
    await flushed();
    for (let i = 0; i < 50; i++) recorder.event(object(), failed);
    await until('rest', () => server.requests.every(({status}) => status !== 0));
    expect(server.requests).toHaveLength(1);
    clock.advance(10_000);
    recorder.event(object(), failed);
    await until('the series', () => server.objects(EVENT)[0]?.series?.count === 52);
    recorder.event(object(), failed);
    await flushed(); // sends what was held back
    expect(server.objects(EVENT)).toEqual([
      expect.objectContaining({series: {count: 53, lastObservedTime: '2026-01-01T00:00:10.000000Z'}}),
    ]);
    expect(server.requests).toHaveLength(3);
  });

  test('that repeat before the first was sent are one write', async () => {
    for (let i = 0; i < 5; i++) recorder.event(object(), failed);
    await flushed();
    expect(server.requests).toHaveLength(1);
    expect(server.objects(EVENT)[0]?.series?.count).toBe(5);
  });

  test.each([
    ['another object', object('db'), failed],
    ['another reason', object(), {...failed, reason: 'Other'}],
    ['another message', object(), {...failed, message: 'other'}],
  ])('of %s are another series', async (_name, of, input) => {
    recorder.event(object(), failed);
    recorder.event(of, input);
    await flushed();
    expect(server.objects(EVENT)).toHaveLength(2);
  });

  test('after a long silence are new', async () => {
    recorder.event(object(), failed);
    await flushed();
    clock.advance(360_001);
    recorder.event(object(), failed);
    await flushed();
    expect(server.objects(EVENT)).toHaveLength(2);
  });

  test('whose Event has gone meanwhile are made anew', async () => {
    recorder.event(object(), failed);
    await flushed();
    const [event] = server.objects(EVENT);
    server.remove(EVENT, {namespace: 'n', name: event?.metadata.name ?? ''});
    clock.advance(20_000);
    recorder.event(object(), failed);
    await flushed();
    expect(server.objects(EVENT)[0]?.series?.count).toBe(2);
  });
});

describe('an API server that is unwell', () => {
  test('is told of once, and nobody waits for it', async () => {
    server.faults.serverError({times: 3});
    for (const name of ['a', 'b', 'c']) recorder.event(object(name), failed);
    await flushed();
    expect(warnings).toEqual(['events cannot be sent; dropping them until they can']);
    recorder.event(object('d'), failed);
    await flushed();
    expect(server.objects(EVENT)).toHaveLength(1);
  });

  test('a namespace that goes takes no events, which is no news', async () => {
    server.faults.status(403, 'Forbidden');
    recorder.event(object(), failed);
    await flushed();
    expect(warnings).toEqual([]);
  });

  test('when too much waits, the oldest goes', async () => {
    server.faults.halfOpen({times: 4}); // all senders hang
    recorder = create(3);
    for (let i = 0; i < 4; i++) {
      recorder.event(object(`stuck${i}`), failed);
      await settle();
    }
    await until('the senders', () => server.requests.length === 4);
    for (let i = 0; i < 5; i++) recorder.event(object(`waiting${i}`), failed);
    expect(warnings).toEqual(['events come faster than they can be sent; dropping the oldest']);
    clock.advance(10_000); // the deadline of the stuck ones
    await flushed();
    expect(server.objects(EVENT).map(({regarding}) => regarding.name)).toEqual(['waiting2', 'waiting3', 'waiting4']);
  });

  test('flush has its deadline', async () => {
    server.faults.halfOpen();
    recorder.event(object(), failed);
    const reason = new Error('no more time');
    const abort = new AbortController();
    const flushing = recorder.flush(abort.signal);
    abort.abort(reason);
    await expect(flushing).rejects.toBe(reason);
  });
});

describe('events yield to other work', () => {
  const stored = (): number => server.objects(EVENT).length;

  test('until it is done, and then all go', async () => {
    let busy = true;
    recorder = create(2_000, () => busy);
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) recorder.event(object(name), failed);
    clock.advance(5_000);
    await settle();
    expect(stored()).toBe(0);
    busy = false;
    clock.advance(100);
    await until('all six', () => stored() === 6);
  });

  test.each<[string, number, number]>([
    ['for a bounded time', 2_000, LONGEST_YIELD_MS],
    ['only while the queue is not filling up', 8, 0],
  ])('%s', async (_name, queueSize, ms) => {
    recorder = create(queueSize, () => true);
    for (const name of ['a', 'b', 'c']) recorder.event(object(name), failed);
    recorder.event(object('c'), failed); // a repetition does not make it young again
    await settle();
    expect(stored()).toBe(0);
    if (ms === 0) recorder.event(object('d'), failed);
    else clock.advance(ms);
    await until('the first', () => stored() >= 1);
  });

  test('but not when somebody waits for them', async () => {
    recorder = create(2_000, () => true);
    for (const name of ['a', 'b']) recorder.event(object(name), failed);
    await flushed();
    expect(stored()).toBe(2);
  });
});
