/** The life of servers through the whole operator: real caches, queue and writes on the fake API server, with KubeVirt and CDI played. */
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {ALL_KINDS, DRIVE, FLAVOR, IMAGE, KEY_PAIR, NETWORK, SERVER, SERVER_OPERATION} from '../../../crds/index.ts';
import type {Drive, Image, Network, Server, ServerOperation} from '../../../crds/index.ts';
import type {KubeObject, ResourceType} from '../../../kube/objects.ts';
import {FakeClock} from '../../../kube/testing/fake-clock.ts';
import {until} from '../../../kube/testing/until.ts';
import {PERSISTENT_VOLUME_CLAIM, SECRET} from '../../../kube/types.ts';
import {DATA_SOURCE, DATA_VOLUME, VIRTUAL_MACHINE, VIRTUAL_MACHINE_INSTANCE} from '../../kubevirt/types.ts';
import {startHarness} from '../../testing/harness.ts';
import type {Harness} from '../../testing/harness.ts';
import {createDriveController} from '../drive/controller.ts';
import {createImageController} from '../image/controller.ts';
import {createServerOperationController} from '../serveroperation/controller.ts';
import {createServerController} from './controller.ts';
import {FakeKubeVirt} from './testing/fake-kubevirt.ts';

const NS = 'acct-demo';
const apiVersion = 'basalt.dev/v1alpha1';
let operator: Harness;
let kubevirt: FakeKubeVirt;

beforeEach(async () => {
  operator = await startHarness({
    controllers: (deps) => [
      createImageController(deps),
      createDriveController(deps),
      createServerController(deps),
      createServerOperationController(deps),
    ],
  });
  kubevirt = new FakeKubeVirt(operator.server);
  kubevirt.start();
  const metadata = (name: string, namespace?: string) => ({name, ...(namespace === undefined ? {} : {namespace})});
  operator.server.put(FLAVOR, {
    apiVersion,
    kind: 'Flavor',
    metadata: metadata('small'),
    spec: {name: 'Small', vcpus: 2, memoryMiB: 2048, diskGiB: 3, visibility: 'Public', creation: 'Allowed', diskTemplate: 'local'},
  });
  const network: Network = {
    apiVersion,
    kind: 'Network',
    metadata: metadata('public', 'basalt-system'),
    spec: {
      name: 'public',
      type: 'Public',
      cidr: '10.251.0.0/24',
      gateway: '10.251.0.1',
      ranges: [{start: '10.251.0.10', end: '10.251.0.20'}],
    },
    status: {nad: 'public', total: 11, free: 11},
  };
  operator.server.put(NETWORK, network);
});

afterEach(async () => {
  kubevirt.stop();
  await operator.stop();
});

const create = <T extends KubeObject>(type: ResourceType<T>, object: Omit<T, 'apiVersion' | 'kind'>) =>
  operator.deps.client.create(type, {apiVersion, kind: type.kind, ...object} as unknown as T);
const createServer = (name: string, spec: Partial<Server['spec']> = {}) =>
  create<Server>(SERVER, {metadata: {name, namespace: NS}, spec: {name, flavor: 'small', ...spec} as Server['spec']});
const createDrive = (name: string, spec: Partial<Drive['spec']> = {}) =>
  create<Drive>(DRIVE, {metadata: {name, namespace: NS}, spec: {name, sizeBytes: 1024 ** 3, ...spec} as Drive['spec']});
const createImage = (name: string, url = 'http://images/ok.img') =>
  create<Image>(IMAGE, {
    metadata: {name, namespace: 'basalt-system'},
    spec: {name, visibility: 'Public', source: {http: {url}}} as Image['spec'],
  });
const patch = (name: string, spec: object) => operator.deps.client.mergePatch(SERVER, {namespace: NS, name}, {spec});
const serverIs = (name: string, phase: string, taskState = '') =>
  operator.eventually<Server>(SERVER, name, ({status}) => status?.phase === phase && (status.taskState ?? '') === taskState, NS);
