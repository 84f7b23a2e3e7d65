/** `kube/` against a real kube-apiserver: what the fake one only imitates. Needs KUBECONFIG, or the local cluster of `make up`; any tier will do. */
import {randomUUID} from 'node:crypto';
import {existsSync} from 'node:fs';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {CoreV1Api} from '@kubernetes/client-node';
import {createApplier} from '../../kube/apply.ts';
import type {KubeClient} from '../../kube/client.ts';
import {systemClock} from '../../kube/clock.ts';
import {isAlreadyExists, isConflict, isGone, isInvalid, isNotFound} from '../../kube/errors.ts';
import {createEventRecorder} from '../../kube/events.ts';
import {createSequence} from '../../kube/ids.ts';
import type {Change} from '../../kube/informer.ts';
import {LeadershipLostError, runLeaderElection} from '../../kube/lease.ts';
import {silentLogger} from '../../kube/log.ts';
import {refOfObject} from '../../kube/objects.ts';
import type {AnyObject, KubeObject, ResourceType, WatchEvent} from '../../kube/objects.ts';
import {loadKubeConfig} from '../../kube/pooled-kube-config.ts';
import {createInformer} from '../../kube/reflector.ts';
import {until} from '../../kube/testing/until.ts';
import {createClient} from '../../kube/transport.ts';
import type {TransportMetrics} from '../../kube/transport.ts';
import {CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, EVENT, LEASE, NAMESPACE} from '../../kube/types.ts';
import type {ConfigMap} from '../../kube/types.ts';

interface Widget extends KubeObject {
  readonly spec: {readonly size?: number; readonly colour?: string};
  readonly status?: {readonly phase?: string};
}
const WIDGET: ResourceType<Widget> = {group: 'kube-test.basalt.dev', version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true};

const namespace = `kube-test-${randomUUID().slice(0, 8)}`;
const widget = (name: string, spec: Widget['spec'], owner?: KubeObject): Widget => ({
  apiVersion: 'kube-test.basalt.dev/v1',
  kind: 'Widget',
  metadata: {
    name,
    namespace,
    labels: {made: 'here'},
    ...(owner === undefined
      ? {}
      : {
          ownerReferences: [
            {apiVersion: owner.apiVersion, kind: owner.kind, name: owner.metadata.name, uid: owner.metadata.uid ?? '', controller: true},
          ],
        }),
  },
  spec,
});
const map = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {name, namespace},
  data,
});

const counts = {writes: 0, requests: 0};
const metrics: TransportMetrics = {
  requestEnded({method}) {
    counts.requests++;
    if (method !== 'GET') counts.writes++;
  },
  retried: () => undefined,
};

function kubeconfigPath(): string {
  const path = process.env['KUBECONFIG'] ?? '.cluster/admin.kubeconfig';
  if (!existsSync(path)) throw new Error(`no cluster to test against: ${path} does not exist. Run "make up", or set KUBECONFIG.`);
  return path;
}

let client: KubeClient;
const stop = new AbortController();
const common = {clock: systemClock, log: silentLogger};
const newClient = (): KubeClient =>
  createClient({kubeConfig: loadKubeConfig({path: kubeconfigPath()}), userAgent: 'basalt-kube-test', fieldManager: 'kube-test', metrics});

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

beforeAll(async () => {
  client = newClient();
  await client.create(NAMESPACE, {apiVersion: 'v1', kind: 'Namespace', metadata: {name: namespace}});
  await installWidgets(client);
}, 30_000);

afterAll(async () => {
  stop.abort(new Error('the test is over'));
  // No namespace controller on the smallest tier, so the objects go one by one; the rest goes with the namespace where there is one.
  for (const type of [WIDGET, CONFIG_MAP, LEASE, EVENT] as unknown as readonly ResourceType[]) {
    for (const object of (await client.list(type, {namespace})).items) await client.delete(type, refOfObject(object));
  }
  await client.delete(CUSTOM_RESOURCE_DEFINITION, {name: 'widgets.kube-test.basalt.dev'});
  await client.delete(NAMESPACE, {name: namespace});
  await client.close();
}, 30_000);

