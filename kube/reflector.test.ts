import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {settle} from './testing/fake-clock.ts';
import type {RequestLine} from './testing/fake-faults.ts';
import {openReflectorBench, WIDGET, widget} from './testing/reflector-bench.ts';
import type {ReflectorBench} from './testing/reflector-bench.ts';
import {until} from './testing/until.ts';

const lists = (request: RequestLine): boolean => !request.watch;
const watches = (request: RequestLine): boolean => request.watch;

let bench: ReflectorBench;
let server: ReflectorBench['server'];
let clock: ReflectorBench['clock'];
let stop: ReflectorBench['stop'];
let told: ReflectorBench['told'];
let reported: ReflectorBench['reported'];
let start: ReflectorBench['start'];
let watching: ReflectorBench['watching'];
let toldOf: ReflectorBench['toldOf'];
beforeEach(async () => {
  bench = await openReflectorBench();
  ({server, clock, stop, told, reported, start, watching, toldOf} = bench);
});
afterEach(() => bench.close());

describe('following', () => {
  test('the first list, then every change', async () => {
    server.put(WIDGET, widget('a', 1));
    const informer = start();
    await informer.waitForSync();
    expect(informer.hasSynced).toBe(true);
    await watching();
    server.put(WIDGET, widget('b', 2));
    server.put(WIDGET, widget('a', 3));
    server.remove(WIDGET, {namespace: 'n', name: 'b'});
    await toldOf(4);
    expect(told).toEqual(['added a ->1', 'added b ->2', 'modified a 1>3', 'deleted b 2>2']);
    expect([informer.size, informer.get('n/a')?.spec.size]).toEqual([1, 3]);
    expect([informer.byIndex('size', '3').length, informer.byIndex('size', '1').length]).toEqual([1, 0]);
    expect(() => informer.byIndex('colour', 'red')).toThrow('no index colour');
    const list = server.requests.find((request) => !request.query.has('watch'));
    expect(list?.query.get('limit')).toBe('500');
    const watch = server.requests.find((request) => request.query.has('watch'));
    expect([watch?.query.get('allowWatchBookmarks'), watch?.query.get('timeoutSeconds')]).toEqual(['true', '270']);
  });

  test('lists page by page', async () => {
    for (let i = 0; i < 7; i++) server.put(WIDGET, widget(`w${i}`));
    const informer = start({pageSize: 3});
    await informer.waitForSync();
    expect(informer.size).toBe(7);
    expect(server.requests.filter((request) => !request.query.has('watch'))).toHaveLength(3);
    expect(told).toHaveLength(7);
  });

  test('what is kept is trimmed, transformed and frozen', async () => {
    server.put(WIDGET, {
      ...widget('a'),
      metadata: {
        name: 'a',
        namespace: 'n',
        annotations: {'kubectl.kubernetes.io/last-applied-configuration': '{}', keep: 'me'},
        ...{managedFields: [{manager: 'x'}]},
      },
    });
    const informer = start({transform: (object) => ({...object, spec: {}})});
    await informer.waitForSync();
    const kept = informer.get('n/a');
    expect(kept?.metadata).not.toHaveProperty('managedFields');
    expect(kept?.metadata.annotations).toEqual({keep: 'me'});
    expect(kept?.spec).toEqual({});
    expect(Object.isFrozen(kept?.metadata)).toBe(true);
  });

  test('a selector decides what is seen', async () => {
    server.put(WIDGET, widget('a', 1, {keep: 'yes'}));
    server.put(WIDGET, widget('b', 1));
    const informer = start({labelSelector: 'keep=yes', namespace: 'n'});
    await informer.waitForSync();
    await watching();
    server.put(WIDGET, widget('b', 2, {keep: 'yes'}));
    server.put(WIDGET, widget('a', 2));
    await toldOf(3);
    expect(told).toEqual(['added a ->1', 'added b ->2', 'deleted a 1>2']);
    expect(informer.list('n').map((object) => object.metadata.name)).toEqual(['b']);
    expect(informer.list('other')).toEqual([]);
  });

  test('a handler that throws harms nobody', async () => {
    const informer = start();
    informer.onChange(() => {
      throw new Error('broken promise');
    });
    const after: string[] = [];
    informer.onChange((change) => after.push(change.kind));
    await watching();
    server.put(WIDGET, widget('a'));
    server.put(WIDGET, widget('a', 2));
    await toldOf(2);
    expect(after).toEqual(['added', 'modified']);
  });
});

