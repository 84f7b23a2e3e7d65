/**
 * The life of real guests: one server, started once, goes through all that can happen to it; two bare machines show what needs no boot. Each
 * test goes on where the one before it ended.
 */
import {existsSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {SERVER, SERVER_OPERATION} from '../../crds/index.ts';
import type {Server, ServerOperation} from '../../crds/index.ts';
import {isAlive, signalProcess} from '../../hack/cluster/process-identity.ts';
import {VM, VMI} from '../../hack/cluster/hypervisor/types.ts';
import type {Vmi} from '../../hack/cluster/hypervisor/types.ts';
import {waitFor} from '../../hack/cluster/waiting.ts';
import {HOME} from '../lib/server-bench.ts';
import {GuestBench} from '../lib/guest-bench.ts';

const {KUBECONFIG = '', BASALT_CLUSTER_DIR = '.cluster', BASALT_GUESTS} = process.env;
const suite = BASALT_GUESTS === 'qemu' ? describe : describe.skip;

const TEST_MS = 180_000;
const MARK = 'written-before';
const GUEST = 'guest-life';

suite('guests (needs GUESTS=qemu: simulated guests execute nothing)', () => {
  let bench: GuestBench;
  let booted = '';
  const conditions = (vmi: Vmi) => Object.fromEntries((vmi.status?.conditions ?? []).map((one) => [one.type, one.status]));
  const operate = async (name: string, verb: 'Start' | 'Shutdown') => {
    await bench.servers.operation(name, {server: GUEST, verb});
    await bench.servers.until<ServerOperation>(SERVER_OPERATION, name, (seen) => seen?.status?.phase === 'Completed');
  };
  const markStays = async () => expect((await bench.boot(GUEST)).mark).toBe(MARK);

  beforeAll(async () => {
    bench = new GuestBench(KUBECONFIG, BASALT_CLUSTER_DIR);
    await bench.secret('guest-life-boot');
    await bench.servers.server(GUEST, {
      image: {namespace: 'basalt-system', name: 'tiny'},
      bootSecret: {name: 'guest-life-boot'},
    });
    await bench.servers.serverIs(GUEST, 'ACTIVE');
  }, TEST_MS);
  afterAll(async () => {
    await bench.close();
  }, TEST_MS);

  test(
    'a server boots from the bytes of its drive to its login, on a disk as large as the drive',
    async () => {
      expect(await bench.prompt(GUEST)).toBe(`${GUEST} login:`);
      const vmi = await bench.vmi(GUEST);
      expect(vmi.status).toMatchObject({phase: 'Running', machine: {type: 'pc-q35-7.2'}});
      expect(conditions(vmi)).toMatchObject({Ready: 'True'});
      expect(conditions(vmi)).not.toHaveProperty('AgentConnected'); // nobody in there answers
      expect(conditions(vmi)).not.toHaveProperty('AsSpecified');
      const said = await bench.ask(GUEST, `echo ${MARK} >/root/mark; sync; cat /sys/class/block/vda/size /proc/sys/kernel/random/boot_id`);
      const [sectors = '', id = ''] = said.split('\n');
      expect(Number(sectors) * 512).toBeGreaterThanOrEqual(2 ** 30);
      booted = id;
    },
    TEST_MS,
  );

  test(
    'a paused guest uses no processor, and goes on where it was',
    async () => {
      await bench.verb(GUEST, 'pause');
      expect(conditions(await bench.vmi(GUEST))).toMatchObject({Paused: 'True'});
      await bench.servers.serverIs(GUEST, 'PAUSED');
      await sleep(500);
      const before = bench.ticks(GUEST);
      await sleep(2_000);
      expect(bench.ticks(GUEST) - before).toBeLessThanOrEqual(2);
      await bench.verb(GUEST, 'unpause');
      expect(conditions(await bench.vmi(GUEST))).not.toHaveProperty('Paused');
      expect(await bench.boot(GUEST)).toEqual({id: booted, mark: MARK});
    },
    TEST_MS,
  );

  test(
    'a hypervisor that was killed finds it again: the same process, and its uptime goes on',
    async () => {
      const before = bench.process(GUEST);
      const uid = (await bench.vmi(GUEST)).metadata.uid;
      await bench.killHypervisor();
      expect(await bench.boot(GUEST)).toEqual({id: booted, mark: MARK}); // over the console of the new one
      expect(bench.process(GUEST)).toEqual(before);
      expect((await bench.vmi(GUEST)).metadata.uid).toBe(uid);
      await bench.verb(GUEST, 'pause'); // and obeys it
      await bench.verb(GUEST, 'unpause');
    },
    TEST_MS,
  );

  test.each(['reset', 'softreboot'])(
    '%s boots it again in the same process',
    async (verb) => {
      const before = bench.process(GUEST);
      const uid = (await bench.vmi(GUEST)).metadata.uid;
      await bench.verb(GUEST, verb);
      await bench.servers.until<Server>(SERVER, GUEST, (server) => server?.status?.phase === 'ACTIVE');
      let again = {id: booted, mark: ''};
      for (let turn = 0; again.id === booted && turn < 20; turn++) again = await bench.boot(GUEST).catch(() => again); // it may go down while it is asked
      expect(again.id).not.toBe(booted);
      expect(again.mark).toBe(MARK);
      booted = again.id;
      expect(bench.process(GUEST)).toEqual(before);
      expect((await bench.vmi(GUEST)).metadata.uid).toBe(uid);
    },
    TEST_MS,
  );

  test(
    'a guest that crashes is started again, on the same bytes, and the crash is told',
    async () => {
      const uid = (await bench.vmi(GUEST)).metadata.uid;
      signalProcess(bench.process(GUEST), 'SIGKILL');
      await bench.servers.until<Vmi>(VMI, GUEST, (vmi) => vmi !== undefined && vmi.metadata.uid !== uid && vmi.status?.phase === 'Running');
      expect(await bench.told(GUEST, 'GuestCrashed', uid)).toContain('its qemu process ended');
      await markStays();
      const server = await bench.servers.serverIs(GUEST, 'ACTIVE');
      expect(server.status?.history?.some(({reason}) => reason === 'GuestCrashed')).toBe(true);
    },
    TEST_MS,
  );

  test(
    'a guest that switches itself off is STOPPED, and is started with what it wrote',
    async () => {
      const {process} = bench.run(GUEST) ?? {};
      await bench.ask(GUEST, '(sleep 2; poweroff) >/dev/null 2>&1 & true');
      await bench.servers.serverIs(GUEST, 'STOPPED');
      expect(process !== undefined && isAlive(process)).toBe(false);
      await operate('guest-life-start', 'Start');
      await bench.servers.serverIs(GUEST, 'ACTIVE');
      await markStays();
    },
    TEST_MS,
  );

  test(
    'stopped, it obeys the power button well within its grace',
    async () => {
      const {metadata} = await bench.vmi(GUEST);
      const who = bench.process(GUEST);
      const phases: string[] = [];
      const watch = new AbortController();
      const watching = (async () => {
        for await (const {object} of bench.servers.client.watch(VMI, {namespace: HOME, signal: watch.signal}))
          if (object.metadata.uid === metadata.uid) phases.push(object.status?.phase ?? '');
      })().catch((error: unknown) => (watch.signal.aborted ? undefined : Promise.reject(error)));
      await operate('guest-life-stop', 'Shutdown');
      await bench.servers.serverIs(GUEST, 'STOPPED');
      watch.abort();
      await watching;
      expect(phases).toContain('Succeeded'); // killed, it would be Failed
      expect(phases).not.toContain('Failed');
      expect(isAlive(who)).toBe(false);
      expect(bench.run(GUEST)).toBeUndefined();
    },
    TEST_MS,
  );

  test(
    'what a host cannot do is an event and a condition, on the machine too; and a guest that ignores the button is killed when its grace is over',
    async () => {
      const firmware = {bootloader: {efi: {secureBoot: false}}};
      await bench.machine('guest-odd', {firmware}, {terminationGracePeriodSeconds: 6});
      const vmi = await bench.running('guest-odd');
      expect(vmi.status?.conditions?.find(({type}) => type === 'AsSpecified')).toMatchObject({
        status: 'False',
        reason: 'NotSupported',
        message: expect.stringMatching(/EFI/),
      });
      expect(await bench.told('guest-odd', 'NotSupported')).toMatch(/EFI/);
      await bench.verb('guest-odd', 'pause'); // paused processors see no button
      const who = bench.process('guest-odd');
      const folder = bench.run('guest-odd')?.ephemeral ?? '';
      expect(existsSync(folder)).toBe(true);
      const began = performance.now();
      await bench.deleteMachine('guest-odd');
      await bench.gone(who, 'guest-odd');
      const tookMs = performance.now() - began;
      expect(tookMs).toBeGreaterThan(5_000);
      expect(tookMs).toBeLessThan(30_000);
      expect(await bench.told('guest-odd', 'GuestKilled', vmi.metadata.uid)).toBe('killed');
      await bench.servers.gone(VMI, 'guest-odd');
      expect(existsSync(folder)).toBe(false);
    },
    TEST_MS,
  );

  test(
    'processors, memory, disks, their order and serials, the NIC and the firmware are as the VMI says, seen from inside',
    async () => {
      const uuid = '0f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f0';
      const disks = [
        {name: 'data', disk: {bus: 'virtio'}, serial: 'data-7'},
        {name: 'root', disk: {bus: 'scsi'}, bootOrder: 1},
      ];
      const interfaces = [{name: 'pod', masquerade: {}, macAddress: '52:54:00:0a:0b:0c'}];
      const domain = {cpu: {cores: 2}, memory: {guest: '160Mi'}, firmware: {uuid, serial: 'rack-3'}, devices: {disks, interfaces}};
      await bench.machine('guest-made', domain, {
        volumes: [
          {name: 'data', emptyDisk: {capacity: '32Mi'}},
          {name: 'root', containerDisk: {image: 'local/tiny:1'}},
        ],
      });
      expect(conditions(await bench.running('guest-made'))).not.toHaveProperty('AsSpecified');
      const facts = ['/sys/block/vda/serial', '/sys/block/vda/size', '/sys/class/dmi/id/product_uuid', '/sys/class/dmi/id/product_serial'];
      const said = await bench.ask(
        'guest-made',
        `nproc; for f in ${facts.join(' ')} /sys/class/net/eth0/address; do cat $f; echo; done | grep .; grep " / " /proc/mounts | cut -c1-8; free -m | sed -n 2p`,
      );
      const [processors, serial, sectors, id, product, mac, root, memory = ''] = said.trim().split('\n');
      expect([processors, serial, Number(sectors) * 512, id, product, mac, root]).toEqual([
        '2',
        'data-7',
        32 * 2 ** 20,
        uuid,
        'rack-3',
        '52:54:00:0a:0b:0c',
        '/dev/sda',
      ]);
      const megabytes = Number(memory.trim().split(/\s+/)[1]);
      expect(megabytes).toBeGreaterThan(110); // the kernel's own is not counted
      expect(megabytes).toBeLessThan(160);
      await bench.deleteMachine('guest-made');
      await bench.servers.gone(VM, 'guest-made');
    },
    TEST_MS,
  );

  test(
    'a guest that this machine has no room for says so, and none is started',
    async () => {
      await bench.machine('guest-huge', {memory: {guest: '600Gi'}});
      const vmi = await bench.servers.until<Vmi>(VMI, 'guest-huge', (seen) => seen !== undefined);
      expect(await bench.told('guest-huge', 'GuestNotStarted', vmi?.metadata.uid)).toMatch(/HYPERVISOR_MAX_MEMORY_MIB=\d+/);
      expect(bench.run('guest-huge')).toBeUndefined();
      await bench.deleteMachine('guest-huge');
      await bench.servers.gone(VM, 'guest-huge');
    },
    TEST_MS,
  );

  test(
    'a guest whose VMI went while the hypervisor could not see it is ended, and reported',
    async () => {
      await bench.machine('guest-stray');
      await bench.running('guest-stray');
      const who = bench.process('guest-stray');
      signalProcess(bench.hypervisor(), 'SIGSTOP');
      await bench.deleteMachine('guest-stray');
      await bench.servers.until<Vmi>(VMI, 'guest-stray', (vmi) => vmi?.metadata.deletionTimestamp !== undefined);
      await bench.servers.client.mergePatch(VMI, {namespace: HOME, name: 'guest-stray'}, {metadata: {finalizers: null}});
      await bench.servers.gone(VMI, 'guest-stray');
      expect(isAlive(who)).toBe(true);
      await bench.killHypervisor();
      await bench.gone(who, 'guest-stray');
      await waitFor(() => Promise.resolve(/outlived/.test(bench.hypervisorLog()) ? undefined : 'not yet'), {what: 'the report of it'});
      expect(bench.run('guest-stray')).toBeUndefined();
    },
    TEST_MS,
  );
});