const conditionOf = (server: Server, type: string) => server.status?.conditions?.find((condition) => condition.type === type);
const clock = () => operator.deps.clock as FakeClock;
const leases = () => operator.server.object(NETWORK, {namespace: 'basalt-system', name: 'public'})?.status?.leases ?? [];

describe('a server from an image', () => {
  test('becomes ACTIVE with a root drive, an address, a seed and every condition, and is idle then', async () => {
    await createImage('debian');
    await create(KEY_PAIR, {metadata: {name: 'key', namespace: NS}, spec: {name: 'key', publicKey: 'ssh-ed25519 AAAA me'}});
    const first = await createServer('web', {image: {namespace: 'basalt-system', name: 'debian'}, keyPairs: ['key']});
    const server = await serverIs('web', 'ACTIVE');
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
    const settled = await operator.eventually<Server>(SERVER, 'web', (seen) => conditionOf(seen, 'Ready')?.status === 'True', NS);
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
    const root = await operator.eventually<Drive>(
      DRIVE,
      'web-root',
      ({status}) => status?.phase === 'Ready' && status.server === 'web',
      NS,
    );
    expect(root.spec).toMatchObject({sizeBytes: 3 * 1024 ** 3, source: {image: {namespace: 'basalt-system', name: 'debian'}}});
    const seed = operator.server.object(SECRET, {namespace: NS, name: 'web-cloudinit'});
    expect(Buffer.from(seed?.data?.['userdata'] ?? '', 'base64').toString()).toContain('ssh-ed25519 AAAA me');

    const writes = await operator.quiet();
    operator.server.bookmark();
    clock().advance(60_000);
    expect(await operator.quiet()).toBe(writes);
  });

  test('few writes: all of the operator up to ACTIVE, image and root drive aside', async () => {
    await createImage('debian');
    await operator.eventually<Image>(IMAGE, 'debian', ({status}) => status?.phase === 'Ready', 'basalt-system');
    await operator.quiet();
    const before = operator.server.requests.length;
    await createServer('web', {id: 7, image: {namespace: 'basalt-system', name: 'debian'}});
    await serverIs('web', 'ACTIVE');
    const writes = operator.server.requests
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
        'PUT servers/web/status', // BUILD
        'PUT servers/web/status', // ACTIVE
        ...writes.filter((write) => write.startsWith('PUT drives/')),
      ].toSorted(),
    );
    expect(writes.filter((write) => write.startsWith('PUT drives/')).length).toBeLessThanOrEqual(3);
  });

  test('is deleted without a trace', async () => {
    await createImage('debian');
    await operator.deps.client.create(SECRET, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {name: 'boot', namespace: NS},
      data: {passwordHash: Buffer.from('$6$x$y').toString('base64')},
    });
    await createDrive('data');
    await createServer('web', {
      image: {namespace: 'basalt-system', name: 'debian'},
      bootSecret: {name: 'boot'},
      disks: [{slot: 'block:1', drive: 'data', media: 'Disk'}],
    });
    await serverIs('web', 'ACTIVE');
    kubevirt.habits.set('web', {deaf: true});
    await operator.deps.client.delete(SERVER, {namespace: NS, name: 'web'});
    await operator.gone(SERVER, 'web', NS);
    expect(kubevirt.calls).toContain('stop web {"gracePeriod":0}');
    expect(leases()).toEqual([]);
    for (const type of [VIRTUAL_MACHINE, VIRTUAL_MACHINE_INSTANCE, SECRET])
      expect(operator.server.objects(type as unknown as ResourceType, NS)).toEqual([]);
    expect(operator.server.objects(DRIVE, NS).map(({metadata, status}) => [metadata.name, status?.claims])).toEqual([['data', undefined]]);
    expect(operator.server.objects(PERSISTENT_VOLUME_CLAIM, NS).map(({metadata}) => metadata.name)).toEqual(['data']);
    expect(operator.server.objects(DATA_VOLUME, NS)).toEqual([]);
  });

  test('whose image is not there waits, and goes on when it appears', async () => {
    await createServer('web', {image: {namespace: 'basalt-system', name: 'debian'}});
    const waiting = await operator.eventually<Server>(
      SERVER,
      'web',
      (seen) => conditionOf(seen, 'Ready')?.reason === 'DependencyMissing',
      NS,
    );
    expect(waiting.status?.phase).toBe('BUILD');
    expect(operator.server.objects(VIRTUAL_MACHINE, NS)).toEqual([]);
    await createImage('debian');
    await serverIs('web', 'ACTIVE');
  });

  test('whose image fails to import is in ERROR and says why', async () => {
    await createImage('broken', 'http://images/fail.img');
    await createServer('web', {image: {namespace: 'basalt-system', name: 'broken'}});
    const broken = await serverIs('web', 'ERROR');
    expect(broken.status?.fault?.message).toContain('404');
    expect(operator.server.object(IMAGE, {namespace: 'basalt-system', name: 'broken'})?.status?.phase).toBe('Failed');
  });
});

