import {until} from '../../kube/testing/until.ts';
import {afterEach, describe, expect, test} from '@jest/globals';
import {ACCOUNT, CELL, FLAVOR, HOST, KEY_PAIR, NETWORK, REGION} from '../../crds/index.ts';
import type {Cell, Condition, Host, Region} from '../../crds/index.ts';
import type {KubeObject} from '../../kube/objects.ts';
import {NAMESPACE, NODE, POD, ROLE_BINDING, SECRET} from '../../kube/types.ts';
import {VIRTUAL_MACHINE_INSTANCE} from '../kubevirt/types.ts';
import type {VirtualMachineInstance} from '../kubevirt/types.ts';
import {VIRTUALISATION, startHarness} from '../testing/harness.ts';
import type {Harness} from '../testing/harness.ts';
import {accountOf, cellOf, flavorOf, hostOf, networkOf, nodeOf, podOf, regionOf} from '../testing/objects.ts';
import {createAccountController} from './account/controller.ts';
import {createCellController} from './cell/controller.ts';
import {createFlavorController} from './flavor/controller.ts';
import {CLUSTER_INSTANCETYPE} from './flavor/plan.ts';
import {createHostController} from './host/controller.ts';
import {createKeyPairController} from './keypair/controller.ts';
import {createNetworkController} from './network/controller.ts';
import {NETWORK_ATTACHMENT} from './network/plan.ts';
import {createRegionController} from './region/controller.ts';

let harness: Harness;
afterEach(async () => {
  await harness.stop();
});

const start = async (virtualisation = true): Promise<Harness> =>
  (harness = await startHarness({
    virtualisation,
    controllers: (deps) =>
      [
        createRegionController,
        createCellController,
        createHostController,
        createAccountController,
        createFlavorController,
        createNetworkController,
        createKeyPairController,
      ].map((create) => create(deps)),
  }));

/** Without what only a server fills in, as a person writes it. */
const written = <T extends KubeObject>(object: T): T => {
  const {name, namespace, labels} = object.metadata;
  return {...object, metadata: {name, ...(namespace === undefined ? {} : {namespace}), ...(labels === undefined ? {} : {labels})}};
};

const is = (type: string, status: string) => (object: KubeObject & {readonly status?: {readonly conditions?: readonly Condition[]}}) =>
  object.status?.conditions?.some((condition) => condition.type === type && condition.status === status) ?? false;

