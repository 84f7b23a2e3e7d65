import {afterEach, beforeEach, expect, test} from '@jest/globals';
import type {AnyObject, ResourceType} from '../../../kube/objects.ts';
import type {KubeClient} from '../../../kube/client.ts';
import {startFakeApiServer, type FakeApiServer} from '../../../kube/testing/fake-api-server.ts';
import {Kinds} from './kinds.ts';
import {ManifestWriter} from './writer.ts';

const node = (name: string, zone = 'a'): AnyObject => ({apiVersion: 'v1', kind: 'Node', metadata: {name, labels: {zone}}});
const secret = (namespace: string): AnyObject => ({apiVersion: 'v1', kind: 'Secret', metadata: {name: 's', namespace}});
const OBJECTS = [node('bm-000'), node('bm-001'), secret('one'), secret('two')];
const never = new AbortController().signal;

let server: FakeApiServer;
let client: KubeClient;
const kinds = new Kinds();
const open = (): Promise<ManifestWriter> => ManifestWriter.open(client, kinds, never);
const there = (object: AnyObject): AnyObject | undefined => {
  const {name, namespace} = object.metadata;
  return server.object(kinds.of(object) as ResourceType, namespace === undefined ? {name} : {name, namespace});
};

beforeEach(async () => {
  server = await startFakeApiServer();
  client = server.client();
  const first = await open();
  expect(await first.write(OBJECTS)).toBe(4);
  await first.save();
});
afterEach(() => server.close());

test('what is written and there is not written again', async () => {
  const before = server.writes;
  expect(await (await open()).write(OBJECTS)).toBe(0);
  expect(server.writes).toBe(before);
});

test('what changed is written', async () => {
  expect(await (await open()).write([node('bm-000', 'b'), ...OBJECTS.slice(1)])).toBe(1);
  expect(there(node('bm-000'))?.metadata.labels).toEqual({zone: 'b'});
});

test('what somebody deleted is written again, in its own namespace', async () => {
  await client.delete(kinds.of(node('bm-001')), {name: 'bm-001'});
  await client.delete(kinds.of(secret('two')), {namespace: 'two', name: 's'});
  expect(await (await open()).write(OBJECTS)).toBe(2);
  for (const object of OBJECTS) expect(there(object)).toBeDefined();
});

test('an empty list may come as null, as the server sends it', async () => {
  server.on('GET', /^\/api\/v1\/nodes$/, () => ({status: 200, body: {kind: 'PartialObjectMetadataList', items: null}}));
  expect(await (await open()).write(OBJECTS)).toBe(2);
});
