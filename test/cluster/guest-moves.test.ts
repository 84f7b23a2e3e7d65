/**
 * Real guests that move, change and lose their host. `move-one` and `move-two` are servers that share a VLAN; `move-raw` is a bare machine of
 * KubeVirt, which is changed while it runs as KubeVirt's API has it, and says each second on its serial port what it sees of itself.
 */
import {readFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {HOST, KEY_PAIR, NETWORK, SERVER} from '../../crds/index.ts';
import type {Host, Network, Server} from '../../crds/index.ts';
import {host as setPower} from '../../hack/cluster/host.ts';
import {readRecords} from '../../hack/cluster/hypervisor/qemu/state-file.ts';
import {LABELS, VM, VMI} from '../../hack/cluster/hypervisor/types.ts';
import type {MigrationState, VirtualMachine, Vmi} from '../../hack/cluster/hypervisor/types.ts';
import {commandFinder} from '../../hack/cluster/images/requirements.ts';
import {clusterPaths} from '../../hack/cluster/paths.ts';
import {signalProcess} from '../../hack/cluster/process-identity.ts';
import {waitFor} from '../../hack/cluster/waiting.ts';
import {systemClock} from '../../kube/clock.ts';
import type {KubeObject, ResourceType} from '../../kube/objects.ts';
import {POD, anyType} from '../../kube/types.ts';
import {MIGRATION} from '../../operator/kubevirt/types.ts';
import {GuestBench} from '../lib/guest-bench.ts';
import {GuestShell} from '../lib/guest-shell.ts';
import {HOME} from '../lib/server-bench.ts';

const {KUBECONFIG = '', BASALT_CLUSTER_DIR = '.cluster', BASALT_GUESTS} = process.env;
const folder = resolve(BASALT_CLUSTER_DIR);
const paths = clusterPaths(folder);
const has = commandFinder(process.env);
const suite = BASALT_GUESTS === 'qemu' && has('ssh') && has('ssh-keygen') ? describe : describe.skip;

const [ONE, TWO, RAW] = ['move-one', 'move-two', 'move-raw'] as const;
const [ONE_ADDRESS, TWO_ADDRESS] = ['192.168.78.11', '192.168.78.12'] as const;
const apiVersion = 'basalt.dev/v1alpha1';
const POLICY: ResourceType<KubeObject> = anyType('migrations.kubevirt.io/v1alpha1', 'MigrationPolicy', 'migrationpolicies', false);
const PATIENCE_MS = 90_000;

/** Tells what the guest sees of itself, once a second. */
const REPORT = `#!/bin/sh
( while :; do
  cd=$(dd if=/dev/sr0 of=/dev/null bs=2048 count=1 2>/dev/null && echo full || echo empty)
  echo "SEEN cd=$cd disks=$(ls /sys/block | grep '^vd' | tr '\\n' ,) nics=$(cd /sys/class/net; ls -d eth* 2>/dev/null | tr '\\n' ,) link=$(cat /sys/class/net/eth0/carrier 2>/dev/null) END"
  sleep 1
done ) > /dev/ttyS0 2>&1 &
`;

suite('guests that move (needs GUESTS=qemu, where guests are real, and an ssh client)', () => {
  let bench: GuestBench;
  let shell: GuestShell;
  const {signal} = new AbortController();

  const client = () => bench.servers.client;
  const moveOf = async (name: string): Promise<MigrationState> => (await bench.vmi(name)).status?.migrationState ?? {};
  const migrate = (name: string, migration: string) =>
    client().create(MIGRATION, {
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachineInstanceMigration',
      metadata: {name: migration, namespace: HOME},
      spec: {vmiName: name},
    } as never);
  const endOf = async (name: string, migration: string): Promise<MigrationState> => {
    const {metadata} = await client().get(MIGRATION, {namespace: HOME, name: migration});
    const vmi = await bench.servers.until<Vmi>(VMI, name, (seen) => {
      const move = seen?.status?.migrationState;
      return move?.migrationUid === metadata.uid && move?.completed === true;
    });
    return vmi?.status?.migrationState ?? {};
  };
  const underWay = (name: string, before: string | undefined) =>
    bench.servers.until<Vmi>(VMI, name, (seen) => {
      const move = seen?.status?.migrationState;
      return move?.migrationUid !== before && move?.startTimestamp !== undefined && move.completed !== true;
    });
  /** Bytes a second for the migrations of ONE; 0: no bound. */
  const bandwidth = (quantity: string) => client().mergePatch(POLICY, {name: 'move-one'}, {spec: {bandwidthPerMigration: quantity}});
  const bootOf = (name: string) => shell.run(name, 'cat /proc/sys/kernel/random/boot_id');
  /** What the bare machine said last, once it fits. */
  const seen = (pattern: RegExp) =>
    waitFor(
      () => {
        const found = readRecords(paths.guests).find(({record}) => record.key === `${HOME}/${RAW}`);
        const text = found === undefined ? '' : readFileSync(join(found.folder, 'serial.log'), 'utf8');
        const last = [...text.matchAll(/SEEN .* END/g)].at(-1)?.[0] ?? 'nothing';
        return Promise.resolve(pattern.test(last) ? undefined : last);
      },
      {what: `guest to say ${pattern.source}`, deadlineMs: PATIENCE_MS, intervalMs: 200},
    );
  const change = async (alter: (spec: MutableSpec) => void): Promise<void> => {
    const vm = await client().get<VirtualMachine>(VM, {namespace: HOME, name: RAW});
    const spec = structuredClone(vm.spec.template.spec) as unknown as MutableSpec;
    alter(spec);
    const {resourceVersion} = vm.metadata;
    await client().mergePatch(VM, {namespace: HOME, name: RAW}, {metadata: {resourceVersion}, spec: {template: {spec}}});
  };
  const volumeIs = (name: string, phase: string | undefined) =>
    bench.servers.until<Vmi>(VMI, RAW, (vmi) => vmi?.status?.volumeStatus?.find((volume) => volume.name === name)?.phase === phase);
  const diskOf = (name: string) => bench.run(RAW)?.plan.disks.find((disk) => disk.name === name);

  beforeAll(async () => {
    bench = new GuestBench(KUBECONFIG, folder);
    shell = await GuestShell.create(bench.servers);
    const spec = {name: 'move-key', publicKey: shell.publicKey};
    await client().create(KEY_PAIR, {apiVersion, kind: 'KeyPair', metadata: {name: 'move-key', namespace: HOME}, spec} as never);
    await client().create(NETWORK, {
      apiVersion,
      kind: 'Network',
      metadata: {name: 'move-lan', namespace: HOME},
      spec: {name: 'move-lan', type: 'Vlan', vlanId: 781, cidr: '192.168.78.0/24', ranges: [{start: ONE_ADDRESS, end: '192.168.78.20'}]},
    } as unknown as Network);
    for (const [name, address] of [
      [ONE, ONE_ADDRESS],
      [TWO, TWO_ADDRESS],
    ] as const) {
      await bench.servers.server(name, {
        flavor: undefined as never,
        cpu: {cores: 1},
        memoryMiB: 128,
        image: {namespace: 'basalt-system', name: 'tiny'},
        keyPairs: ['move-key'],
        nics: [
          {index: 0, model: 'virtio', addressing: 'Auto'},
          {index: 1, model: 'virtio', network: {name: 'move-lan'}, addressing: 'Static', address},
        ],
      } as Partial<Server['spec']>);
    }
    for (const name of ['move-disk', 'move-cd']) await bench.servers.drive(name);
    const lan = await bench.servers.until<Network>(NETWORK, 'move-lan', (network) => network?.status?.nad !== undefined);
    const nad = lan?.status?.nad ?? '';
    await bench.machine(
      RAW,
      {
        devices: {
          disks: [
            {name: 'root', disk: {bus: 'virtio'}},
            {name: 'seed', disk: {bus: 'virtio'}},
            {name: 'cd', cdrom: {bus: 'scsi'}},
          ],
          interfaces: [{name: 'lan0', model: 'virtio', macAddress: '52:54:00:78:00:01', bridge: {}}],
        },
      },
      {
        networks: [{name: 'lan0', multus: {networkName: nad.includes('/') ? nad : `${HOME}/${nad}`}}],
        volumes: [
          {name: 'root', containerDisk: {image: 'local/tiny:1'}},
          {name: 'seed', cloudInitNoCloud: {userData: REPORT}},
        ],
      },
    );
    const made = await bench.servers.serverIs(ONE, 'ACTIVE');
    await client().create(POLICY, {
      apiVersion: 'migrations.kubevirt.io/v1alpha1',
      kind: 'MigrationPolicy',
      metadata: {name: 'move-one'},
      spec: {selectors: {virtualMachineInstanceSelector: {'basalt.dev/server': made.status?.uuid ?? ''}}},
    } as KubeObject);
    await bench.servers.serverIs(TWO, 'ACTIVE');
    for (const name of [ONE, TWO]) await shell.ready(name);
  }, 300_000);

  afterAll(async () => {
    await client().delete(POLICY, {name: 'move-one'});
    await bench.deleteMachine(RAW);
    for (const name of [ONE, TWO]) await bench.servers.delete(SERVER, name);
    for (const name of [ONE, TWO]) await bench.servers.gone(SERVER, name);
    await bench.servers.delete(NETWORK, 'move-lan');
    await bench.servers.delete(KEY_PAIR, 'move-key');
    shell.close();
    await bench.close();
  }, 240_000);

  test('a guest moves to another host: its uptime goes on, and so does its TCP connection on the VLAN', async () => {
    const before = {boot: await bootOf(ONE), node: (await bench.vmi(ONE)).status?.nodeName};
    expect((await bench.servers.find<Server>(SERVER, ONE))?.status?.conditions?.find(({type}) => type === 'Migratable')?.status).toBe(
      'True',
    );
    // Held open on its idle side by an input that never ends: nc leaves when its input does.
    await shell.run(TWO, '(tail -f /dev/null | nc -l -p 7000 > /tmp/heard 2>/dev/null; echo ended > /tmp/ended) >/dev/null 2>&1 &');
    await shell.run(ONE, `(while sleep 0.2; do echo tick || exit; done | nc ${TWO_ADDRESS} 7000) >/dev/null 2>&1 &`);
    const heard = async (): Promise<number> => Number(await shell.run(TWO, 'wc -c < /tmp/heard'));
    await waitFor(async () => ((await heard()) > 0 ? undefined : 'nothing heard'), {what: 'the connection', deadlineMs: PATIENCE_MS});
    await bench.servers.operation('move-away', {server: ONE, verb: 'Migrate'});
    const moved = await bench.servers.until<Vmi>(VMI, ONE, (vmi) => vmi?.status?.nodeName !== before.node);
    expect(moved?.status?.migrationState).toMatchObject({completed: true, sourceNode: before.node});
    await shell.ready(ONE);
    expect(await bootOf(ONE)).toBe(before.boot);
    const then = await heard();
    await waitFor(async () => ((await heard()) > then ? undefined : 'silence'), {what: 'more on the connection', deadlineMs: PATIENCE_MS});
    expect((await shell.attempt(TWO, 'test -e /tmp/ended')).exitCode).toBe(1);
    const figures =
      bench
        .hypervisorLog()
        .match(/.*the guest has moved.*/g)
        ?.at(-1) ?? '{}';
    const {totalMs, downtimeMs, bytes} = JSON.parse(figures) as {totalMs?: number; downtimeMs?: number; bytes?: number};
    expect([totalMs, downtimeMs, bytes].every((figure) => typeof figure === 'number')).toBe(true);
    console.info(`migration: ${totalMs} ms in all, ${downtimeMs} ms standing still, ${(bytes ?? 0) >> 20} MiB`);
  }, 180_000);

  test('a cancelled migration, and one whose target dies, leave the guest running where it is', async () => {
    await bandwidth('2Mi');
    const before = {boot: await bootOf(ONE), vmi: await bench.vmi(ONE)};
    await migrate(ONE, 'move-cancelled');
    await underWay(ONE, before.vmi.status?.migrationState?.migrationUid);
    await client().delete(MIGRATION, {namespace: HOME, name: 'move-cancelled'});
    const cancelled = await bench.servers.until<Vmi>(VMI, ONE, (vmi) => vmi?.status?.migrationState?.abortStatus === 'Succeeded');
    expect(cancelled?.status?.migrationState).toMatchObject({failed: true, completed: true});
    await bench.servers.gone(MIGRATION, 'move-cancelled'); // until then KubeVirt takes no other
    await migrate(ONE, 'move-failed');
    const moving = await underWay(ONE, cancelled?.status?.migrationState?.migrationUid);
    const target = readRecords(paths.guests).find(
      ({record}) => record.vmiUid === moving?.metadata.uid && record.nodeName === moving?.status?.migrationState?.targetNode,
    );
    if (target === undefined) throw new Error('there is no target');
    signalProcess(target.record.process, 'SIGKILL');
    const {failed, failureReason} = await endOf(ONE, 'move-failed');
    expect([failed, failureReason]).toEqual([true, expect.stringContaining('ended')]);
    expect((await bench.vmi(ONE)).status?.nodeName).toBe(before.vmi.status?.nodeName);
    expect(await bootOf(ONE)).toBe(before.boot);
  }, 180_000);

  test('a hypervisor that is killed in the middle of a migration finds out where the guest is', async () => {
    await bandwidth('16Mi');
    const boot = await bootOf(ONE);
    const before = await moveOf(ONE);
    await migrate(ONE, 'move-unseen');
    await underWay(ONE, before.migrationUid);
    await bench.killHypervisor();
    const {failed = false} = await endOf(ONE, 'move-unseen');
    expect(failed).toBe(false);
    expect(readRecords(paths.guests).filter(({record}) => record.key === `${HOME}/${ONE}`)).toHaveLength(1);
    await shell.ready(ONE);
    expect(await bootOf(ONE)).toBe(boot);
    await bandwidth('0');
  }, 180_000);

  test('the eviction of its pod moves a guest', async () => {
    const before = {boot: await bootOf(ONE), vmi: await bench.vmi(ONE)};
    const {items} = await client().list(POD, {namespace: HOME, labelSelector: `${LABELS.createdBy}=${before.vmi.metadata.uid}`});
    const pod = items.find(({spec, status}) => spec?.nodeName === before.vmi.status?.nodeName && status?.phase === 'Running');
    const name = pod?.metadata.name ?? '';
    const body = {apiVersion: 'policy/v1', kind: 'Eviction', metadata: {name, namespace: HOME}};
    await client().raw('POST', `/api/v1/namespaces/${HOME}/pods/${name}/eviction`, {body, acceptErrors: true});
    await bench.servers.until<Vmi>(VMI, ONE, (vmi) => vmi?.status?.nodeName !== before.vmi.status?.nodeName);
    await shell.ready(ONE);
    expect(await bootOf(ONE)).toBe(before.boot);
  }, 180_000);

  test('a disk comes to a running guest, goes along to another host, and goes', async () => {
    await seen(/disks=vda,vdb, nics=eth0, link=1/);
    await change(({domain, volumes}) => {
      domain.devices.disks.push({name: 'more', disk: {bus: 'virtio'}, serial: 'more'});
      volumes.push({name: 'more', persistentVolumeClaim: {claimName: 'move-disk', hotpluggable: true}});
    });
    await volumeIs('more', 'Ready');
    await seen(/disks=vda,vdb,vdc,/);
    await migrate(RAW, 'move-raw-1');
    expect((await endOf(RAW, 'move-raw-1')).failed ?? false).toBe(false);
    await seen(/disks=vda,vdb,vdc,/);
    await change((spec) => {
      spec.domain.devices.disks = spec.domain.devices.disks.filter(({name}) => name !== 'more');
      spec.volumes = spec.volumes.filter(({name}) => name !== 'more');
    });
    await volumeIs('more', undefined);
    await seen(/disks=vda,vdb, /);
    expect(diskOf('more')).toBeUndefined();
  }, 240_000);

  test('a medium is inserted and ejected', async () => {
    await seen(/cd=empty /);
    await change(({volumes}) => volumes.push({name: 'cd', persistentVolumeClaim: {claimName: 'move-cd', hotpluggable: true}}));
    await volumeIs('cd', 'Ready');
    await seen(/cd=full /);
    expect(diskOf('cd')?.file).toMatch(/disk\.img$/);
    await change((spec) => {
      spec.volumes = spec.volumes.filter(({name}) => name !== 'cd');
    });
    await volumeIs('cd', undefined);
    await seen(/cd=empty /);
    expect(diskOf('cd')).toMatchObject({kind: 'cdrom'});
    expect(diskOf('cd')?.file).toBeUndefined();
  }, 180_000);

  test('a cable is pulled and put back, an interface is added and removed', async () => {
    const link = (state: string | undefined, name = 'lan0') =>
      change(({domain}) => {
        for (const nic of domain.devices.interfaces) if (nic.name === name) nic.state = state;
      });
    await link('down');
    await seen(/link=(0)? END/);
    await bench.servers.until<Vmi>(VMI, RAW, (vmi) => vmi?.status?.interfaces?.[0]?.linkState === 'down');
    await link('up');
    await seen(/link=1 END/);
    await change(({domain, networks}) => {
      domain.devices.interfaces.push({name: 'lan1', model: 'virtio', macAddress: '52:54:00:78:00:02', bridge: {}});
      networks.push({name: 'lan1', multus: {networkName: networks[0]?.multus.networkName ?? ''}});
    });
    await seen(/nics=eth0,eth1,/);
    await link('absent', 'lan1');
    await seen(/nics=eth0, /);
    await bench.servers.until<Vmi>(VMI, RAW, (vmi) => vmi?.spec.domain.devices?.interfaces?.length === 1);
  }, 240_000);

  test('a host that loses its power takes its guests with it, and the cloud says so; when it is back, they are started anew', async () => {
    const {status} = await bench.vmi(TWO);
    const node = status?.nodeName ?? '';
    const lost = bench.process(TWO);
    const [hosted] = (await client().list<Host>(HOST)).items.filter((each) => each.status?.nodeName === node);
    const power = (on: boolean) => setPower({dir: folder, power: on ? 'on' : 'off', name: node}, () => undefined, systemClock, signal);
    await power(false);
    try {
      await bench.gone(lost, TWO);
      expect((await bench.vmi(TWO)).status?.phase).toBe('Running'); // nobody can know it yet
      const unknown = await bench.servers.serverIs(TWO, 'UNKNOWN');
      expect(unknown.status?.conditions?.find(({type}) => type === 'Running')).toMatchObject({status: 'Unknown', reason: 'HostLost'});
      if (hosted !== undefined)
        await bench.servers.until<Host>(
          HOST,
          hosted.metadata.name,
          (each) => each?.status?.conditions?.find(({type}) => type === 'Ready')?.status === 'False',
        );
    } finally {
      await power(true);
    }
    expect(await bench.told(TWO, 'HostPowerLost')).toContain('lost its power');
    await bench.servers.serverIs(TWO, 'ACTIVE');
    await shell.ready(TWO);
  }, 300_000);
});

/** The parts of a machine's spec that these tests change. */
interface MutableSpec {
  readonly domain: {
    readonly devices: {
      disks: {name: string; disk?: object; cdrom?: object; serial?: string}[];
      readonly interfaces: {name: string; model?: string; macAddress?: string; bridge?: object; state?: string | undefined}[];
    };
  };
  readonly networks: {name: string; multus: {networkName: string}}[];
  volumes: {name: string; [source: string]: unknown}[];
}
