import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {settle} from './testing/fake-clock.ts';
import type {RequestLine} from './testing/fake-faults.ts';
import {openReflectorBench, WIDGET, widget} from './testing/reflector-bench.ts';
import type {ReflectorBench} from './testing/reflector-bench.ts';
import {until} from './testing/until.ts';

const watches = (request: RequestLine): boolean => request.watch;

let bench: ReflectorBench;
let server: ReflectorBench['server'];
let clock: ReflectorBench['clock'];
let stop: ReflectorBench['stop'];
let told: ReflectorBench['told'];
let start: ReflectorBench['start'];
let watching: ReflectorBench['watching'];
let toldOf: ReflectorBench['toldOf'];
beforeEach(async () => {
  bench = await openReflectorBench();
  ({server, clock, stop, told, start, watching, toldOf} = bench);
});
afterEach(() => bench.close());

describe('reading one’s own writes', () => {
  test('waitForVersion resolves once the cache is there', async () => {
    const informer = start();
    await informer.waitForSync();
    await watching();
    const stored = server.put(WIDGET, widget('a'));
    await informer.waitForVersion('n/a', stored.metadata.resourceVersion ?? '', stop.signal);
    expect(informer.get('n/a')?.metadata.uid).toBe(stored.metadata.uid);
  });

  test('waitForVersion is satisfied by a deletion', async () => {
    const informer = start();
    await informer.waitForSync();
    await watching();
    const stored = server.put(WIDGET, widget('a'));
    server.remove(WIDGET, {namespace: 'n', name: 'a'});
    await toldOf(2);
    await informer.waitForVersion('n/a', stored.metadata.resourceVersion ?? '', stop.signal);
  });

  test('waitForVersion ends with its signal', async () => {
    const informer = start();
    await informer.waitForSync();
    const reason = new Error('too long');
    const abort = new AbortController();
    const waiting = informer.waitForVersion('n/a', '999999', abort.signal);
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  test('an observed answer is there at once, and the watch does not tell it twice or take it back', async () => {
    server.faults.halfOpen({match: watches}); // events come late
    const informer = start();
    await informer.waitForSync();
    const client = server.client();
    const first = await client.create(WIDGET, widget('a', 1));
    const second = await client.replace(WIDGET, {...first, spec: {size: 2}});
    informer.observe(second);
    informer.observe(first);
    expect(informer.get('n/a')?.spec.size).toBe(2);
    await informer.waitForVersion('n/a', second.metadata.resourceVersion ?? '', stop.signal);
    await until('the idle limit', () => clock.nextMs === 90_000);
    clock.advance(90_000);
    await watching();
    server.put(WIDGET, widget('a', 3));
    await toldOf(2);
    expect(told).toEqual(['added a ->2', 'modified a 2>3']);
  });

  test('an observed answer that was overtaken by a deletion raises no ghost', async () => {
    const informer = start();
    await informer.waitForSync();
    await watching();
    const answer = server.put(WIDGET, widget('a'));
    server.remove(WIDGET, {namespace: 'n', name: 'a'});
    await toldOf(2);
    informer.observe(answer);
    expect(informer.get('n/a')).toBeUndefined();
  });

  test('waitFor looks at the present first, then at each change, deletion included', async () => {
    server.put(WIDGET, widget('a', 1));
    const informer = start();
    const early = informer.waitFor('n/a', (object) => object !== undefined, stop.signal);
    expect((await early)?.spec.size).toBe(1); // not the absence before the list
    await watching();
    const grown = informer.waitFor('n/a', (object) => object?.spec.size === 5, stop.signal);
    const gone = informer.waitFor('n/a', (object) => object === undefined, stop.signal);
    server.put(WIDGET, widget('a', 5));
    expect((await grown)?.spec.size).toBe(5);
    server.remove(WIDGET, {namespace: 'n', name: 'a'});
    expect(await gone).toBeUndefined();
  });

  test('revision counts changes only', async () => {
    server.put(WIDGET, widget('a'));
    const informer = start();
    await informer.waitForSync();
    await watching();
    const before = [informer.revision, informer.list()] as const;
    server.bookmark();
    await settle();
    expect([informer.revision, informer.list()]).toEqual([before[0], before[1]]);
    expect(informer.list()).toBe(before[1]);
    server.put(WIDGET, widget('b'));
    await toldOf(2);
    expect(informer.revision).toBeGreaterThan(before[0]);
  });
});
