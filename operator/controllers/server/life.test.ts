/** Servers through the whole operator: from an image, waiting for what is missing, and to the last trace. */
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {DRIVE, IMAGE, KEY_PAIR, SERVER} from '../../../crds/index.ts';
import type {Server} from '../../../crds/index.ts';
import type {ResourceType} from '../../../kube/objects.ts';
import {until} from '../../../kube/testing/until.ts';
import {PERSISTENT_VOLUME_CLAIM, SECRET} from '../../../kube/types.ts';
import {DATA_SOURCE, DATA_VOLUME, VIRTUAL_MACHINE, VIRTUAL_MACHINE_INSTANCE} from '../../kubevirt/types.ts';
import {NS, Scenario, conditionOf} from './testing/scenario.ts';

let world: Scenario;
beforeEach(async () => {
  world = await Scenario.start();
});
afterEach(() => world.stop());

describe('a server from an image', () => {
  test('becomes ACTIVE with a root drive, an address, a seed and every condition, and is idle then', async () => {
    await world.createImage('debian');
    await world.create(KEY_PAIR, {metadata: {name: 'key', namespace: NS}, spec: {name: 'key', publicKey: 'ssh-ed25519 AAAA me'}});
    const first = await world.createServer('web', {image: {namespace: 'basalt-system', name: 'debian'}, keyPairs: ['key']});
    const server = await world.serverIs('web', 'ACTIVE');
    expect(server.status).toMatchObject({
      uuid: first.metadata.uid,
      progressPercent: 100,
      ip: '10.251.0.10',
      host: 'node-1',
      virtualMachine: 'web',
      resources: {flavor: 'small', cores: 2, memoryMiB: 2048, diskGiB: 3},
      nics: [{index: 0, network: 'basalt-system/public', address: '10.251.0.10', addressType: 'Fixed'}],
      observedGeneration: server.metadata.generation,
    });
    expect(server.status?.history?.map(({phase}) => phase)).toEqual(['BUILD', 'ACTIVE']);
    const settled = await world.server('web', (seen) => conditionOf(seen, 'Ready')?.status === 'True');
    expect(settled.status?.conditions?.map(({type, status}) => `${type}=${status}`)).toEqual([
      'Ready=True',
      'FlavorResolved=True',
      'QuotaGranted=True',
      'ImageReady=True',
      'DrivesReady=True',
      'NetworksReady=True',
      'BootDataReady=True',
      'VirtualMachineSynced=True',
      'Placed=True',
      'PowerStateSynced=True',
      'Running=True',
      'RestartRequired=False',
      'Migrating=False',
      'Migratable=False',
      'AgentConnected=False',
      'Deleting=False',
      'Paused=False',
    ]);
    const root = await world.drive('web-root', ({status}) => status?.phase === 'Ready' && status.server === 'web');
    expect(root.spec).toMatchObject({sizeBytes: 3 * 1024 ** 3, source: {image: {namespace: 'basalt-system', name: 'debian'}}});
    const seed = world.operator.server.object(SECRET, {namespace: NS, name: 'web-cloudinit'});
    expect(Buffer.from(seed?.data?.['userdata'] ?? '', 'base64').toString()).toContain('ssh-ed25519 AAAA me');

    const writes = await world.operator.quiet();
    world.operator.server.bookmark();
    world.clock.advance(60_000);
    expect(await world.operator.quiet()).toBe(writes);
  });

  test('few writes: all of the operator up to ACTIVE, image and root drive aside', async () => {
    await world.createImage('debian');
    await world.image('debian', ({status}) => status?.phase === 'Ready');
    await world.operator.quiet();
    const before = world.operator.server.requests.length;
    await world.createServer('web', {id: 7, image: {namespace: 'basalt-system', name: 'debian'}});
    await world.serverIs('web', 'ACTIVE');
    const writes = world.operator.server.requests
      .slice(before)
      .filter(({method, status, path}) => method !== 'GET' && status < 300 && !path.includes('configmaps'))
      .map(({method, path}) => `${method} ${path.replace(/.*\/(?=\w+\/(web|public)|servers$|drives$|datavolumes$)/, '')}`);
    expect(writes.toSorted()).toEqual(
      [
        'POST servers',
        'PATCH servers/web', // the finalizer
        'PUT networks/public/status',
        'POST drives',
        'POST datavolumes',
        'PATCH secrets/web-cloudinit',
        'PATCH virtualmachines/web',
        ...writes.filter((write) => write === 'PUT servers/web/status'),
        ...writes.filter((write) => write.startsWith('PUT drives/')),
      ].toSorted(),
    );
    expect(writes.filter((write) => write.startsWith('PUT drives/')).length).toBeLessThanOrEqual(3);
    // BUILD and ACTIVE. A busy machine may see the guest start in between, which is worth a write if it says something new.
    const statuses = world.operator.server.requests
      .slice(before)
      .filter(({method, path, status}) => method === 'PUT' && status < 300 && path.endsWith('/servers/web/status'))
      .map(({body}) => (body as Server).status);
    expect([
      ['BUILD', 'ACTIVE'],
      ['BUILD', 'BUILD', 'ACTIVE'],
    ]).toContainEqual(statuses.map((each) => each?.phase));
    expect(new Set(statuses.map((each) => JSON.stringify(each))).size).toBe(statuses.length);
  });

  test('is deleted without a trace', async () => {
    await world.createImage('debian');
    await world.operator.deps.client.create(SECRET, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {name: 'boot', namespace: NS},
      data: {passwordHash: Buffer.from('$6$x$y').toString('base64')},
    });
    await world.createDrive('data');
    await world.createServer('web', {
      image: {namespace: 'basalt-system', name: 'debian'},
      bootSecret: {name: 'boot'},
      disks: [{slot: 'block:1', drive: 'data', media: 'Disk'}],
    });
    await world.serverIs('web', 'ACTIVE');
    world.kubevirt.habits.set('web', {deaf: true});
    await world.operator.deps.client.delete(SERVER, {namespace: NS, name: 'web'});
    await world.operator.gone(SERVER, 'web', NS);
    expect(world.kubevirt.calls).toContain('stop web {"gracePeriod":0}');
    expect(world.leases).toEqual([]);
    for (const type of [VIRTUAL_MACHINE, VIRTUAL_MACHINE_INSTANCE, SECRET])
      expect(world.operator.server.objects(type as unknown as ResourceType, NS)).toEqual([]);
    expect(world.operator.server.objects(DRIVE, NS).map(({metadata, status}) => [metadata.name, status?.claims])).toEqual([
      ['data', undefined],
    ]);
    expect(world.operator.server.objects(PERSISTENT_VOLUME_CLAIM, NS).map(({metadata}) => metadata.name)).toEqual(['data']);
    expect(world.operator.server.objects(DATA_VOLUME, NS)).toEqual([]);
  });

  test('whose image is not there waits, and goes on when it appears', async () => {
    await world.createServer('web', {image: {namespace: 'basalt-system', name: 'debian'}});
    const waiting = await world.server('web', (seen) => conditionOf(seen, 'Ready')?.reason === 'DependencyMissing');
    expect(waiting.status?.phase).toBe('BUILD');
    expect(world.operator.server.objects(VIRTUAL_MACHINE, NS)).toEqual([]);
    await world.createImage('debian');
    await world.serverIs('web', 'ACTIVE');
  });

  test('whose image fails to import is in ERROR and says why', async () => {
    await world.createImage('broken', 'http://images/fail.img');
    await world.createServer('web', {image: {namespace: 'basalt-system', name: 'broken'}});
    const broken = await world.serverIs('web', 'ERROR');
    expect(broken.status?.fault?.message).toContain('404');
    expect(conditionOf(broken, 'DrivesReady')).toMatchObject({status: 'False', message: expect.stringMatching(/^image broken: .*404/)});
    await world.operator.quiet();
    expect(world.operator.server.objects(VIRTUAL_MACHINE, NS)).toEqual([]);
    expect(world.operator.server.object(IMAGE, {namespace: 'basalt-system', name: 'broken'})?.status?.phase).toBe('Failed');
  });
});