describe('resuming', () => {
  test.each(['close', 'reset'] as const)('after a %s it goes on where it was, and misses nothing', async (how) => {
    server.put(WIDGET, widget('a'));
    const informer = start();
    await informer.waitForSync();
    await watching();
    server.put(WIDGET, widget('b'));
    await toldOf(2);
    server.endWatches(how);
    server.remove(WIDGET, {namespace: 'n', name: 'a'}); // while nobody watches
    await toldOf(3);
    expect(told.at(-1)).toBe('deleted a 1>1');
    expect(reported).toEqual(['list start', how === 'close' ? 'end closed' : 'end connection']);
  });

  test('a bookmark moves the point from which it resumes', async () => {
    const informer = start();
    await informer.waitForSync();
    await watching();
    for (let i = 0; i < 3; i++) server.put({...WIDGET, plural: 'others'}, widget(`other${i}`));
    server.bookmark();
    await until('the bookmark', () => informer.lastEventAgeMs === 0);
    await settle();
    server.compact();
    server.endWatches('close');
    await until('the next watch', () => server.requests.filter((request) => request.query.has('watch')).length === 2);
    await watching();
    expect(reported).toEqual(['list start', 'end closed']); // no 410
  });

  test('a stream that ends at once again and again is slowed down', async () => {
    const informer = start();
    await informer.waitForSync();
    await watching();
    server.endWatches('close');
    await until('the wait', () => clock.nextMs === 600);
    expect(server.requests).toHaveLength(2);
    clock.advance(600);
    await watching();
    server.endWatches('close');
    await until('a longer wait', () => clock.nextMs === 1200);
  });

  test('silence is not taken for peace', async () => {
    server.faults.halfOpen({match: watches});
    const informer = start({idleTimeoutMs: 90_000});
    await informer.waitForSync();
    await until('the dead watch', () => server.requests.length === 2);
    await settle();
    server.put(WIDGET, widget('a'));
    await until('its timer', () => clock.pending > 0 && clock.nextMs === 90_000);
    clock.advance(90_000);
    await toldOf(1);
    expect(reported).toEqual(['list start', 'end idle']);
    expect(informer.get('n/a')).toBeDefined();
  });
});