describe('a region with a cell and a host', () => {
  const build = async (): Promise<void> => {
    const {deps, server} = await start();
    server.put(NODE, written(nodeOf('bm-0')));
    await deps.client.create(HOST, written(hostOf('bm-0', {region: 'r', cell: 'c'})));
    await deps.client.create(CELL, written(cellOf('c', 'r')));
    await deps.client.create(REGION, written(regionOf('r')));
    await harness.eventually(REGION, 'r', (region) => region.status?.free?.cpuCores === 7);
  };

  test('comes together in whatever order it is written, with ids, labels and sums, and then rests', async () => {
    await build();
    const host = await harness.eventually(HOST, 'bm-0', is('Ready', 'True'));
    await harness.eventually(CELL, 'c', (cell) => cell.status?.hosts === 1 && is('Ready', 'True')(cell));
    const region = await harness.eventually(REGION, 'r', (object) => object.status?.hosts === 1);
    expect([host.spec.id, region.spec.id, region.status?.uuid]).toEqual([1, 1, region.metadata.uid]);
    expect(host.metadata.finalizers).toEqual(['basalt.dev/finalizer']);
    expect(region.metadata.finalizers).toEqual(['basalt.dev/finalizer']);
    expect(harness.server.object(NODE, {name: 'bm-0'})?.metadata.labels).toMatchObject({
      'topology.basalt.dev/region': 'r',
      'topology.basalt.dev/cell': 'c',
      'topology.basalt.dev/host': 'bm-0',
    });
    const before = await harness.quiet();
    harness.server.compact();
    harness.server.endWatches('reset'); // the caches are listed anew: that writes nothing
    expect(await harness.quiet()).toBe(before);
  });

  test('counts servers and what their launchers ask for', async () => {
    await build();
    harness.server.put(POD, written(podOf('virt-launcher-s', 'bm-0', {cpu: '1', memory: '1Gi'})));
    harness.server.put(VIRTUAL_MACHINE_INSTANCE, {
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachineInstance',
      metadata: {name: 's', namespace: 'acct-demo'},
      spec: {},
      status: {nodeName: 'bm-0'},
    } as unknown as VirtualMachineInstance);
    const counts = (host: Host) => host.status?.servers === 1 && host.status.requested?.cpuMilli === 1000;
    const host = await harness.eventually(HOST, 'bm-0', counts);
    expect(host.status?.free).toEqual({cpuCores: 6, cpuMilli: 6500, memoryMiB: 14 * 1024});
    await harness.eventually(REGION, 'r', (region) => region.status?.servers === 1);
  });

  test('maintenance cordons the node, and its end lifts that', async () => {
    await build();
    const {client} = harness.deps;
    await client.mergePatch(HOST, {name: 'bm-0'}, {spec: {maintenance: {mode: 'Cordon'}}});
    await harness.eventually(NODE, 'bm-0', (node) => node.spec?.unschedulable === true);
    await harness.eventually(HOST, 'bm-0', (host) => is('MaintenanceActive', 'True')(host) && is('Ready', 'False')(host));
    await client.mergePatch(HOST, {name: 'bm-0'}, {spec: {maintenance: {mode: 'None'}}});
    await harness.eventually(NODE, 'bm-0', (node) => node.spec?.unschedulable !== true);
    await harness.eventually(HOST, 'bm-0', is('Ready', 'True'));
    expect(harness.events.filter(({object}) => object === 'Host bm-0').map(({type, reason}) => `${type} ${reason}`)).toContain(
      'Warning Cordoned',
    );
  });

  test('a deleted host leaves no label behind', async () => {
    await build();
    await harness.deps.client.delete(HOST, {name: 'bm-0'});
    await harness.gone(HOST, 'bm-0');
    const labels = Object.keys(harness.server.object(NODE, {name: 'bm-0'})?.metadata.labels ?? {});
    expect(labels.filter((label) => label.startsWith('topology.basalt.dev'))).toEqual([]);
    await harness.eventually(REGION, 'r', (region) => region.status?.hosts === 0);
  });

  test('a region and a cell stay while something is below them, say what, and go with the last of it', async () => {
    await build();
    const {client} = harness.deps;
    const deleting = (object: Region | Cell) => object.status?.conditions?.find(({type}) => type === 'Deleting');
    await client.delete(REGION, {name: 'r'});
    const region = await harness.eventually(REGION, 'r', is('Deleting', 'True'));
    expect(deleting(region)).toMatchObject({reason: 'CellsRemain', message: 'cells are still in it: c'});
    await client.delete(CELL, {name: 'c'});
    const cell = await harness.eventually(CELL, 'c', is('Deleting', 'True'));
    expect(deleting(cell)).toMatchObject({reason: 'HostsRemain', message: 'hosts are still in it: bm-0'});
    const before = await harness.quiet();
    expect([harness.server.object(REGION, {name: 'r'}), await harness.quiet()]).toEqual([expect.anything(), before]);
    await client.delete(HOST, {name: 'bm-0'});
    await harness.gone(CELL, 'c');
    await harness.gone(REGION, 'r');
  });

  test('a region waits for hosts without a cell too', async () => {
    const {deps} = await start();
    await deps.client.create(REGION, written(regionOf('r')));
    await deps.client.create(HOST, written(hostOf('h', {region: 'r'})));
    await harness.eventually(REGION, 'r', (region) => region.status?.hosts === 1);
    await deps.client.delete(REGION, {name: 'r'});
    const region = await harness.eventually(REGION, 'r', is('Deleting', 'True'));
    expect(region.status?.conditions?.find(({type}) => type === 'Deleting')?.reason).toBe('HostsRemain');
    await deps.client.delete(HOST, {name: 'h'});
    await harness.gone(REGION, 'r');
  });

  test('two hosts never fight over one node: the older has it', async () => {
    await build();
    await harness.deps.client.create(HOST, written(hostOf('later', {region: 'r', hostname: 'bm-0'})));
    const later = await harness.eventually(HOST, 'later', is('NodeFound', 'False'));
    expect(later.status?.conditions?.find(({type}) => type === 'NodeFound')).toMatchObject({reason: 'NodeTaken'});
    expect(harness.server.object(NODE, {name: 'bm-0'})?.metadata.labels?.['topology.basalt.dev/host']).toBe('bm-0');
  });

  test('a node that appears later is found', async () => {
    const {deps, server} = await start();
    await deps.client.create(REGION, written(regionOf('r')));
    await deps.client.create(HOST, written(hostOf('rack-7', {address: '10.0.0.1'})));
    await harness.eventually(HOST, 'rack-7', is('NodeFound', 'False'));
    server.put(NODE, written(nodeOf('bm-0')));
    await harness.eventually(HOST, 'rack-7', (host) => host.status?.nodeName === 'bm-0');
  });
});

test('an id that an older object has is refused on the younger', async () => {
  const {deps} = await start();
  await deps.client.create(REGION, written(regionOf('first', {id: 7})));
  await harness.eventually(REGION, 'first', is('Ready', 'True'));
  harness.server.put(REGION, {
    ...written(regionOf('second', {id: 7})),
    metadata: {name: 'second', creationTimestamp: '2099-01-01T00:00:00Z'},
  });
  const second = await harness.eventually(REGION, 'second', is('Ready', 'False'));
  expect(second.status?.conditions?.[0]).toMatchObject({reason: 'DuplicateId'});
});