test('no room: BUILD with the reasons, then ERROR when the time is over, then ACTIVE when there is room', async () => {
  world.kubevirt.habits.set('web', {unschedulable: '0/2 nodes are available: 2 Insufficient memory.'});
  await world.createServer('web');
  const waiting = await world.server('web', (seen) => conditionOf(seen, 'Placed')?.reason === 'NoCapacity');
  expect(waiting.status?.phase).toBe('BUILD');
  expect(conditionOf(waiting, 'Placed')?.message).toBe('none of 2 hosts fits: 2 not enough memory');
  await world.operator.quiet();
  world.clock.advance(5 * 60_000);
  const failed = await world.serverIs('web', 'ERROR');
  expect(failed.status?.fault).toMatchObject({reason: 'NoCapacity'});
  world.kubevirt.habits.delete('web');
  await world.serverIs('web', 'ACTIVE');
});

test('a boot Secret is awaited and goes with the server', async () => {
  await world.createServer('web', {bootSecret: {name: 'boot'}, personality: [{path: '/etc/motd', contentKey: 'motd'}]});
  const waiting = await world.server('web', (seen) => conditionOf(seen, 'BootDataReady')?.reason === 'SecretMissing');
  expect(waiting.status?.phase).toBe('BUILD');
  expect(world.operator.server.objects(VIRTUAL_MACHINE, NS)).toEqual([]);
  await world.operator.deps.client.create(SECRET, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {name: 'boot', namespace: NS},
    data: {motd: 'aGk='},
  });
  const server = await world.serverIs('web', 'ACTIVE');
  expect(world.operator.server.object(SECRET, {namespace: NS, name: 'boot'})?.metadata.ownerReferences?.[0]?.uid).toBe(server.metadata.uid);
});