describe('transport', () => {
  test('verbs, locks and typed errors', async () => {
    const made = await client.create(WIDGET, widget('verbs', {size: 1}));
    const ref = refOfObject(made);
    expect(isAlreadyExists(await failure(client.create(WIDGET, widget('verbs', {size: 1}))))).toBe(true);
    const grown = await client.mergePatch(WIDGET, ref, {spec: {size: 2}});
    expect(grown.metadata.generation).toBe(2);
    expect(isConflict(await failure(client.replace(WIDGET, {...made, spec: {size: 3}})))).toBe(true);
    expect(isInvalid(await failure(client.mergePatch(WIDGET, ref, {spec: {size: 'big'}})))).toBe(true);
    const status = await client.replace(WIDGET, {...grown, spec: {size: 99}, status: {phase: 'Ready'}}, {subresource: 'status'});
    expect([status.spec.size, status.status?.phase, status.metadata.generation]).toEqual([2, 'Ready', 2]);
    const unlocked = await failure(
      client.mergePatch(WIDGET, ref, {metadata: {resourceVersion: made.metadata.resourceVersion}, spec: {size: 4}}),
    );
    expect(isConflict(unlocked)).toBe(true);
    const wrongUid = await failure(client.delete(WIDGET, ref, {preconditions: {uid: randomUUID()}}));
    expect(isConflict(wrongUid)).toBe(true);
    await client.create(WIDGET, widget('dry', {}), {dryRun: true});
    expect(isNotFound(await failure(client.get(WIDGET, {namespace, name: 'dry'})))).toBe(true);
  });

  test('a failed `test` of a JSON patch is Invalid on the wire', async () => {
    await client.create(WIDGET, widget('tested', {size: 1}));
    const error = await failure(client.jsonPatch(WIDGET, {namespace, name: 'tested'}, [{op: 'test', path: '/spec/size', value: 7}]));
    expect(isInvalid(error)).toBe(true);
  });

  test('server-side apply knows whose field it is', async () => {
    await client.apply(WIDGET, widget('shared', {size: 1}), {fieldManager: 'one'});
    const theirs = await failure(client.apply(WIDGET, widget('shared', {size: 2}), {fieldManager: 'two'}));
    expect(isConflict(theirs)).toBe(true);
    expect((await client.apply(WIDGET, widget('shared', {size: 2}), {fieldManager: 'two', force: true})).spec.size).toBe(2);
  });

  test('built-in list items are whole objects, pages follow each other', async () => {
    for (const name of ['p1', 'p2', 'p3']) await client.create(CONFIG_MAP, map(name));
    const first = await client.list(CONFIG_MAP, {namespace, limit: 2});
    expect(first.items[0]).toMatchObject({apiVersion: 'v1', kind: 'ConfigMap'});
    const rest = await client.list(CONFIG_MAP, {namespace, limit: 500, continue: first.continue ?? ''});
    expect([...first.items, ...rest.items].map((item) => item.metadata.name)).toEqual(expect.arrayContaining(['p1', 'p2', 'p3']));
    expect(rest.continue).toBeUndefined();
  });

  test('a watch from the dawn of time is gone', async () => {
    const read = async (): Promise<WatchEvent<ConfigMap>[]> => {
      const events: WatchEvent<ConfigMap>[] = [];
      for await (const event of client.watch(CONFIG_MAP, {resourceVersion: '1', timeoutSeconds: 1})) events.push(event);
      return events;
    };
    const outcome = await read().catch((error: unknown) => error);
    // A young server still has its history; an older one has not.
    expect(Array.isArray(outcome) || isGone(outcome)).toBe(true);
  });

  test('raw calls, and client-node over its pool', async () => {
    expect((await client.raw('GET', '/readyz')).body.toString()).toBe('ok');
    const kubeConfig = loadKubeConfig({path: kubeconfigPath()});
    const core = kubeConfig.makeApiClient(CoreV1Api);
    for (let i = 0; i < 3; i++) expect((await core.listNamespace()).items.map((item) => item.metadata?.name)).toContain(namespace);
  });
});

