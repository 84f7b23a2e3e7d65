/** Servers made with kubectl on the full cluster, through KubeVirt's and CDI's own controllers, from creation to the last trace. */
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {resolve} from 'node:path';
import {DRIVE, IMAGE, NETWORK, SERVER, SERVER_OPERATION} from '../../crds/index.ts';
import type {Drive, Image, Server, ServerOperation} from '../../crds/index.ts';
import {clusterPaths} from '../../hack/cluster/paths.ts';
import {readState} from '../../hack/cluster/state.ts';
import type {KubeObject, ResourceType} from '../../kube/objects.ts';
import {PERSISTENT_VOLUME_CLAIM, SECRET} from '../../kube/types.ts';
import {MACHINES} from '../../operator/kubevirt/testing.ts';
import {DATA_SOURCE, DATA_VOLUME, VIRTUAL_MACHINE, VIRTUAL_MACHINE_INSTANCE} from '../../operator/kubevirt/types.ts';
import {buildVirtualMachine} from '../../operator/kubevirt/virtual-machine.ts';
import {HOME, ServerBench} from '../lib/server-bench.ts';

const {KUBECONFIG, BASALT_IMAGE_URL = '', BASALT_CLUSTER_DIR = '.cluster'} = process.env;
const state = readState(clusterPaths(resolve(BASALT_CLUSTER_DIR)).state);
const suite = KUBECONFIG === undefined || state?.light === true ? describe.skip : describe;

const conditionOf = (object: Server | Drive | Image | undefined, type: string) =>
  object?.status?.conditions?.find((condition) => condition.type === type);
/** Everything that a server may leave behind, as kinds. */
const TRACES = [
  VIRTUAL_MACHINE,
  VIRTUAL_MACHINE_INSTANCE,
  DATA_VOLUME,
  PERSISTENT_VOLUME_CLAIM,
  SECRET,
  DRIVE,
  SERVER_OPERATION,
] as unknown as readonly ResourceType[];