describe('power', () => {
  beforeEach(async () => {
    await createDrive('disk');
    await createServer('web', {disks: [{slot: 'ide:0:0', drive: 'disk', media: 'Disk'}]});
    await operator.eventually<Server>(SERVER, 'web', (seen) => conditionOf(seen, 'Ready')?.status === 'True', NS);
  });
  const machine = () => operator.server.object(VIRTUAL_MACHINE, {namespace: NS, name: 'web'});

  test('stopped and started again', async () => {
    await patch('web', {powerState: 'Stopped'});
    const stopped = await serverIs('web', 'STOPPED');
    expect(conditionOf(stopped, 'Ready')).toMatchObject({status: 'True', reason: 'Ready'});
    expect(conditionOf(stopped, 'Running')).toMatchObject({status: 'False', reason: 'Stopped'});
    expect(machine()?.spec.runStrategy).toBe('Halted');
    expect(stopped.status).not.toHaveProperty('startedAt');
    await patch('web', {powerState: 'Running'});
    await serverIs('web', 'ACTIVE');
    expect(machine()?.spec.runStrategy).toBe('RerunOnFailure');
    expect(kubevirt.calls.filter((call) => call.startsWith('start'))).toEqual([]);
  });

  test('stopped and started in one breath is a restart', async () => {
    const before = operator.server.object(VIRTUAL_MACHINE_INSTANCE, {namespace: NS, name: 'web'})?.metadata.uid;
    await patch('web', {powerState: 'Stopped', powerOffMode: 'Hard'});
    await operator.eventually<Server>(SERVER, 'web', ({status}) => status?.taskState === 'STOPPING' || status?.phase === 'STOPPED', NS);
    await patch('web', {powerState: 'Running'});
    await operator.eventually<KubeObject>(
      VIRTUAL_MACHINE_INSTANCE as ResourceType<KubeObject>,
      'web',
      ({metadata}) => metadata.uid !== before,
      NS,
    );
    await serverIs('web', 'ACTIVE');
  });

  test('a guest that ignores the power button is given its time, then switched off', async () => {
    kubevirt.habits.set('web', {deaf: true});
    await patch('web', {powerState: 'Stopped'});
    await serverIs('web', 'ACTIVE', 'STOPPING');
    await operator.quiet();
    expect(kubevirt.calls).toEqual(['stop web {"gracePeriod":60}']);
    await patch('web', {powerOffMode: 'Hard'});
    await serverIs('web', 'STOPPED');
    expect(kubevirt.calls).toEqual(['stop web {"gracePeriod":60}', 'stop web {"gracePeriod":0}']);
  });

  test('a guest that switches itself off stays off, and the spec says so', async () => {
    kubevirt.end('web', 'Succeeded');
    const stopped = await serverIs('web', 'STOPPED');
    expect(stopped.spec.powerState).toBe('Stopped');
    await operator.quiet();
    expect(machine()?.spec.runStrategy).toBe('Halted');
    expect(operator.events.filter(({reason}) => reason === 'GuestStopped')).toHaveLength(1);
    await patch('web', {powerState: 'Running'});
    await serverIs('web', 'ACTIVE');
  });

  test('a guest that crashes is started again, and the spec stays', async () => {
    const before = operator.server.object(VIRTUAL_MACHINE_INSTANCE, {namespace: NS, name: 'web'})?.metadata.uid;
    kubevirt.end('web', 'Failed');
    await operator.eventually<KubeObject>(
      VIRTUAL_MACHINE_INSTANCE as ResourceType<KubeObject>,
      'web',
      ({metadata}) => metadata.uid !== before,
      NS,
    );
    await serverIs('web', 'ACTIVE');
    await operator.quiet();
    expect(operator.server.object(SERVER, {namespace: NS, name: 'web'})?.spec.powerState).not.toBe('Stopped');
  });

  test('a guest that is evicted is started again', async () => {
    const before = operator.server.object(VIRTUAL_MACHINE_INSTANCE, {namespace: NS, name: 'web'})?.metadata.uid;
    kubevirt.stop();
    kubevirt.evict('web');
    await operator.eventually<Server>(
      SERVER,
      'web',
      (seen) => conditionOf(seen, 'Running')?.message.includes('host wants it gone') === true,
      NS,
    );
    kubevirt.start();
    await operator.eventually<KubeObject>(
      VIRTUAL_MACHINE_INSTANCE as ResourceType<KubeObject>,
      'web',
      ({metadata}) => metadata.uid !== before,
      NS,
    );
    await serverIs('web', 'ACTIVE');
    expect(kubevirt.calls.filter((call) => call.startsWith('start'))).toHaveLength(1);
  });

  test('an ephemeral server goes with its guest', async () => {
    await patch('web', {lifecycle: 'Ephemeral'});
    kubevirt.end('web', 'Succeeded');
    await operator.gone(SERVER, 'web', NS);
    expect(operator.server.object(DRIVE, {namespace: NS, name: 'disk'})).toBeDefined();
  });

  const operate = (name: string, spec: Omit<ServerOperation['spec'], 'server'>) =>
    create<ServerOperation>(SERVER_OPERATION, {metadata: {name, namespace: NS}, spec: {server: 'web', ...spec}});
  const operationIs = (name: string, phase: string) =>
    operator.eventually<ServerOperation>(SERVER_OPERATION, name, ({status}) => status?.phase === phase, NS);

  test.each([
    ['Soft', 'softreboot web {}'],
    ['Hard', 'reset web {}'],
  ] as const)('a %s reboot', async (type, call) => {
    await operate('op', {verb: 'Reboot', reboot: {type}});
    const ended = await operationIs('op', 'Completed');
    expect(kubevirt.calls).toEqual([call]);
    expect(ended.status).toMatchObject({reason: 'Rebooted'});
    await serverIs('web', 'ACTIVE');
  });

  test('a stop asked for later makes a waiting start idle', async () => {
    await operate('a', {verb: 'Start'});
    await operationIs('a', 'Completed');
    await operate('b', {verb: 'Stop'});
    await operationIs('b', 'Completed');
    await serverIs('web', 'STOPPED');
    await operate('c', {verb: 'Reboot'});
    expect((await operationIs('c', 'Failed')).status?.reason).toBe('WrongState');
  });

  test('what waits for a restart is named, and a hard reboot applies it', async () => {
    await createDrive('more');
    await patch('web', {
      disks: [
        {slot: 'ide:0:0', drive: 'disk', media: 'Disk'},
        {slot: 'ide:0:1', drive: 'more', media: 'Disk'},
      ],
    });
    const changed = await operator.eventually<Server>(SERVER, 'web', ({status}) => status?.pendingChanges !== undefined, NS);
    expect(changed.status?.pendingChanges).toEqual([{path: 'spec.disks', current: 'ide-0-0=disk', desired: 'ide-0-0=disk, ide-0-1=more'}]);
    expect(conditionOf(changed, 'RestartRequired')?.status).toBe('True');
    await operate('op', {verb: 'Reboot', reboot: {type: 'Hard'}});
    await operationIs('op', 'Completed');
    expect(kubevirt.calls).toEqual(['restart web {"gracePeriodSeconds":0}']);
  });
});

