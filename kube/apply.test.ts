import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {createApplier} from './apply.ts';
import type {Applier} from './apply.ts';
import type {KubeClient} from './client.ts';
import {isConflict} from './errors.ts';
import type {AnyObject, KubeObject, ResourceType} from './objects.ts';
import {startFakeApiServer} from './testing/fake-api-server.ts';
import type {FakeApiServer} from './testing/fake-api-server.ts';
import {SECRET} from './types.ts';
import type {Secret} from './types.ts';

interface Widget extends AnyObject {
  readonly spec: {readonly size?: number; readonly name?: string};
}
const WIDGET: ResourceType<Widget> = {group: 'test.dev', version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true};
const OWNER = {apiVersion: 'test.dev/v1', kind: 'Owner', name: 'o', uid: 'owner-uid', controller: true};
const widget = (spec: Widget['spec'], more: Partial<KubeObject['metadata']> = {}): Widget => ({
  apiVersion: 'test.dev/v1',
  kind: 'Widget',
  metadata: {name: 'a', namespace: 'n', labels: {mine: 'yes'}, ownerReferences: [OWNER], ...more},
  spec,
});

let server: FakeApiServer;
let client: KubeClient;
let applier: Applier;
beforeEach(async () => {
  server = await startFakeApiServer();
  client = server.client({retry: {baseMs: 1}});
  applier = createApplier({client, fieldManager: 'me'});
});
afterEach(() => server.close());

const patches = (): number => server.requests.filter(({method}) => method === 'PATCH').length;
const live = (): Widget => {
  const object = server.object(WIDGET, {namespace: 'n', name: 'a'});
  if (object === undefined) throw new Error('not there');
  return object;
};
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('apply', () => {
  test('creates, then sends nothing as long as all is as it was left', async () => {
    const first = await applier.apply(WIDGET, widget({size: 1}), undefined);
    expect([first.changed, first.object.spec.size]).toEqual([true, 1]);
    for (let i = 0; i < 3; i++) expect(await applier.apply(WIDGET, widget({size: 1}), live())).toEqual({object: live(), changed: false});
    expect(patches()).toBe(1);
    expect(server.requests[0]?.query.get('force')).toBe('true');
  });

  test('a changed wish is sent, and what it no longer says goes away', async () => {
    await applier.apply(WIDGET, widget({size: 1, name: 'x'}), undefined);
    const second = await applier.apply(WIDGET, widget({size: 2}), live());
    expect([second.changed, second.object.spec]).toEqual([true, {size: 2}]);
  });

  test.each([
    ['the spec', {spec: {size: 9}}],
    ['a field of the spec that is not ours', {spec: {colour: 'red'}}],
    ['a label of ours', {metadata: {labels: {mine: 'no'}}}],
    ['the owner', {metadata: {ownerReferences: null}}],
  ])('drift of %s is seen', async (_name, patch) => {
    await applier.apply(WIDGET, widget({size: 1}), undefined);
    await client.mergePatch(WIDGET, {namespace: 'n', name: 'a'}, patch);
    await applier.apply(WIDGET, widget({size: 1}), live());
    expect(patches()).toBe(3);
    expect(live()).toMatchObject({spec: {size: 1}, metadata: {labels: {mine: 'yes'}, ownerReferences: [OWNER]}});
    await applier.apply(WIDGET, widget({size: 1}), live());
    expect(patches()).toBe(3);
  });

  test.each([
    ['the status', 'status', {status: {phase: 'Ready'}}],
    ['labels of others', undefined, {metadata: {labels: {theirs: 'x'}}}],
  ])('a change of %s is no drift', async (_name, subresource, patch) => {
    await applier.apply(WIDGET, widget({size: 1}), undefined);
    await client.mergePatch(WIDGET, {namespace: 'n', name: 'a'}, patch, subresource === undefined ? {} : {subresource});
    await applier.apply(WIDGET, widget({size: 1}), live());
    expect(patches()).toBe(2);
  });

  test('a recreated namesake is applied again', async () => {
    await applier.apply(WIDGET, widget({size: 1}), undefined);
    server.remove(WIDGET, {namespace: 'n', name: 'a'});
    server.put(WIDGET, widget({}));
    expect((await applier.apply(WIDGET, widget({size: 1}), live())).changed).toBe(true);
  });

  test('a cache that lags behind our own apply says nothing against it', async () => {
    await applier.apply(WIDGET, widget({size: 1}), undefined);
    const old = live();
    await applier.apply(WIDGET, widget({size: 2}), old);
    expect(await applier.apply(WIDGET, widget({size: 2}), old)).toEqual({object: old, changed: false});
    expect(patches()).toBe(2);
  });

  test('a new process applies once, which changes nothing', async () => {
    await applier.apply(WIDGET, widget({size: 1}), undefined);
    const restarted = createApplier({client, fieldManager: 'me'});
    expect((await restarted.apply(WIDGET, widget({size: 1}), live())).changed).toBe(false);
    expect(patches()).toBe(2);
    await restarted.apply(WIDGET, widget({size: 1}), live());
    expect(patches()).toBe(2);
    restarted.forget(WIDGET, {namespace: 'n', name: 'a'});
    await restarted.apply(WIDGET, widget({size: 1}), live());
    expect(patches()).toBe(3);
  });

  test('what another manager applied is a conflict unless forced', async () => {
    await client.apply(WIDGET, widget({size: 1}), {fieldManager: 'other'});
    expect(isConflict(await failure(applier.apply(WIDGET, widget({size: 2}), live(), {force: false})))).toBe(true);
    expect((await applier.apply(WIDGET, widget({size: 2}), live())).object.spec.size).toBe(2);
  });

  test('a failed apply is not remembered', async () => {
    server.faults.serverError();
    await failure(applier.apply(WIDGET, widget({size: 1}), undefined));
    expect((await applier.apply(WIDGET, widget({size: 1}), undefined)).changed).toBe(true);
  });

  test('an apply whose answer was lost is sent again', async () => {
    server.faults.reset({afterEffect: true});
    expect((await applier.apply(WIDGET, widget({size: 1}), undefined)).object.spec.size).toBe(1);
    expect(server.objects(WIDGET)).toHaveLength(1);
  });
});