test('a paused object is left alone', async () => {
  const {deps, server} = await start();
  const paused = {...written(regionOf('r')), metadata: {name: 'r', annotations: {'basalt.dev/paused': 'true'}}};
  await deps.client.create(REGION, paused);
  await harness.quiet();
  expect(server.object(REGION, {name: 'r'})?.status).toBeUndefined();
  await deps.client.mergePatch(REGION, {name: 'r'}, {metadata: {annotations: {'basalt.dev/paused': null}}});
  await harness.eventually(REGION, 'r', is('Ready', 'True'));
});

describe('an account', () => {
  const password = Buffer.from('secret-word').toString('base64');

  test('becomes a namespace with the owner’s rights in it', async () => {
    const {deps} = await start();
    await deps.client.create(ACCOUNT, written(accountOf('demo')));
    const account = await harness.eventually(ACCOUNT, 'demo', is('Ready', 'True'));
    expect(account.status).toMatchObject({namespace: 'acct-demo', phase: 'Active'});
    expect(harness.server.object(NAMESPACE, {name: 'acct-demo'})?.metadata.ownerReferences?.[0]?.uid).toBe(account.metadata.uid);
    const bindings = harness.server
      .objects(ROLE_BINDING, 'acct-demo')
      .map(({roleRef, subjects}) => `${roleRef.name} ${subjects?.[0]?.name}`);
    expect(bindings.toSorted()).toEqual(['basalt-edit demo@example.org', 'basalt-view demo@example.org']);
    const before = await harness.quiet();
    harness.server.endWatches('reset');
    expect(await harness.quiet()).toBe(before);
  });

  test('has its credentials hashed, whichever comes first, and labelled', async () => {
    const {deps, server} = await start();
    const ref = {namespace: 'basalt-system', name: 'demo-credentials'};
    await deps.client.create(SECRET, {apiVersion: 'v1', kind: 'Secret', metadata: ref, data: {password}});
    await deps.client.create(ACCOUNT, written(accountOf('demo')));
    await harness.eventually(SECRET, ref.name, (secret) => secret.data?.['password.hash'] !== undefined, ref.namespace);
    expect(server.object(SECRET, ref)).toMatchObject({metadata: {labels: {'basalt.dev/account': 'demo'}}});
    expect(server.object(SECRET, ref)?.data).not.toHaveProperty('password');
    await deps.client.mergePatch(SECRET, ref, {data: {token: Buffer.from('t1').toString('base64')}});
    await harness.eventually(
      SECRET,
      ref.name,
      (secret) => secret.data?.['token.hash'] !== undefined && secret.data['token'] === undefined,
      ref.namespace,
    );
    expect(JSON.stringify(harness.events)).not.toContain('secret-word');
  });

  test('does not take over a namespace of somebody else', async () => {
    const {deps, server} = await start();
    server.put(NAMESPACE, {apiVersion: 'v1', kind: 'Namespace', metadata: {name: 'acct-demo', labels: {'basalt.dev/account': 'demo'}}});
    await deps.client.create(ACCOUNT, written(accountOf('demo')));
    const account = await harness.eventually(ACCOUNT, 'demo', is('Ready', 'False'));
    expect(account.status?.conditions?.[0]?.reason).toBe('NamespaceTaken');
    await deps.client.delete(ACCOUNT, {name: 'demo'});
    await harness.gone(ACCOUNT, 'demo');
    expect(server.object(NAMESPACE, {name: 'acct-demo'})).toBeDefined();
  });

  test('is gone only when its namespace is, and takes its credentials along', async () => {
    const {deps, server} = await start();
    const ref = {namespace: 'basalt-system', name: 'demo-credentials'};
    await deps.client.create(SECRET, {apiVersion: 'v1', kind: 'Secret', metadata: ref, data: {password}});
    await deps.client.create(ACCOUNT, written(accountOf('demo')));
    await harness.eventually(ACCOUNT, 'demo', is('Ready', 'True'));
    const namespace = await harness.eventually(NAMESPACE, 'acct-demo', () => true);
    server.put(NAMESPACE, {...namespace, metadata: {...namespace.metadata, finalizers: ['kubernetes']}});
    await deps.client.delete(ACCOUNT, {name: 'demo'});
    const deleting = await harness.eventually(ACCOUNT, 'demo', is('Deleting', 'True'));
    expect(deleting.status).toMatchObject({phase: 'Deleting'});
    server.remove(NAMESPACE, {name: 'acct-demo'});
    await harness.gone(ACCOUNT, 'demo');
    expect(server.object(SECRET, ref)).toBeUndefined();
  });
});