describe('drives', () => {
  const disks: NonNullable<Server['spec']['disks']> = [{slot: 'ide:0:0', drive: 'disk', media: 'Disk'}];

  test('two servers race for an exclusive drive: one has it, the other waits, and gets it when it is free', async () => {
    await createDrive('disk');
    await Promise.all([createServer('one', {disks}), createServer('two', {disks})]);
    const drive = await operator.eventually<Drive>(DRIVE, 'disk', ({status}) => status?.claims?.length === 1, NS);
    const winner = drive.status?.claims?.[0]?.server ?? '';
    const loser = winner === 'one' ? 'two' : 'one';
    await serverIs(winner, 'ACTIVE');
    const waiting = await operator.eventually<Server>(
      SERVER,
      loser,
      (seen) => conditionOf(seen, 'DrivesReady')?.reason === 'DriveInUse',
      NS,
    );
    expect(conditionOf(waiting, 'DrivesReady')?.message).toContain(winner);
    expect(operator.server.objects(VIRTUAL_MACHINE, NS).map(({metadata}) => metadata.name)).toEqual([winner]);
    await operator.deps.client.delete(SERVER, {namespace: NS, name: winner});
    await serverIs(loser, 'ACTIVE');
  });

  test('a drive in use is not deleted before its server has gone', async () => {
    await createDrive('disk');
    await createServer('web', {disks});
    await serverIs('web', 'ACTIVE');
    await operator.deps.client.delete(DRIVE, {namespace: NS, name: 'disk'});
    await operator.eventually<Drive>(
      DRIVE,
      'disk',
      ({status}) =>
        status?.conditions?.some(({type, status: is, message}) => type === 'Deleting' && is === 'True' && message.includes('web')) === true,
      NS,
    );
    await operator.deps.client.delete(SERVER, {namespace: NS, name: 'web'});
    await operator.gone(DRIVE, 'disk', NS);
    expect(operator.server.objects(PERSISTENT_VOLUME_CLAIM, NS)).toEqual([]);
  });

  test('a copy of a drive waits until that is free, and the copies of others need to be readers', async () => {
    await createDrive('disk');
    await createServer('web', {disks});
    await serverIs('web', 'ACTIVE');
    await createDrive('copy', {source: {drive: {name: 'disk'}}});
    await operator.eventually<Drive>(DRIVE, 'copy', ({status}) => status?.conditions?.some(({reason}) => reason === 'InUse') === true, NS);
    await patch('web', {powerState: 'Stopped'});
    await operator.eventually<Drive>(DRIVE, 'copy', ({status}) => status?.phase === 'Ready', NS);
    expect(operator.server.object(DATA_VOLUME, {namespace: NS, name: 'copy'})?.spec.source?.pvc).toEqual({namespace: NS, name: 'disk'});
  });

  test('a drive grows', async () => {
    await createDrive('disk');
    await operator.eventually<Drive>(DRIVE, 'disk', ({status}) => status?.phase === 'Ready', NS);
    await operator.deps.client.mergePatch(DRIVE, {namespace: NS, name: 'disk'}, {spec: {sizeBytes: 2 * 1024 ** 3}});
    await operator.eventually<KubeObject>(
      PERSISTENT_VOLUME_CLAIM as ResourceType<KubeObject>,
      'disk',
      (claim) => JSON.stringify(claim).includes('"storage":"2147483648"'),
      NS,
    );
  });

  test('the claim of a server that is gone is released', async () => {
    await createDrive('disk');
    const drive = await operator.eventually<Drive>(DRIVE, 'disk', ({status}) => status?.phase === 'Ready', NS);
    await operator.deps.client.replace(
      DRIVE,
      {...drive, status: {...drive.status, claims: [{server: 'nobody', slot: 'ide:0:0', claimedAt: '2000-01-01T00:00:00Z'}]}},
      {subresource: 'status'},
    );
    await operator.eventually<Drive>(DRIVE, 'disk', ({status}) => status?.claims === undefined, NS);
    await until('the event', () => operator.events.some(({reason}) => reason === 'ClaimReleased'));
  });
});