describe('relisting', () => {
  test.each([
    ['as the answer', false],
    ['as an event', true],
  ])('410 %s: lists anew and tells what vanished', async (_name, asEvent) => {
    server.put(WIDGET, widget('a'));
    server.put(WIDGET, widget('b'));
    const informer = start();
    await informer.waitForSync();
    await watching();
    server.put(WIDGET, widget('b', 2));
    await toldOf(3);
    server.faults.gone({asEvent, match: watches});
    server.endWatches('close');
    server.remove(WIDGET, {namespace: 'n', name: 'a'});
    server.compact();
    await until('the wait', () => clock.nextMs === 600);
    clock.advance(600);
    await toldOf(4);
    expect(told.at(-1)).toBe('deleted a 1>1');
    expect(reported).toEqual(['list start', 'end closed', 'end gone', 'list gone']);
  });

  test('a real “too old” after compaction', async () => {
    const informer = start();
    await informer.waitForSync();
    await watching();
    server.put(WIDGET, widget('a'));
    await toldOf(1);
    server.endWatches('reset');
    server.put(WIDGET, widget('b'));
    server.compact();
    await until('the wait', () => clock.nextMs === 600);
    clock.advance(600);
    await toldOf(2);
    expect(reported).toContain('list gone');
  });

  test('410 in the middle of a list starts it again', async () => {
    for (let i = 0; i < 4; i++) server.put(WIDGET, widget(`w${i}`));
    server.faults.slow({ms: 0, match: lists});
    server.faults.gone({match: lists});
    const informer = start({pageSize: 2});
    await until('the wait', () => clock.nextMs === 600);
    expect(informer.hasSynced).toBe(false);
    clock.advance(600);
    await informer.waitForSync();
    expect(informer.size).toBe(4);
  });

  test('a namesake with another uid is a deletion and an addition', async () => {
    server.put(WIDGET, widget('a'));
    const informer = start();
    await informer.waitForSync();
    await watching();
    server.put(WIDGET, widget('x'));
    await toldOf(2);
    server.faults.gone({match: watches});
    server.endWatches('close');
    server.remove(WIDGET, {namespace: 'n', name: 'a'});
    server.put(WIDGET, widget('a', 7));
    await until('the wait', () => clock.nextMs === 600);
    clock.advance(600);
    await toldOf(4);
    expect(told.slice(2)).toEqual(['deleted a 1>1', 'added a ->7']);
    expect(reported).toContain('list gone');
  });

  test('another ERROR event leads to a list, too', async () => {
    const informer = start();
    await informer.waitForSync();
    await watching();
    server.faults.serverError({asEvent: true, match: watches});
    server.put(WIDGET, widget('a'));
    await toldOf(1);
    server.endWatches('close');
    await until('the wait', () => clock.nextMs === 600);
    clock.advance(600);
    await watching();
    expect(reported).toEqual(['list start', 'end closed', 'end error_event', 'list error_event']);
  });

  test('a line that is no event leads to a list, and its content into no message', async () => {
    const informer = start();
    await informer.waitForSync();
    await watching();
    server.watches[0]?.sendLine('{"type":"ADDED","object":');
    await until('the wait', () => clock.nextMs === 600);
    expect(reported).toEqual(['list start', 'end malformed']);
    clock.advance(600);
    await watching();
  });
});

describe('a server that is unwell', () => {
  test('Retry-After is obeyed', async () => {
    server.faults.tooMany({retryAfterSeconds: 5, match: lists});
    const informer = start();
    await until('the wait', () => clock.nextMs === 5250);
    clock.advance(5250);
    await informer.waitForSync();
    expect(reported).toEqual(['list start', 'end throttled', 'list start']);
  });

  test('failures are waited out longer and longer, up to the cap', async () => {
    server.faults.serverError({times: Infinity});
    const informer = start();
    const waits: (number | undefined)[] = [];
    for (let i = 0; i < 8; i++) {
      await until('the wait', () => server.requests.length === i + 1 && clock.pending === 1);
      await settle();
      waits.push(clock.nextMs);
      clock.advance(clock.nextMs ?? 0);
    }
    expect(waits).toEqual([600, 1200, 2400, 4800, 9600, 19_200, 22_500, 22_500]);
    server.faults.clear();
    await until('the wait', () => clock.pending === 1);
    await clock.advanceAndSettle(30_000);
    await informer.waitForSync();
  });

  test.each([
    ['forbidden', 403, 'Forbidden', 'injected 403'],
    ['not served', 404, 'NotFound', 'widgets: not served; is its CRD installed?'],
  ])('%s is a problem for a person, until it is solved', async (_name, code, reason, problem) => {
    server.faults.status(code, reason);
    const informer = start();
    await until('the wait', () => clock.nextMs === 600);
    expect(informer.problem).toBe(problem);
    clock.advance(600);
    await informer.waitForSync();
    expect(informer.problem).toBeUndefined();
  });

  test('stopping ends everything, and is no error', async () => {
    server.faults.serverError({times: Infinity});
    const informer = start();
    const waiting = informer.waitForSync();
    await until('the wait', () => clock.pending === 1);
    const reason = new Error('stopped');
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await until('rest', () => clock.pending === 0);
  });
});
