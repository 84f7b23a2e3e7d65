import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {SERVER} from '../../../../crds/index.ts';
import type {Server} from '../../../../crds/index.ts';
import type {KubeClient} from '../../../../kube/client.ts';
import {silentLogger} from '../../../../kube/log.ts';
import {startFakeApiServer} from '../../../../kube/testing/fake-api-server.ts';
import type {FakeApiServer} from '../../../../kube/testing/fake-api-server.ts';
import {VMI} from '../types.ts';
import type {Vmi} from '../types.ts';
import {REACH_ANNOTATION} from './reach.ts';
import {removeStaleReach} from './stale-reach.ts';

const SAID = 'ssh=127.1.16.10:22';
let api: FakeApiServer;
let client: KubeClient;

beforeEach(async () => {
  api = await startFakeApiServer();
  client = api.client();
});
afterEach(async () => {
  await client.close();
  await api.close();
});

const metadata = (name: string, said: string | undefined) => ({
  name,
  namespace: 'a',
  annotations: {other: 'stays', ...(said === undefined ? {} : {[REACH_ANNOTATION]: said})},
});
const server = async (name: string, said: string | undefined): Promise<void> => {
  await client.create(SERVER, {apiVersion: 'basalt.dev/v1alpha1', kind: 'Server', metadata: metadata(name, said), spec: {name}} as Server);
};
const vmi = async (name: string, said: string | undefined): Promise<Vmi> =>
  await client.create(VMI, {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: metadata(name, said),
    spec: {domain: {}},
  } as unknown as Vmi);
const said = async (type: typeof SERVER | typeof VMI, name: string) =>
  (await client.get(type as typeof SERVER, {namespace: 'a', name})).metadata.annotations;

test('a server and an instance whose guest has ended are reached nowhere; where one lives, nothing is written', async () => {
  for (const [name, text] of [
    ['lives', SAID],
    ['ended', SAID],
    ['instance-ended', SAID],
    ['never', undefined],
  ] as const)
    await server(name, text);
  const vmis = [await vmi('lives', SAID), await vmi('instance-ended', SAID)];
  const before = api.requests.length;
  expect(await removeStaleReach({client, vmis, lives: (key) => key === 'a/lives', log: silentLogger})).toEqual([
    'a/instance-ended',
    'a/ended',
  ]);
  expect(api.requests.slice(before).filter(({method}) => method === 'PATCH')).toHaveLength(3);
  expect(await said(SERVER, 'lives')).toEqual({other: 'stays', [REACH_ANNOTATION]: SAID});
  expect(await said(VMI, 'lives')).toEqual({other: 'stays', [REACH_ANNOTATION]: SAID});
  for (const type of [SERVER, VMI]) expect(await said(type, 'instance-ended')).toEqual({other: 'stays'});
  expect(await said(SERVER, 'ended')).toEqual({other: 'stays'});
});

test('an API server that is gone is no reason not to start', async () => {
  await api.close();
  const impatient = {...client, list: () => Promise.reject(new Error('gone'))} as unknown as KubeClient;
  expect(await removeStaleReach({client: impatient, vmis: [], lives: () => false, log: silentLogger})).toEqual([]);
});