test('no room: BUILD with the reasons, then ERROR when the time is over, then ACTIVE when there is room', async () => {
  kubevirt.habits.set('web', {unschedulable: '0/2 nodes are available: 2 Insufficient memory.'});
  await createServer('web');
  const waiting = await operator.eventually<Server>(SERVER, 'web', (seen) => conditionOf(seen, 'Placed')?.reason === 'NoCapacity', NS);
  expect(waiting.status?.phase).toBe('BUILD');
  expect(conditionOf(waiting, 'Placed')?.message).toBe('none of 2 hosts fits: 2 not enough memory');
  await operator.quiet();
  clock().advance(5 * 60_000);
  const failed = await serverIs('web', 'ERROR');
  expect(failed.status?.fault).toMatchObject({reason: 'NoCapacity'});
  kubevirt.habits.delete('web');
  await serverIs('web', 'ACTIVE');
});

test('a boot Secret is awaited and goes with the server', async () => {
  await createServer('web', {bootSecret: {name: 'boot'}, personality: [{path: '/etc/motd', contentKey: 'motd'}]});
  const waiting = await operator.eventually<Server>(
    SERVER,
    'web',
    (seen) => conditionOf(seen, 'BootDataReady')?.reason === 'SecretMissing',
    NS,
  );
  expect(waiting.status?.phase).toBe('BUILD');
  expect(operator.server.objects(VIRTUAL_MACHINE, NS)).toEqual([]);
  await operator.deps.client.create(SECRET, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {name: 'boot', namespace: NS},
    data: {motd: 'aGk='},
  });
  const server = await serverIs('web', 'ACTIVE');
  expect(operator.server.object(SECRET, {namespace: NS, name: 'boot'})?.metadata.ownerReferences?.[0]?.uid).toBe(server.metadata.uid);
});

