/** The runtime on real caches, a real lease and real HTTP, with a server that fails: what a handler sees of it, and who may work. */
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {Registry} from 'prom-client';
import {runLeaderElection} from '../../kube/lease.ts';
import {silentLogger} from '../../kube/log.ts';
import type {KubeObject, ResourceType} from '../../kube/objects.ts';
import {createInformer} from '../../kube/reflector.ts';
import {startFakeApiServer} from '../../kube/testing/fake-api-server.ts';
import type {FakeApiServer} from '../../kube/testing/fake-api-server.ts';
import {FakeClock} from '../../kube/testing/fake-clock.ts';
import {until} from '../../kube/testing/until.ts';
import {LEASE} from '../../kube/types.ts';
import {createEventReconciler} from './event-reconciler.ts';
import {createManager} from './manager.ts';
import type {Election, Manager} from './manager.ts';
import {createRuntimeMetrics} from './metrics.ts';
import {createServedKinds} from './served-kinds.ts';

const THING: ResourceType<KubeObject> = {group: 'example.org', version: 'v1', plural: 'things', kind: 'Thing', namespaced: true};
const STEP_MS = 50;

let server: FakeApiServer;
let clock: FakeClock;
const running: Manager[] = [];

beforeEach(async () => {
  server = await startFakeApiServer({types: [THING, LEASE]});
  clock = new FakeClock();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((manager) => manager.shutdown()));
  await server.close();
});

/** One process: its own caches, queue and lease identity. */
function startProcess(identity: string, options: {readonly elect?: boolean} = {}) {
  const client = server.client({clock});
  const events: string[] = [];
  const election: Election = (onStarted, signal) =>
    runLeaderElection({client, namespace: 'ns', name: 'operator', identity, clock, log: silentLogger, onStarted}, signal);
  const kinds = createServedKinds({client, clock, log: silentLogger});
  const metrics = createRuntimeMetrics(new Registry());
  const manager = createManager({clock, log: silentLogger, metrics, kinds, ...(options.elect === true ? {election} : {})});
  const informer = createInformer({client, type: THING, clock, log: silentLogger});
  manager.addInformer({type: THING, informer});
  manager.addController(
    createEventReconciler({
      name: 'thing',
      informer,
      describe: (type, {metadata}) => `${type} ${metadata.name}`,
      onEvent: (event) => {
        events.push(event);
        return Promise.resolve();
      },
    }),
  );
  running.push(manager);
  manager.start();
  return {manager, events, informer};
}

const put = (name: string, labels: Record<string, string> = {}): KubeObject =>
  server.put(THING, {apiVersion: 'example.org/v1', kind: 'Thing', metadata: {name, namespace: 'ns', labels}});

const eventually = (what: string, probe: () => boolean, stepMs = STEP_MS): Promise<true> =>
  until(what, () => {
    clock.advance(stepMs);
    return probe() && true;
  });

const lists = (): number => server.requests.filter(({path, query}) => path.endsWith('/things') && !query.has('watch')).length;

describe('a server that fails', () => {
  test('a dropped watch is resumed where it was: no second list, nothing missed, nothing repeated', async () => {
    put('kept');
    put('doomed');
    const {events} = startProcess('a');
    await eventually('the first list', () => events.length === 2);
    server.endWatches('reset');
    server.remove(THING, {namespace: 'ns', name: 'doomed'});
    await eventually('the deletion while disconnected', () => events.includes('DELETED doomed'));
    put('later');
    await eventually('the watch to go on', () => events.includes('ADDED later'));
    expect([lists(), events.toSorted()]).toEqual([1, ['ADDED doomed', 'ADDED kept', 'ADDED later', 'DELETED doomed']]);
    const resumed = server.requests.filter(({query}) => query.has('watch')).map(({query}) => query.get('resourceVersion'));
    expect(resumed.every((version) => version !== null && version !== '0')).toBe(true);
  });

  test('a history that is gone is listed anew, and the deletion in the gap is still delivered', async () => {
    put('kept');
    put('doomed');
    const {events} = startProcess('a');
    await eventually('the first list', () => events.length === 2);
    server.faults.halfOpen({times: 1, match: ({watch}) => watch}); // the next watch hears nothing
    server.endWatches('reset');
    server.remove(THING, {namespace: 'ns', name: 'doomed'});
    server.compact();
    await eventually('the deletion', () => events.includes('DELETED doomed'), 2_000);
    expect(lists()).toBe(2);
    expect(events.filter((event) => event === 'ADDED kept')).toHaveLength(1);
  });

  test('a list that fails is tried again, and readiness says that it has not come', async () => {
    put('a');
    server.faults.serverError({times: 3, match: ({path}) => path.endsWith('/things')});
    const {events, manager} = startProcess('a');
    await eventually('the failed lists', () => server.requests.filter(({status}) => status === 500).length >= 1);
    expect(manager.unready()).toEqual(['the first list of things.example.org has not arrived yet']);
    await eventually('the list at last', () => events.includes('ADDED a'));
    expect(manager.unready()).toEqual([]);
  });

  test('missing rights are named by readiness, and cured without a restart', async () => {
    put('a');
    server.faults.status(403, 'Forbidden', {times: Infinity, match: ({path}) => path.endsWith('/things')});
    const {events, manager} = startProcess('a');
    await eventually('the refusal', () => manager.unready().some((reason) => reason.startsWith('things.example.org:')));
    server.faults.clear();
    await eventually('the cure', () => events.includes('ADDED a') && manager.unready().length === 0);
  });
});

describe('leadership', () => {
  test('one of two works; when it stops, the other takes over with warm caches', async () => {
    put('a');
    const first = startProcess('first', {elect: true});
    await eventually('the first to lead', () => first.events.length === 1);
    const second = startProcess('second', {elect: true});
    await eventually('the caches of the second', () => second.informer.hasSynced);
    expect([second.manager.leading, second.manager.unready(), second.events]).toEqual([false, [], []]);
    await first.manager.shutdown();
    await first.manager.finished;
    const listsBefore = lists();
    await eventually('the second to take over', () => second.events.includes('ADDED a'));
    expect([first.manager.leading, lists()]).toEqual([false, listsBefore]);
  });

  test('a leader that cannot renew stops working before another may start', async () => {
    put('a');
    const first = startProcess('first', {elect: true});
    await eventually('the first to lead', () => first.events.length === 1);
    const second = startProcess('second', {elect: true});
    const lost = first.manager.finished.catch((error: unknown) => error);
    server.faults.serverError({times: Infinity, match: ({method, path}) => method === 'PUT' && path.endsWith('/leases/operator')});
    await eventually('the first to give up', () => !first.manager.leading);
    expect(second.manager.leading).toBe(false);
    put('b'); // a change for which the first must not act any more
    expect(String(await lost)).toContain('Leader');
    server.faults.clear();
    await eventually('the second to take over', () => second.events.includes('ADDED b'));
    expect(first.events).toEqual(['ADDED a']);
  });
});
