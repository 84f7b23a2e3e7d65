import type {ResourceEvent, ResourceMeta} from '@dot-i/k8s-operator';
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Registry} from 'prom-client';
import {isConflict, isNotFound} from '../../kube/errors.ts';
import {silentLogger} from '../../kube/log.ts';
import type {KubeObject, ResourceType} from '../../kube/objects.ts';
import {startFakeApiServer} from '../../kube/testing/fake-api-server.ts';
import type {FakeApiServer} from '../../kube/testing/fake-api-server.ts';
import {FakeClock} from '../../kube/testing/fake-clock.ts';
import {until} from '../../kube/testing/until.ts';
import {CUSTOM_RESOURCE_DEFINITION} from '../../kube/types.ts';
import {FakeInformer} from '../testing/fake-informer.ts';
import {createManager} from './manager.ts';
import type {Election} from './manager.ts';
import {createRuntimeMetrics} from './metrics.ts';
import {createServedKinds} from './served-kinds.ts';

// After the rest: the package requires client-node, which jest refuses while the same graph is still importing it.
const {ReconcilingOperator} = await import('./reconciling-operator.ts');

type Thing = KubeObject & {readonly status?: {readonly phase?: string; readonly note?: string}};
const THING: ResourceType<Thing> = {group: 'example.org', version: 'v1', plural: 'things', kind: 'Thing', namespaced: true};
const REF = {namespace: 'ns', name: 'a'};
const FINALIZER = 'example.org/finalizer';

/** An operator as a user of the package writes one, with its protected methods in reach of the test. */
class ThingOperator extends ReconcilingOperator {
  onEvent: (event: ResourceEvent) => Promise<void> = () => Promise.resolve();
  initialised = 0;
  protected override async init(): Promise<void> {
    this.initialised += 1;
    await this.watchResource('example.org', 'v1', 'things', (event) => this.onEvent(event));
  }
  putStatus(meta: ResourceMeta, status: unknown): Promise<ResourceMeta> {
    return this.setResourceStatus(meta, status);
  }
  patchStatus(meta: ResourceMeta, status: unknown): Promise<ResourceMeta> {
    return this.patchResourceStatus(meta, status);
  }
  finalizer(event: ResourceEvent, action: (event: ResourceEvent) => Promise<void>): Promise<boolean> {
    return this.handleResourceFinalizer(event, FINALIZER, action);
  }
  uri(namespace?: string): string {
    return this.getCustomResourceApiUri('example.org', 'v1', 'things', namespace);
  }
  register(file: string): Promise<{group: string; plural: string}> {
    return this.registerCustomResourceDefinition(file);
  }
}

let server: FakeApiServer;
let clock: FakeClock;
let informer: FakeInformer<KubeObject>;
let operator: ThingOperator;
/** Events as the handler got them. */
let events: ResourceEvent[];
const leaseless: Election = (onStarted, signal) => {
  onStarted(signal);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
};

beforeEach(async () => {
  server = await startFakeApiServer({types: [THING, CUSTOM_RESOURCE_DEFINITION]});
  clock = new FakeClock();
  informer = new FakeInformer<KubeObject>();
  events = [];
  const client = server.client();
  const kinds = createServedKinds({client, clock, log: silentLogger});
  const manager = createManager({
    clock,
    log: silentLogger,
    metrics: createRuntimeMetrics(new Registry()),
    kinds,
    election: leaseless,
    random: () => 0.5,
  });
  operator = new ThingOperator({kubeConfig: server.kubeConfig(), client, manager, log: silentLogger, createInformer: () => informer});
  operator.onEvent = (event) => {
    events.push(event);
    return Promise.resolve();
  };
});
afterEach(async () => {
  await operator.shutdown();
  await server.close();
});

/** Stores an object on the server and shows it to the operator, as its watch would. */
function appear(more: Partial<Thing['metadata']> = {}, status?: Thing['status']): Thing {
  const stored = server.put(THING, {
    apiVersion: 'example.org/v1',
    kind: 'Thing',
    metadata: {...REF, ...more},
    ...(status === undefined ? {} : {status}),
  });
  informer.set(stored);
  return stored;
}

/** The next event that the handler gets. */
const nextEvent = (): Promise<ResourceEvent> => until('an event', () => events.at(-1));

/** The error with which a promise rejects. */
const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

const stored = (): Thing | undefined => server.object(THING, REF);

describe('start', () => {
  test('runs init once and delivers what is there, and what changes', async () => {
    appear();
    await operator.start();
    const first = await nextEvent();
    expect([first.type, first.meta.id, first.meta.name, first.meta.namespace, first.meta.kind]).toEqual([
      'ADDED',
      'things.example.org/v1',
      'a',
      'ns',
      'Thing',
    ]);
    appear({labels: {changed: 'yes'}});
    await until('the change', () => events.length === 2);
    informer.remove('ns/a');
    await until('the deletion', () => events.length === 3);
    expect([operator.initialised, events.map(({type}) => type)]).toEqual([1, ['ADDED', 'MODIFIED', 'DELETED']]);
  });

  test('fails with a reason when the kind is not served', async () => {
    await server.close();
    server = await startFakeApiServer({types: [CUSTOM_RESOURCE_DEFINITION]});
    const client = server.client();
    const kinds = createServedKinds({client, clock, log: silentLogger});
    const manager = createManager({clock, log: silentLogger, metrics: createRuntimeMetrics(new Registry()), kinds});
    const lonely = new ThingOperator({kubeConfig: server.kubeConfig(), client, manager, log: silentLogger, createInformer: () => informer});
    await expect(lonely.start()).rejects.toThrow(/404|not find|does not serve/);
  });
});