describe('reflector', () => {
  test('follows, reads own writes, and sees deletions', async () => {
    await client.create(WIDGET, widget('before', {size: 1}));
    const informer = createInformer<Widget>({
      client,
      type: WIDGET,
      namespace,
      pageSize: 2,
      freeze: true,
      indexes: {colour: ({spec}) => (spec.colour === undefined ? [] : [spec.colour])},
      ...common,
    });
    const told: string[] = [];
    informer.onChange(({kind, object}: Change<Widget>) => told.push(`${kind} ${object.metadata.name}`));
    informer.start(stop.signal);
    await informer.waitForSync(AbortSignal.timeout(10_000));
    expect(informer.get(`${namespace}/before`)?.spec.size).toBe(1);
    expect(informer.get(`${namespace}/before`)?.metadata).not.toHaveProperty('managedFields');

    const written = await client.create(WIDGET, widget('after', {colour: 'red'}));
    await informer.waitForVersion(`${namespace}/after`, written.metadata.resourceVersion ?? '', AbortSignal.timeout(5_000));
    expect(informer.byIndex('colour', 'red').map((object) => object.metadata.name)).toEqual(['after']);

    const changed = await client.mergePatch(WIDGET, refOfObject(written), {spec: {colour: 'blue'}});
    informer.observe(changed);
    expect(informer.byIndex('colour', 'blue')).toHaveLength(1);
    await client.delete(WIDGET, refOfObject(written));
    await informer.waitFor(`${namespace}/after`, (object) => object === undefined, AbortSignal.timeout(5_000));
    await client.create(WIDGET, widget('last', {}));
    await informer.waitFor(`${namespace}/last`, (object) => object !== undefined, AbortSignal.timeout(5_000));
    expect(told.filter((line) => line.endsWith(' after'))).toEqual(['added after', 'modified after', 'deleted after']);
  });
});

describe('apply', () => {
  test('an idle object costs nothing; drift is mended; a new process changes nothing', async () => {
    const applier = createApplier({client, fieldManager: 'kube-test-apply'});
    const desired = widget('applied', {size: 3});
    const first = await applier.apply(WIDGET, desired, undefined);
    expect(first.changed).toBe(true);
    const before = counts.requests;
    for (let i = 0; i < 20; i++) expect((await applier.apply(WIDGET, desired, first.object)).changed).toBe(false);
    expect(counts.requests).toBe(before);

    const drifted = await client.mergePatch(
      WIDGET,
      refOfObject(desired),
      {spec: {size: 9}, metadata: {labels: {theirs: 'too'}}},
      {fieldManager: 'somebody'},
    );
    const mended = await applier.apply(WIDGET, desired, drifted);
    expect([mended.changed, mended.object.spec.size, mended.object.metadata.labels]).toEqual([true, 3, {made: 'here', theirs: 'too'}]);

    const unlabelled = await client.mergePatch(
      WIDGET,
      refOfObject(desired),
      {metadata: {labels: {made: null}}},
      {fieldManager: 'somebody'},
    );
    expect(unlabelled.metadata.generation).toBe(mended.object.metadata.generation);
    expect((await applier.apply(WIDGET, desired, unlabelled)).object.metadata.labels?.['made']).toBe('here');

    const live = await client.get(WIDGET, refOfObject(desired));
    const restarted = createApplier({client, fieldManager: 'kube-test-apply'});
    const again = await restarted.apply(WIDGET, desired, live);
    expect([again.changed, again.object.metadata.resourceVersion]).toEqual([false, live.metadata.resourceVersion]);
  });

  test('kinds without a generation, too', async () => {
    const applier = createApplier({client, fieldManager: 'kube-test-apply'});
    const desired = map('applied', {a: '1'});
    const {object} = await applier.apply(CONFIG_MAP, desired, undefined);
    const before = counts.requests;
    await applier.apply(CONFIG_MAP, desired, object);
    expect(counts.requests).toBe(before);
    const drifted = await client.mergePatch(CONFIG_MAP, refOfObject(desired), {data: {a: '2'}});
    expect((await applier.apply(CONFIG_MAP, desired, drifted)).object.data).toEqual({a: '1'});
  });
});

describe('lease', () => {
  const timing = {leaseDurationMs: 1_000, renewDeadlineMs: 600, retryPeriodMs: 50};
  const candidate = (identity: string, kube: KubeClient, log: string[]): {stop: AbortController; ended: Promise<unknown>} => {
    const ending = new AbortController();
    const ended = failure(
      runLeaderElection(
        {
          client: kube,
          namespace,
          name: 'election',
          identity,
          ...common,
          ...timing,
          onStarted(leading) {
            log.push(`${identity} leads`);
            leading.addEventListener('abort', () => log.push(`${identity} ends`), {once: true});
          },
        },
        ending.signal,
      ),
    );
    return {stop: ending, ended};
  };

  test('a clean stop hands over at once; a leader that cannot renew ends before its successor begins', async () => {
    const log: string[] = [];
    const a = candidate('a', client, log);
    await until('a to lead', () => log.length === 1, 5_000);
    let cut = false;
    const fragile: KubeClient = Object.assign(Object.create(client) as KubeClient, {
      replace: (...args: Parameters<KubeClient['replace']>) => (cut ? Promise.reject(new Error('cut off')) : client.replace(...args)),
      get: (...args: Parameters<KubeClient['get']>) => (cut ? Promise.reject(new Error('cut off')) : client.get(...args)),
    });
    const b = candidate('b', fragile, log);
    await systemClock.sleep(200);
    const stoppedAt = performance.now();
    a.stop.abort(new Error('clean stop'));
    expect(await a.ended).toBeUndefined();
    await until('b to lead', () => log.includes('b leads'), 5_000);
    expect(performance.now() - stoppedAt).toBeLessThan(900); // not the whole lease duration

    const c = candidate('c', client, log);
    await systemClock.sleep(100);
    cut = true;
    expect(await b.ended).toBeInstanceOf(LeadershipLostError);
    await until('c to lead', () => log.includes('c leads'), 5_000);
    expect(log).toEqual(['a leads', 'a ends', 'b leads', 'b ends', 'c leads']);
    const lease = await client.get(LEASE, {namespace, name: 'election'});
    expect([lease.spec?.holderIdentity, lease.spec?.leaseTransitions]).toEqual(['c', 2]);
    c.stop.abort(new Error('clean stop'));
    expect(await c.ended).toBeUndefined();
    expect((await client.get(LEASE, {namespace, name: 'election'})).spec?.holderIdentity).toBe('');
  }, 20_000);
});