test('a paused server is left alone, and says so', async () => {
  await world.createServer('web', {}, {'basalt.dev/paused': 'true'});
  const paused = await world.server('web', (seen) => conditionOf(seen, 'Paused')?.status === 'True');
  expect(paused.status?.conditions).toHaveLength(17);
  await world.operator.quiet();
  expect(world.operator.server.objects(VIRTUAL_MACHINE, NS)).toEqual([]);
  await world.operator.deps.client.mergePatch(SERVER, {namespace: NS, name: 'web'}, {metadata: {annotations: {'basalt.dev/paused': null}}});
  await world.serverIs('web', 'ACTIVE');
});

test('a deletion that cannot end is forced by its annotation, and says what may be left', async () => {
  await world.createServer('web');
  await world.serverIs('web', 'ACTIVE');
  world.kubevirt.stop();
  await world.operator.deps.client.delete(SERVER, {namespace: NS, name: 'web'});
  const going = await world.server('web', ({status}) => status?.phase === 'DELETING');
  expect(conditionOf(going, 'Deleting')).toMatchObject({status: 'True', reason: 'StoppingServer'});
  expect(conditionOf(going, 'NetworksReady')).toMatchObject({status: 'True'});
  const annotations = {'basalt.dev/force-delete': '2026-01-01T00:00:00Z'};
  await world.operator.deps.client.mergePatch(SERVER, {namespace: NS, name: 'web'}, {metadata: {annotations}});
  await world.operator.gone(SERVER, 'web', NS);
  await until('the event', () => world.operator.events.some(({reason}) => reason === 'ForceDeleted'));
});

test('an image is not deleted while a drive is copied from it; then nothing is left of it', async () => {
  await world.createImage('debian');
  await world.image('debian', ({status}) => status?.phase === 'Ready');
  await world.createDrive('disk', {sizeBytes: 2 * 1024 ** 3, source: {image: {namespace: 'basalt-system', name: 'debian'}}});
  await world.drive('disk', ({status}) => status?.phase === 'Ready');
  await world.operator.deps.client.delete(IMAGE, {namespace: 'basalt-system', name: 'debian'});
  await world.operator.gone(IMAGE, 'debian', 'basalt-system');
  for (const type of [DATA_VOLUME, DATA_SOURCE])
    expect(world.operator.server.objects(type as unknown as ResourceType, 'basalt-system')).toEqual([]);
  expect(world.operator.server.object(DRIVE, {namespace: NS, name: 'disk'})?.status?.phase).toBe('Ready');
});