test('a handler that throws gets the event again, with back-off', async () => {
  let failures = 2;
  operator.onEvent = (event) => {
    events.push(event);
    return failures-- > 0 ? Promise.reject(new Error('not yet')) : Promise.resolve();
  };
  appear();
  await operator.start();
  await until('the first try', () => events.length === 1);
  await until('the second try', () => (clock.advance(5), events.length === 2));
  await until('the third try', () => (clock.advance(10), events.length === 3));
  expect(events.map(({type}) => type)).toEqual(['ADDED', 'ADDED', 'ADDED']);
});

describe('status', () => {
  const status = {phase: 'Ready'};
  test('PUT stores it under the version that was seen, and answers the new one', async () => {
    appear();
    await operator.start();
    const {meta} = await nextEvent();
    const after = await operator.putStatus(meta, status);
    expect(stored()?.status).toEqual(status);
    expect(after.resourceVersion).toBe(stored()?.metadata.resourceVersion);
    const [request] = server.requests.filter(({method}) => method === 'PUT');
    expect([request?.path, request?.query.get('fieldManager')]).toEqual([
      '/apis/example.org/v1/namespaces/ns/things/a/status',
      'basalt-operator-status',
    ]);
  });

  test('PATCH merges', async () => {
    appear({}, {phase: 'Old', note: 'kept'});
    await operator.start();
    await operator.patchStatus((await nextEvent()).meta, status);
    expect(stored()?.status).toEqual({phase: 'Ready', note: 'kept'});
  });

  test.each(['putStatus', 'patchStatus'] as const)('%s on a stale version is a conflict that is thrown', async (method) => {
    appear();
    await operator.start();
    const {meta} = await nextEvent();
    server.put(THING, {...(stored() as Thing), status: {phase: 'Other'}});
    expect(isConflict(await errorOf(operator[method](meta, status)))).toBe(true);
    expect(stored()?.status).toEqual({phase: 'Other'});
  });

  test.each(['putStatus', 'patchStatus'] as const)('%s on an object that is gone throws, and is not answered with null', async (method) => {
    appear();
    await operator.start();
    const {meta} = await nextEvent();
    server.remove(THING, REF);
    expect(isNotFound(await errorOf(operator[method](meta, status)))).toBe(true);
  });
});

describe('finalizer', () => {
  const never = (): Promise<void> => Promise.reject(new Error('not to be called'));

  test('is added first, next to those of others, without touching the cached object', async () => {
    appear({finalizers: ['other/one']});
    await operator.start();
    const event = await nextEvent();
    expect(await operator.finalizer(event, never)).toBe(true);
    expect(stored()?.metadata.finalizers).toEqual(['other/one', FINALIZER]);
    expect(event.object.metadata?.finalizers).toEqual(['other/one']);
  });

  test('there already: the handler goes on', async () => {
    appear({finalizers: [FINALIZER]});
    await operator.start();
    expect(await operator.finalizer(await nextEvent(), never)).toBe(false);
    expect(server.writes).toBe(0);
  });

  test('a finalizer that another controller added meanwhile is not lost: conflict', async () => {
    appear();
    await operator.start();
    const event = await nextEvent();
    const current = stored() as Thing;
    server.put(THING, {...current, metadata: {...current.metadata, finalizers: ['other/one']}});
    expect(isConflict(await errorOf(operator.finalizer(event, never)))).toBe(true);
    expect(stored()?.metadata.finalizers).toEqual(['other/one']);
  });

  const deleting = {finalizers: [FINALIZER, 'other/one'], deletionTimestamp: '2026-01-01T00:00:00Z'};

  test('on deletion the action runs, then the finalizer goes, and only ours', async () => {
    appear(deleting);
    await operator.start();
    const event = await nextEvent();
    let cleaned = 0;
    expect(await operator.finalizer(event, () => Promise.resolve(void (cleaned += 1)))).toBe(true);
    expect([cleaned, stored()?.metadata.finalizers]).toEqual([1, ['other/one']]);
  });

  test('an action that fails keeps it, and the error reaches the queue', async () => {
    appear(deleting);
    await operator.start();
    const event = await nextEvent();
    await expect(operator.finalizer(event, () => Promise.reject(new Error('still attached')))).rejects.toThrow('still attached');
    expect(stored()?.metadata.finalizers).toEqual([FINALIZER, 'other/one']);
  });
});

test.each([
  [undefined, '/apis/example.org/v1/things'],
  ['ns', '/apis/example.org/v1/namespaces/ns/things'],
])('the address of a collection in namespace %p', (namespace, path) => {
  expect(operator.uri(namespace)).toBe(`${server.url}${path}`);
});

test('a CRD is applied as it is written, fields that no client model knows included', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'crd-'));
  const file = join(directory, 'crd.yaml');
  const manifest = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.org}
spec:
  group: example.org
  names: {kind: Thing, plural: things}
  versions: [{name: v1, schema: {openAPIV3Schema: {type: object, x-kubernetes-validations: [{rule: "true"}]}}}]
`;
  await writeFile(file, manifest);
  try {
    expect(await operator.register(file)).toMatchObject({group: 'example.org', plural: 'things'});
    const crd = server.object(CUSTOM_RESOURCE_DEFINITION, {name: 'things.example.org'});
    expect(JSON.stringify(crd)).toContain('x-kubernetes-validations');
  } finally {
    await rm(directory, {recursive: true});
  }
});

test('stop ends it without ending the process', async () => {
  appear();
  await operator.start();
  await nextEvent();
  operator.stop();
  await operator.finished;
});
