/** The fake's own rules, where tests of others rely on them. */
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import type {KubeClient} from '../client.ts';
import {isConflict, isGone, isInvalid, isNotFound} from '../errors.ts';
import type {AnyObject, ResourceType, WatchEvent} from '../objects.ts';
import {NAMESPACE, POD} from '../types.ts';
import type {Pod} from '../types.ts';
import {startFakeApiServer} from './fake-api-server.ts';
import type {FakeApiServer} from './fake-api-server.ts';

interface Widget extends AnyObject {
  readonly spec: {readonly size?: number; readonly host?: string};
  readonly status?: {readonly phase?: string};
}
const WIDGET: ResourceType<Widget> = {group: 'test.dev', version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true};
const REF = {namespace: 'n', name: 'a'};
const widget = (name: string, spec: Widget['spec'] = {}, metadata: object = {}): Widget => ({
  apiVersion: 'test.dev/v1',
  kind: 'Widget',
  metadata: {name, namespace: 'n', ...metadata},
  spec,
});

let server: FakeApiServer;
let client: KubeClient;
beforeEach(async () => {
  server = await startFakeApiServer({collectGarbage: true});
  client = server.client({retry: {maxRetries: 0}});
});
afterEach(() => server.close());

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('writes', () => {
  test('one that changes nothing moves no version', async () => {
    const made = await client.create(WIDGET, widget('a', {size: 1}));
    expect((await client.mergePatch(WIDGET, REF, {spec: {size: 1}})).metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  });

  test('the status is out of reach of all but /status', async () => {
    const made = await client.create(WIDGET, {...widget('a'), status: {phase: 'X'}});
    expect(made.status).toBeUndefined();
    expect((await client.mergePatch(WIDGET, REF, {status: {phase: 'Y'}})).status).toBeUndefined();
    const stored = await client.mergePatch(WIDGET, REF, {status: {phase: 'Z'}, spec: {size: 5}}, {subresource: 'status'});
    expect([stored.status?.phase, stored.spec.size, stored.metadata.generation]).toEqual(['Z', undefined, 1]);
  });

  test('locks: resourceVersion in a patch, uid in a delete, test in a JSON patch', async () => {
    const made = await client.create(WIDGET, widget('a', {size: 1}));
    await client.mergePatch(WIDGET, REF, {spec: {size: 2}});
    const {resourceVersion} = made.metadata;
    expect(isConflict(await failure(client.mergePatch(WIDGET, REF, {metadata: {resourceVersion}, spec: {size: 3}})))).toBe(true);
    expect(isConflict(await failure(client.delete(WIDGET, REF, {preconditions: {uid: 'other'}})))).toBe(true);
    expect(isInvalid(await failure(client.jsonPatch(WIDGET, REF, [{op: 'test', path: '/spec/size', value: 1}])))).toBe(true);
    expect((await client.jsonPatch(WIDGET, REF, [{op: 'remove', path: '/spec/size'}])).spec).toEqual({});
  });

  test('finalizers hold a deleted object, and its last one lets it go', async () => {
    await client.create(WIDGET, widget('a', {}, {finalizers: ['x/y']}));
    await client.delete(WIDGET, REF);
    expect((await client.get(WIDGET, REF)).metadata.deletionTimestamp).toBeDefined();
    await client.mergePatch(WIDGET, REF, {metadata: {finalizers: null}});
    expect(isNotFound(await failure(client.get(WIDGET, REF)))).toBe(true);
  });

  test('what an owner leaves behind is collected when asked for', async () => {
    const owner = await client.create(WIDGET, widget('a'));
    const reference = {apiVersion: 'test.dev/v1', kind: 'Widget', name: 'a', uid: owner.metadata.uid};
    await client.create(WIDGET, widget('child', {}, {ownerReferences: [reference]}));
    await client.delete(WIDGET, REF);
    expect(server.objects(WIDGET)).toEqual([]);
  });
});

describe('reads', () => {
  test.each([
    ['app=web', undefined, ['a']],
    ['app!=web', undefined, ['b', 'c']],
    ['app', undefined, ['a', 'b']],
    ['!app', undefined, ['c']],
    ['app in (web, db)', undefined, ['a', 'b']],
    ['app notin (web),tier', undefined, ['b']],
    [undefined, 'metadata.name=b', ['b']],
    [undefined, 'spec.host=h1', ['a', 'c']],
    [undefined, 'spec.host!=h1', ['b']],
    ['app', 'spec.host=h1', ['a']],
  ])('selected by %s and %s', async (labelSelector, fieldSelector, expected) => {
    server.put(WIDGET, widget('a', {host: 'h1'}, {labels: {app: 'web'}}));
    server.put(WIDGET, widget('b', {host: 'h2'}, {labels: {app: 'db', tier: '1'}}));
    server.put(WIDGET, widget('c', {host: 'h1'}));
    const {items} = await client.list(WIDGET, {
      ...(labelSelector === undefined ? {} : {labelSelector}),
      ...(fieldSelector === undefined ? {} : {fieldSelector}),
    });
    expect(items.map((item) => item.metadata.name)).toEqual(expected);
  });

  test('a continue token from before a compaction is gone', async () => {
    for (const name of ['a', 'b']) server.put(WIDGET, widget(name));
    const page = await client.list(WIDGET, {limit: 1});
    server.put(WIDGET, widget('c'));
    server.compact();
    expect(isGone(await failure(client.list(WIDGET, {limit: 1, continue: page.continue ?? ''})))).toBe(true);
  });

  test('namespaces are both a kind and a scope', async () => {
    await client.create(NAMESPACE, {apiVersion: 'v1', kind: 'Namespace', metadata: {name: 'n'}});
    const pod: Pod = {apiVersion: 'v1', kind: 'Pod', metadata: {name: 'p', namespace: 'n'}};
    await client.create(POD, pod);
    expect((await client.get(NAMESPACE, {name: 'n'})).kind).toBe('Namespace');
    expect((await client.list(POD, {namespace: 'n'})).items).toHaveLength(1);
    expect((await client.list(POD, {namespace: 'other'})).items).toEqual([]);
  });

  test('only what is served is there, discovery included', async () => {
    const small = await startFakeApiServer({types: [WIDGET]});
    try {
      const kube = small.client();
      expect(isNotFound(await failure(kube.list(POD)))).toBe(true);
      const {body} = await kube.raw('GET', '/apis/test.dev/v1');
      expect(JSON.parse(body.toString())).toMatchObject({resources: [{name: 'widgets', kind: 'Widget', namespaced: true}]});
      expect((await kube.raw('GET', '/apis/kubevirt.io/v1', {acceptErrors: true})).status).toBe(404);
    } finally {
      await small.close();
    }
  });
});

test('a watch tells the history since its version, then what follows, then bookmarks', async () => {
  const first = server.put(WIDGET, widget('a'));
  server.put(WIDGET, widget('b'));
  const seen: string[] = [];
  const stop = new AbortController();
  const read = async (events: AsyncIterable<WatchEvent<Widget>>): Promise<void> => {
    for await (const {type, object} of events) {
      seen.push(`${type} ${object.metadata.name ?? ''}`.trim());
      if (seen.length === 1) server.remove(WIDGET, REF);
      if (seen.length === 2) server.bookmark();
      if (seen.length === 3) stop.abort(new Error('enough'));
    }
  };
  await failure(read(client.watch(WIDGET, {resourceVersion: first.metadata.resourceVersion ?? '', signal: stop.signal})));
  expect(seen).toEqual(['ADDED b', 'DELETED a', 'BOOKMARK']);
});