describe('events', () => {
  test('are accepted for namespaced and cluster-scoped objects, and repetitions become a series', async () => {
    const recorder = createEventRecorder({client, component: 'kube-test.basalt.dev', ...common});
    const object = await client.create(CONFIG_MAP, map('eventful'));
    const cluster = await client.get(NAMESPACE, {name: namespace});
    for (let i = 0; i < 3; i++) {
      recorder.event(object, {type: 'Warning', reason: 'ImportFailed', action: 'Import', message: 'ä'.repeat(600)});
      await recorder.flush(AbortSignal.timeout(5_000));
    }
    recorder.event(cluster, {type: 'Normal', reason: 'Ready', action: 'Reconcile', message: 'all is well'});
    await recorder.flush(AbortSignal.timeout(5_000));

    const [event, ...more] = (await client.list(EVENT, {namespace})).items;
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      reason: 'ImportFailed',
      type: 'Warning',
      series: {count: 3},
      regarding: {kind: 'ConfigMap', name: 'eventful', uid: object.metadata.uid},
    });
    const elsewhere = (await client.list(EVENT, {namespace: 'default'})).items.filter(({regarding}) => regarding.name === namespace);
    expect(elsewhere.map(({note}) => note)).toEqual(['all is well']);
    for (const each of elsewhere) await client.delete(EVENT, refOfObject(each));
  });
});

describe('ids', () => {
  test('several processes, one counter, no number twice', async () => {
    const clients = [client, newClient(), newClient()];
    const sequences = clients.map((each) => createSequence({client: each, namespace, name: 'ids-test', blockSize: 4, clock: systemClock}));
    const ids = await Promise.all(Array.from({length: 40}, () => sequences.map((sequence) => sequence.next())).flat());
    expect(new Set(ids).size).toBe(120);
    expect(Math.min(...ids.map(Number))).toBe(1);
    const counter = await client.get(CONFIG_MAP, {namespace, name: 'ids-test'});
    expect(Number(counter.data?.['next'])).toBeGreaterThan(Math.max(...ids.map(Number)));
    const restarted = createSequence({client, namespace, name: 'ids-test', clock: systemClock});
    expect(await restarted.next()).toBe(Number(counter.data?.['next']));
    await Promise.all(clients.slice(1).map((each) => each.close()));
  }, 20_000);
});

async function installWidgets(kube: KubeClient): Promise<void> {
  const schema = {
    type: 'object',
    properties: {
      spec: {type: 'object', properties: {size: {type: 'integer'}, colour: {type: 'string'}}},
      status: {type: 'object', properties: {phase: {type: 'string'}}},
    },
  };
  await kube.apply(CUSTOM_RESOURCE_DEFINITION, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {name: 'widgets.kube-test.basalt.dev'},
    spec: {
      group: WIDGET.group,
      scope: 'Namespaced',
      names: {kind: WIDGET.kind, plural: WIDGET.plural, singular: 'widget'},
      versions: [{name: WIDGET.version, served: true, storage: true, schema: {openAPIV3Schema: schema}, subresources: {status: {}}}],
    },
  });
  for (let attempt = 0; ; attempt++) {
    const error = await failure(kube.list(WIDGET as unknown as ResourceType<AnyObject>, {namespace}));
    if (error === undefined) return;
    if (attempt === 100) throw error;
    await systemClock.sleep(100);
  }
}