suite('servers on the full cluster', () => {
  let bench: ServerBench;
  beforeAll(() => {
    bench = new ServerBench(KUBECONFIG ?? '');
  });
  afterAll(async () => {
    await bench.close();
  }, 120_000);

  const uidOfGuest = async (name: string): Promise<string | undefined> => (await bench.find(VIRTUAL_MACHINE_INSTANCE, name))?.metadata.uid;
  const newGuest = async (name: string, before: string | undefined): Promise<void> => {
    await bench.until<KubeObject>(
      VIRTUAL_MACHINE_INSTANCE as unknown as ResourceType<KubeObject>,
      name,
      (guest) => guest !== undefined && guest.metadata.uid !== before,
    );
  };
  const operationEnds = (name: string) =>
    bench.until<ServerOperation>(SERVER_OPERATION, name, (operation) => ['Completed', 'Failed'].includes(operation?.status?.phase ?? ''));
  const publicImage = {namespace: 'basalt-system', name: 'tiny'};

  test.each(Object.keys(MACHINES))("KubeVirt's admission takes a machine that is %s", async (name) => {
    const machine = MACHINES[name];
    if (machine === undefined) throw new Error('no such shape');
    const desired = buildVirtualMachine({...machine, name: 'life-shape', namespace: HOME});
    const stored = await bench.client.apply(VIRTUAL_MACHINE, desired, {dryRun: true, force: true});
    expect(stored.spec.template.spec?.domain.machine).toEqual({type: 'q35'});
    // The machine's template is looked at again, and more closely, when an instance is made of it.
    const metadata = {name: 'life-shape', namespace: HOME, ...desired.spec.template.metadata};
    const instance = {apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', metadata, spec: desired.spec.template.spec};
    await bench.client.create(VIRTUAL_MACHINE_INSTANCE, instance as never, {dryRun: true});
  });

  test('a server from the public image comes to run, with everything that belongs to it', async () => {
    await bench.client.create(SECRET, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {name: 'life-boot', namespace: HOME},
      data: {passwordHash: Buffer.from('$6$salt$hash').toString('base64')},
    });
    await bench.server('life-web', {image: publicImage, bootSecret: {name: 'life-boot'}});
    const server = await bench.serverIs('life-web', 'ACTIVE');
    expect(server.status).toMatchObject({
      progressPercent: 100,
      virtualMachine: 'life-web',
      resources: {flavor: 'tiny', cores: 1, memoryMiB: 512},
    });
    expect(server.spec.id).toBeGreaterThan(0);
    expect(server.status?.host).toMatch(/^bm-/);
    const ready = await bench.until<Server>(SERVER, 'life-web', (seen) => conditionOf(seen, 'Ready')?.status === 'True');
    expect(ready?.status?.conditions).toHaveLength(17);
    const guest = await bench.find(VIRTUAL_MACHINE_INSTANCE, 'life-web');
    const [nic] = ready?.status?.nics ?? [];
    expect(guest?.status?.interfaces).toMatchObject([{mac: nic?.macAddress, ipAddress: ready?.status?.ip}]);
    expect(guest?.metadata.annotations?.['basalt.dev/nic-addresses']).toBe(JSON.stringify({nic0: ready?.status?.ip}));
  }, 120_000);

  test('it stops and starts', async () => {
    await bench.patch('life-web', {powerState: 'Stopped'});
    const stopped = await bench.serverIs('life-web', 'STOPPED');
    expect(conditionOf(stopped, 'Running')).toMatchObject({status: 'False', reason: 'Stopped'});
    expect(conditionOf(stopped, 'Ready')).toMatchObject({status: 'True'});
    expect(await bench.find(VIRTUAL_MACHINE_INSTANCE, 'life-web')).toBeUndefined();
    await bench.patch('life-web', {powerState: 'Running'});
    await bench.serverIs('life-web', 'ACTIVE');
  }, 120_000);

  test('stop and start in one breath is a restart', async () => {
    const before = await uidOfGuest('life-web');
    await bench.patch('life-web', {powerState: 'Stopped', powerOffMode: 'Hard'});
    await bench.patch('life-web', {powerState: 'Running'});
    await bench.serverIs('life-web', 'ACTIVE');
    await bench.patch('life-web', {powerState: 'Stopped'});
    await bench.serverIs('life-web', 'STOPPED');
    await bench.patch('life-web', {powerState: 'Running'});
    await newGuest('life-web', before);
    await bench.serverIs('life-web', 'ACTIVE');
  }, 180_000);

  test.each(['Soft', 'Hard'] as const)(
    'it reboots: %s',
    async (type) => {
      const before = await uidOfGuest('life-web');
      const name = `life-reboot-${type.toLowerCase()}`;
      await bench.operation(name, {server: 'life-web', verb: 'Reboot', reboot: {type}});
      expect((await operationEnds(name))?.status).toMatchObject({phase: 'Completed', reason: 'Rebooted'});
      await bench.serverIs('life-web', 'ACTIVE');
      expect(await uidOfGuest('life-web')).toBe(before);
    },
    60_000,
  );

  test('a guest that switches itself off stays off, and starts when asked', async () => {
    await bench.guestExits('life-web', 'Succeeded');
    const stopped = await bench.serverIs('life-web', 'STOPPED');
    expect(stopped.spec.powerState).toBe('Stopped');
    await bench.until(VIRTUAL_MACHINE, 'life-web', (machine) => machine?.spec.runStrategy === 'Halted');
    await bench.patch('life-web', {powerState: 'Running'});
    await bench.serverIs('life-web', 'ACTIVE');
  }, 120_000);

  test('a guest that crashes is started again', async () => {
    const before = await uidOfGuest('life-web');
    await bench.guestExits('life-web', 'Failed');
    await newGuest('life-web', before);
    const server = await bench.serverIs('life-web', 'ACTIVE');
    expect(server.spec.powerState ?? 'Running').toBe('Running');
  }, 120_000);

  test('a guest whose pod is evicted moves to another host, and goes on', async () => {
    const before = await uidOfGuest('life-web');
    const host = (await bench.find<Server>(SERVER, 'life-web'))?.status?.host;
    const pods = await bench.client.raw('GET', `/api/v1/namespaces/${HOME}/pods?labelSelector=kubevirt.io%3Dvirt-launcher`);
    const items = (
      JSON.parse(pods.body.toString()) as {
        items: readonly {metadata: {name: string; annotations?: Record<string, string>}; status?: {phase?: string}}[];
      }
    ).items;
    const pod = items.find(
      ({metadata, status}) => metadata.annotations?.['kubevirt.io/domain'] === 'life-web' && status?.phase === 'Running',
    );
    const body = {apiVersion: 'policy/v1', kind: 'Eviction', metadata: {name: pod?.metadata.name, namespace: HOME}};
    await bench.client.raw('POST', `/api/v1/namespaces/${HOME}/pods/${pod?.metadata.name}/eviction`, {body, acceptErrors: true});
    await bench.until<Server>(SERVER, 'life-web', (server) => server?.status?.host !== undefined && server.status.host !== host);
    const server = await bench.serverIs('life-web', 'ACTIVE');
    expect(server.spec.powerState ?? 'Running').toBe('Running');
    expect(await uidOfGuest('life-web')).toBe(before);
  }, 120_000);

  test('a drive that is added waits for a restart; it outlives the server', async () => {
    await bench.drive('life-data');
    await bench.patch('life-web', {disks: [{slot: 'block:1', drive: 'life-data'}]});
    const changed = await bench.until<Server>(SERVER, 'life-web', (server) => server?.status?.pendingChanges !== undefined);
    expect(changed?.status?.pendingChanges).toMatchObject([{path: 'spec.disks'}]);
    await bench.operation('life-restart', {server: 'life-web', verb: 'Reboot', reboot: {type: 'Hard'}});
    expect((await operationEnds('life-restart'))?.status).toMatchObject({phase: 'Completed'});
    await bench.until<Server>(
      SERVER,
      'life-web',
      (server) => server?.status?.pendingChanges === undefined && server?.status?.phase === 'ACTIVE',
    );
    expect((await bench.find<Drive>(DRIVE, 'life-data'))?.status?.claims).toMatchObject([{server: 'life-web', slot: 'block:1'}]);
  }, 120_000);

  test('deleting it leaves nothing of it, and the drive', async () => {
    await bench.delete(SERVER, 'life-web');
    await bench.gone(SERVER, 'life-web');
    const left = await Promise.all(TRACES.map((type) => bench.named(type, 'life-web')));
    expect(left.flat()).toEqual([]);
    expect(await bench.find(SECRET, 'life-boot')).toBeUndefined();
    expect(
      ((await bench.find(NETWORK, 'public', 'basalt-system'))?.status?.leases ?? []).filter(({server}) => server === 'life-web'),
    ).toEqual([]);
    expect((await bench.find<Drive>(DRIVE, 'life-data'))?.status?.claims).toBeUndefined();
    // Operations go with their server, a moment later.
    for (const name of ['life-reboot-soft', 'life-reboot-hard', 'life-restart']) await bench.gone(SERVER_OPERATION, name);
  }, 120_000);

  test('two servers race for an exclusive drive: one runs on it, the other waits and then has it', async () => {
    await bench.drive('life-one');
    const disks: NonNullable<Server['spec']['disks']> = [{slot: 'ide:0:0', drive: 'life-one'}];
    await Promise.all(['life-a', 'life-b'].map((name) => bench.server(name, {disks, nics: []})));
    const drive = await bench.until<Drive>(DRIVE, 'life-one', (seen) => seen?.status?.claims?.length === 1);
    const winner = drive?.status?.claims?.[0]?.server ?? '';
    const loser = winner === 'life-a' ? 'life-b' : 'life-a';
    await bench.serverIs(winner, 'ACTIVE');
    const waiting = await bench.until<Server>(SERVER, loser, (server) => conditionOf(server, 'DrivesReady')?.reason === 'DriveInUse');
    expect(conditionOf(waiting, 'DrivesReady')?.message).toContain(winner);
    expect(await bench.find(VIRTUAL_MACHINE, loser)).toBeUndefined();
    await bench.delete(SERVER, winner);
    await bench.serverIs(loser, 'ACTIVE');
  }, 180_000);

  test('a drive is copied from an image, and again from that drive', async () => {
    await bench.drive('life-copy', {sizeBytes: 1024 ** 3, source: {image: publicImage}});
    await bench.until<Drive>(DRIVE, 'life-copy', (drive) => drive?.status?.phase === 'Ready');
    await bench.drive('life-copy2', {sizeBytes: 1024 ** 3, source: {drive: {name: 'life-copy'}}});
    const copy = await bench.until<Drive>(DRIVE, 'life-copy2', (drive) => drive?.status?.phase === 'Ready');
    expect(copy?.status).toMatchObject({persistentVolumeClaim: 'life-copy2', progressPercent: 100});
  }, 120_000);

  test('an image that is not there says so, and a server from it is in ERROR', async () => {
    await bench.image('life-broken', {source: {http: {url: BASALT_IMAGE_URL.replace(/[^/]+$/, 'fail.raw')}}});
    const image = await bench.until<Image>(
      IMAGE,
      'life-broken',
      (seen) => conditionOf(seen, 'SourceReachable')?.status === 'False' || conditionOf(seen, 'Ready')?.reason === 'ImportFailed',
    );
    expect(conditionOf(image, 'Ready')).toMatchObject({status: 'False'});
  }, 120_000);

  test('a server whose host does not exist says so, and waits', async () => {
    await bench.server('life-lost', {nics: [], placement: {host: 'no-such-host'}});
    const waiting = await bench.until<Server>(SERVER, 'life-lost', (server) => conditionOf(server, 'Placed')?.status === 'False');
    expect(waiting?.status?.phase).toBe('BUILD');
    expect(conditionOf(waiting, 'Placed')).toMatchObject({
      reason: 'DependencyMissing',
      message: 'host no-such-host does not exist',
    });
  }, 60_000);

  test('members of a group that keeps them apart run on different hosts', async () => {
    await bench.group('life-apart', {policy: 'AntiAffinity', members: ['life-g1']});
    await bench.server('life-g1', {nics: []});
    await bench.server('life-g2', {nics: [], serverGroups: ['life-apart']});
    const hosts = [(await bench.serverIs('life-g1', 'ACTIVE')).status?.host, (await bench.serverIs('life-g2', 'ACTIVE')).status?.host];
    expect(new Set(hosts).size).toBe(2);
  }, 120_000);

  test('guests move while they run, on drives of their own, too: their storage can be mounted by two hosts', async () => {
    const onDrive = (await bench.find<Drive>(DRIVE, 'life-one'))?.status?.claims?.[0]?.server ?? '';
    for (const [name, operation] of [
      ['life-g1', 'life-move'],
      [onDrive, 'life-move-drive'],
    ] as const) {
      const before = await bench.until<Server>(SERVER, name, (server) => conditionOf(server, 'Migratable')?.status === 'True');
      await bench.operation(operation, {server: name, verb: 'Migrate'});
      expect((await operationEnds(operation))?.status).toMatchObject({phase: 'Completed'});
      const moved = await bench.until<Server>(
        SERVER,
        name,
        (server) => server?.status?.host !== undefined && server.status.host !== before?.status?.host,
      );
      expect(moved?.status?.phase).toBe('ACTIVE');
    }
  }, 120_000);

  test('a stopped server is resized, a running one is not', async () => {
    await bench.operation('life-resize-no', {server: 'life-g2', verb: 'Resize', resize: {flavor: 'small'}});
    expect((await operationEnds('life-resize-no'))?.status).toMatchObject({phase: 'Failed', reason: 'WrongState'});
    await bench.patch('life-g2', {powerState: 'Stopped', powerOffMode: 'Hard'});
    await bench.serverIs('life-g2', 'STOPPED');
    await bench.operation('life-resize', {server: 'life-g2', verb: 'Resize', resize: {flavor: 'small'}});
    expect((await operationEnds('life-resize'))?.status).toMatchObject({phase: 'Completed'});
    expect((await bench.serverIs('life-g2', 'STOPPED')).status?.resources).toMatchObject({flavor: 'small', memoryMiB: 2048});
    await bench.patch('life-g2', {powerState: 'Running'});
    await bench.serverIs('life-g2', 'ACTIVE');
    expect((await bench.find(VIRTUAL_MACHINE_INSTANCE, 'life-g2'))?.spec.domain.memory?.guest).toBe('2Gi');
  }, 120_000);

  test('images leave nothing behind', async () => {
    await bench.image('life-image', {source: {http: {url: BASALT_IMAGE_URL}}});
    await bench.until<Image>(IMAGE, 'life-image', (image) => image?.status?.phase === 'Ready');
    await bench.delete(IMAGE, 'life-image');
    await bench.gone(IMAGE, 'life-image');
    const left = await Promise.all(
      ([DATA_VOLUME, DATA_SOURCE, PERSISTENT_VOLUME_CLAIM] as unknown as readonly ResourceType[]).map((type) =>
        bench.named(type, 'img-life-image'),
      ),
    );
    expect(left.flat()).toEqual([]);
  }, 120_000);
});