test('a paused server is left alone, and says so', async () => {
  await create<Server>(SERVER, {
    metadata: {name: 'web', namespace: NS, annotations: {'basalt.dev/paused': 'true'}},
    spec: {name: 'web', flavor: 'small'} as Server['spec'],
  });
  const paused = await operator.eventually<Server>(SERVER, 'web', (seen) => conditionOf(seen, 'Paused')?.status === 'True', NS);
  expect(paused.status?.conditions).toHaveLength(17);
  await operator.quiet();
  expect(operator.server.objects(VIRTUAL_MACHINE, NS)).toEqual([]);
  await operator.deps.client.mergePatch(SERVER, {namespace: NS, name: 'web'}, {metadata: {annotations: {'basalt.dev/paused': null}}});
  await serverIs('web', 'ACTIVE');
});

test('an image is not deleted while a drive is copied from it; then nothing is left of it', async () => {
  await createImage('debian');
  await operator.eventually<Image>(IMAGE, 'debian', ({status}) => status?.phase === 'Ready', 'basalt-system');
  await createDrive('disk', {sizeBytes: 2 * 1024 ** 3, source: {image: {namespace: 'basalt-system', name: 'debian'}}});
  await operator.eventually<Drive>(DRIVE, 'disk', ({status}) => status?.phase === 'Ready', NS);
  await operator.deps.client.delete(IMAGE, {namespace: 'basalt-system', name: 'debian'});
  await operator.gone(IMAGE, 'debian', 'basalt-system');
  for (const type of [DATA_VOLUME, DATA_SOURCE])
    expect(operator.server.objects(type as unknown as ResourceType, 'basalt-system')).toEqual([]);
  expect(operator.server.object(DRIVE, {namespace: NS, name: 'disk'})?.status?.phase).toBe('Ready');
});

test('every kind in use is one of the model', () => {
  expect(ALL_KINDS.map(({kind}) => kind)).toEqual(expect.arrayContaining(['Server', 'Drive', 'Image', 'ServerOperation']));
});