describe('kinds that count no generation', () => {
  const secret = (data: Record<string, string>): Secret => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {name: 's', namespace: 'n'},
    data,
  });
  /** As an informer with a transform shows it: the content is not what was applied, and still comparable with itself. */
  const cached = (): Secret => {
    const {metadata, data = {}, ...rest} = server.object(SECRET, {namespace: 'n', name: 's'}) ?? secret({});
    const {generation: _generation, ...meta} = metadata;
    return {...rest, metadata: meta, data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, `hash of ${value}`]))};
  };
  /** The fake counts generations for every kind; real Secrets have none. */
  const ungenerated = (inner: KubeClient): KubeClient =>
    Object.assign(Object.create(inner) as KubeClient, {
      async apply(...args: Parameters<KubeClient['apply']>) {
        const object = await inner.apply(...args);
        const {generation: _generation, ...metadata} = object.metadata;
        return {...object, metadata};
      },
    });

  test('are compared by content, in the shape of the cache', async () => {
    const secrets = createApplier({client: ungenerated(client), fieldManager: 'me'});
    await secrets.apply(SECRET, secret({a: '1'}), undefined);
    for (let i = 0; i < 3; i++) await secrets.apply(SECRET, secret({a: '1'}), cached());
    await client.mergePatch(SECRET, {namespace: 'n', name: 's'}, {metadata: {annotations: {theirs: 'x'}}});
    await secrets.apply(SECRET, secret({a: '1'}), cached());
    expect(patches()).toBe(2);
    await client.mergePatch(SECRET, {namespace: 'n', name: 's'}, {data: {a: '2'}});
    await secrets.apply(SECRET, secret({a: '1'}), cached());
    expect([patches(), server.object(SECRET, {namespace: 'n', name: 's'})?.data]).toEqual([4, {a: '1'}]);
  });
});