describe('without KubeVirt, CDI and Multus', () => {
  test('the rest works, and readiness names what is missing', async () => {
    const {deps, manager, server} = await start(false);
    server.put(NODE, written(nodeOf('bm-0')));
    await deps.client.create(REGION, written(regionOf('r')));
    await deps.client.create(HOST, written(hostOf('bm-0')));
    await deps.client.create(FLAVOR, written(flavorOf('tiny')));
    await deps.client.create(NETWORK, written(networkOf('public')));
    await harness.eventually(HOST, 'bm-0', is('Ready', 'True'));
    const flavor = await harness.eventually(FLAVOR, 'tiny', is('Ready', 'True'));
    expect(flavor.status?.conditions?.[0]?.message).toContain('does not serve virtualmachineclusterinstancetypes');
    const network = await harness.eventually(NETWORK, 'public', is('Ready', 'False'), 'basalt-system');
    expect(network.status?.conditions?.[0]?.reason).toBe('AttachmentMissing');
    const mandatory = VIRTUALISATION.filter(({group}) => group === 'kubevirt.io' || group === 'cdi.kubevirt.io');
    // Other kinds may still be on their first list.
    await until('only what is missing is unready', () => (manager.unready().length === mandatory.length ? true : undefined));
    expect(manager.unready().toSorted()).toEqual(
      mandatory.map(({plural, group}) => `the cluster does not serve ${plural}.${group}: is its CRD installed?`).toSorted(),
    );
  });
});

test('a flavor is published, kept as it should be, and its instancetype goes with it', async () => {
  const {deps, server} = await start();
  await deps.client.create(FLAVOR, written(flavorOf('tiny')));
  const flavor = await harness.eventually(FLAVOR, 'tiny', is('Ready', 'True'));
  const published = await harness.eventually(CLUSTER_INSTANCETYPE, 'basalt-tiny', ({spec}) => spec.cpu.guest === 2);
  expect([published.spec.memory.guest, published.metadata.ownerReferences?.[0]?.uid]).toEqual(['512Mi', flavor.metadata.uid]);
  server.remove(CLUSTER_INSTANCETYPE, {name: 'basalt-tiny'});
  await harness.eventually(CLUSTER_INSTANCETYPE, 'basalt-tiny', () => true);
  await deps.client.delete(FLAVOR, {name: 'tiny'});
  await harness.gone(CLUSTER_INSTANCETYPE, 'basalt-tiny');
});

describe('a network', () => {
  test('is attached, and not deleted while a server has an address of it', async () => {
    const {deps, server} = await start();
    const ref = {namespace: 'basalt-system', name: 'public'};
    await deps.client.create(
      NETWORK,
      written(networkOf('public', {cidr: '10.0.0.0/24', ranges: [{start: '10.0.0.10', end: '10.0.0.19'}]})),
    );
    const network = await harness.eventually(NETWORK, 'public', is('Ready', 'True'), ref.namespace);
    expect(network.status).toMatchObject({total: 10, free: 10, nad: 'public'});
    expect(server.object(NETWORK_ATTACHMENT, ref)).toBeDefined();
    const leases = [{address: '10.0.0.10', macAddress: '02:00:00:00:00:01', server: 's', namespace: 'acct-demo', index: 0}];
    await deps.client.replace(NETWORK, {...network, status: {...network.status, leases}}, {subresource: 'status'});
    await harness.eventually(NETWORK, 'public', ({status}) => status?.free === 9, ref.namespace);
    await deps.client.delete(NETWORK, ref);
    const waiting = await harness.eventually(NETWORK, 'public', is('Deleting', 'True'), ref.namespace);
    expect(waiting.status?.leases).toEqual(leases);
    await deps.client.replace(NETWORK, {...waiting, status: {...waiting.status, leases: []}}, {subresource: 'status'});
    await harness.gone(NETWORK, 'public', ref.namespace);
  });
});

test('a key pair shows its fingerprint, and an unreadable key is said to be one', async () => {
  const {deps} = await start();
  const keyPair = (name: string, publicKey: string) => ({
    apiVersion: 'basalt.dev/v1alpha1',
    kind: 'KeyPair' as const,
    metadata: {name, namespace: 'acct-demo'},
    spec: {name, publicKey},
  });
  await deps.client.create(KEY_PAIR, keyPair('good', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ'));
  await deps.client.create(KEY_PAIR, keyPair('bad', 'ssh-ed25519 AAAA'));
  const good = await harness.eventually(KEY_PAIR, 'good', is('Ready', 'True'), 'acct-demo');
  expect(good.status?.fingerprint).toBe('46:5d:0f:4b:7b:74:b6:5f:ce:80:b0:33:70:9e:33:96');
  await harness.eventually(KEY_PAIR, 'bad', is('Ready', 'False'), 'acct-demo');
});
