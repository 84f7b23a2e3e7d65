/**
 * Networks of real guests. Four are started once: `one` on the public network and on a VLAN with `two`; `three` on another VLAN with the same
 * addresses; and one without a seed, which has nothing but DHCP. All but the last are on the public network too, where we log in.
 */
import {createSocket} from 'node:dgram';
import {readFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {networkInterfaces} from 'node:os';
import {join, resolve} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {KEY_PAIR, NETWORK, SERVER} from '../../crds/index.ts';
import type {Network, Server} from '../../crds/index.ts';
import {REACH_ANNOTATION} from '../../hack/cluster/hypervisor/net/reach.ts';
import {readRecords} from '../../hack/cluster/hypervisor/qemu/state-file.ts';
import {VMI} from '../../hack/cluster/hypervisor/types.ts';
import type {Vmi} from '../../hack/cluster/hypervisor/types.ts';
import {commandFinder} from '../../hack/cluster/images/requirements.ts';
import {clusterPaths} from '../../hack/cluster/paths.ts';
import {signalProcess} from '../../hack/cluster/process-identity.ts';
import {readState, recordedProcesses} from '../../hack/cluster/state.ts';
import {GuestShell} from '../lib/guest-shell.ts';
import {HOME, ServerBench} from '../lib/server-bench.ts';

const {KUBECONFIG = '', BASALT_CLUSTER_DIR = '.cluster', BASALT_GUESTS} = process.env;
const paths = clusterPaths(resolve(BASALT_CLUSTER_DIR));
const has = commandFinder(process.env);
const suite = BASALT_GUESTS === 'qemu' && has('ssh') && has('ssh-keygen') ? describe : describe.skip;

const [ONE, TWO, THREE, BARE] = ['net-one', 'net-two', 'net-three', 'net-bare'] as const;
const SYSTEM = 'basalt-system';
/** On the public network, and in none of its ranges: no lease can have it. */
const BARE_ADDRESS = '10.100.200.7';
const apiVersion = 'basalt.dev/v1alpha1';

suite('networks of guests (needs GUESTS=qemu, where guests are real, and an ssh client)', () => {
  let bench: ServerBench;
  let shell: GuestShell;
  const servers = new Map<string, Server>();

  const vlan = (name: string, vlanId: number) =>
    bench.client.create(NETWORK, {
      apiVersion,
      kind: 'Network',
      metadata: {name, namespace: HOME},
      spec: {name, type: 'Vlan', vlanId, cidr: '192.168.77.0/24', ranges: [{start: '192.168.77.10', end: '192.168.77.20'}]},
    } as unknown as Network);
  const server = (name: string, network: string, address: string) =>
    bench.server(name, {
      flavor: undefined as never,
      cpu: {cores: 1},
      memoryMiB: 128,
      image: {namespace: SYSTEM, name: 'tiny'},
      keyPairs: ['net-key'],
      nics: [
        {index: 0, model: 'virtio', addressing: 'Auto'},
        {index: 1, model: 'virtio', network: {name: network}, addressing: 'Static', address},
      ],
    } as Partial<Server['spec']>);
  const nicOf = (name: string, index: number) => servers.get(name)?.status?.nics?.find((nic) => nic.index === index);
  const packetsOf = async (name: string, nic: string, what: 'rx' | 'tx'): Promise<number> =>
    Number(await shell.run(name, `cat /sys/class/net/${nic}/statistics/${what}_packets`));

  beforeAll(async () => {
    bench = new ServerBench(KUBECONFIG);
    shell = await GuestShell.create(bench);
    await bench.client.create(KEY_PAIR, {
      apiVersion,
      kind: 'KeyPair',
      metadata: {name: 'net-key', namespace: HOME},
      spec: {name: 'net-key', publicKey: shell.publicKey},
    } as never);
    await vlan('net-left', 771);
    await vlan('net-right', 772);
    await server(ONE, 'net-left', '192.168.77.11');
    await server(TWO, 'net-left', '192.168.77.12');
    await server(THREE, 'net-right', '192.168.77.12');
    await bench.client.create(VMI, bareGuest() as unknown as Vmi);
    for (const name of [ONE, TWO, THREE]) {
      servers.set(name, await bench.serverIs(name, 'ACTIVE'));
      await shell.ready(name);
    }
  }, 240_000);

  afterAll(async () => {
    await bench.client.delete(VMI, {namespace: HOME, name: BARE}).catch(() => undefined);
    // Servers go first: a network stays while one of them has an address on it.
    for (const name of [ONE, TWO, THREE]) await bench.delete(SERVER, name).catch(() => undefined);
    for (const name of [ONE, TWO, THREE]) await bench.gone(SERVER, name);
    for (const name of ['net-left', 'net-right']) await bench.delete(NETWORK, name).catch(() => undefined);
    await bench.delete(KEY_PAIR, 'net-key').catch(() => undefined);
    shell.close();
    await bench.close();
  }, 180_000);

  test('each NIC of a guest has the MAC and the address that were leased for it', async () => {
    for (const [index, card] of ['eth0', 'eth1'].entries()) {
      const nic = nicOf(ONE, index);
      expect(await shell.run(ONE, `cat /sys/class/net/${card}/address`)).toBe(nic?.macAddress);
      expect(await shell.run(ONE, `ip -4 addr show dev ${card}`)).toContain(`inet ${nic?.address}/${index === 0 ? 16 : 24} `);
    }
    expect(await shell.run(ONE, 'ip route')).toContain('default via 10.100.0.1 dev eth0');
  });

  test('where this machine reaches it is on the server and on its instance: its own address where that is routed, else a loopback one', async () => {
    const text = (await bench.find(SERVER, ONE))?.metadata.annotations?.[REACH_ANNOTATION];
    expect((await bench.find(VMI, ONE))?.metadata.annotations?.[REACH_ANNOTATION]).toBe(text);
    const {host, port} = await shell.placeOf(ONE, 'ssh');
    if (host.startsWith('127.')) expect(port === 22 || port === 10_022 || host === '127.0.0.1').toBe(true);
    else expect([host, port]).toEqual([nicOf(ONE, 0)?.address, 22]);
    const http = await shell.placeOf(ONE, 'http');
    const page = await fetch(`http://${http.host}:${http.port}/`, {signal: AbortSignal.timeout(10_000)});
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining(ONE)]);
  });

  test('guests of one VLAN reach each other; one of another VLAN with the same address hears none of it, broadcasts included', async () => {
    const before = [await packetsOf(TWO, 'eth1', 'rx'), await packetsOf(THREE, 'eth1', 'rx')] as const;
    expect(await shell.run(ONE, 'ping -c 5 -W 5 192.168.77.12')).toContain('5 packets transmitted, 5 packets received');
    await shell.attempt(ONE, 'ping -c 5 -W 1 192.168.77.99'); // nobody: each asks all
    await shell.run(ONE, 'ip neigh flush dev eth1; arping -c 3 -w 5 -I eth1 192.168.77.12');
    const after = [await packetsOf(TWO, 'eth1', 'rx'), await packetsOf(THREE, 'eth1', 'rx')] as const;
    expect(after[0] - before[0]).toBeGreaterThanOrEqual(12);
    expect(after[1] - before[1]).toBe(0);
  });

  test('guests reach each other on the public network', async () => {
    expect(await shell.run(ONE, `ping -c 3 -W 5 ${nicOf(THREE, 0)?.address}`)).toContain('3 packets received');
    expect(await shell.run(ONE, `nc -w 5 ${nicOf(TWO, 0)?.address} 22 < /dev/null | head -c 8`)).toBe('SSH-2.0-');
  });

  test('a guest that speaks with another MAC than its own is not heard', async () => {
    const before = await packetsOf(TWO, 'eth1', 'rx');
    await shell.run(
      ONE,
      `ip link set eth1 down; ip link set eth1 address 02:00:00:00:00:66; ip link set eth1 up; ping -c 3 -W 1 192.168.77.12; ip link set eth1 down; ip link set eth1 address ${nicOf(ONE, 1)?.macAddress}; ip link set eth1 up`,
    );
    expect((await packetsOf(TWO, 'eth1', 'rx')) - before).toBeLessThanOrEqual(2); // what the card says of itself when it comes back
    expect(await shell.run(ONE, 'ping -c 2 -W 5 192.168.77.12')).toContain('2 packets received');
  });

  test('DHCP gives a guest without a seed the leased address and the gateway', async () => {
    const guest = await bench.until(VMI, BARE, (vmi) => vmi?.metadata.annotations?.[REACH_ANNOTATION] !== undefined);
    const uid = guest?.metadata.uid;
    const folder = readRecords(paths.guests).find(({record}) => record.vmiUid === uid)?.folder ?? '';
    await eventually(() => expect(readFileSync(join(folder, 'serial.log'), 'utf8')).toContain(`GUEST-NET eth0 ${BARE_ADDRESS}/16 dhcp`));
    expect(await shell.run(ONE, `ping -c 2 -W 5 ${BARE_ADDRESS}`)).toContain('2 packets received');
  }, 120_000);

  test('nothing that a guest sends leaves it for this machine or beyond', async () => {
    const own = Object.values(networkInterfaces())
      .flat()
      .find((address) => address?.family === 'IPv4' && !address.internal)?.address;
    let heard = 0;
    const tcp = createServer((socket) => {
      heard++;
      socket.destroy();
    });
    const udp = createSocket('udp4').on('message', () => heard++);
    try {
      await new Promise<void>((done) => tcp.listen(0, '0.0.0.0', done));
      const {port} = tcp.address() as {port: number};
      await new Promise<void>((done) => udp.bind(port, '0.0.0.0', done));
      for (const host of ['10.100.0.1', '10.100.0.2', ...(own === undefined ? [] : [own])]) {
        expect((await shell.attempt(ONE, `nc -w 2 ${host} ${port} < /dev/null`)).exitCode).not.toBe(0);
        await shell.attempt(ONE, `echo hello | nc -u -w 1 ${host} ${port}`);
      }
      expect(heard).toBe(0);
    } finally {
      tcp.close();
      udp.close();
    }
  }, 60_000);

  test('a restart of the hypervisor keeps the VLAN, the way in and the guests', async () => {
    const uptime = async (): Promise<number> => Number((await shell.run(ONE, 'cat /proc/uptime')).split(' ')[0]);
    const reach = (await bench.find(SERVER, ONE))?.metadata.annotations?.[REACH_ANNOTATION];
    const before = await uptime();
    const pinging = shell.attempt(ONE, 'ping -c 20 -W 2 192.168.77.12');
    await new Promise((done) => setTimeout(done, 2_000));
    const identityOf = () =>
      recordedProcesses(readState(paths.state) ?? fail()).find(({name}) => name === 'hypervisor')?.identity ?? fail();
    const killed = identityOf();
    signalProcess(killed, 'SIGKILL');
    const {stdout} = await pinging;
    expect(identityOf().pid).not.toBe(killed.pid);
    const received = Number(/(\d+) packets received/.exec(stdout)?.[1]);
    expect(received).toBeGreaterThan(5);
    expect(received).toBeLessThanOrEqual(20);
    expect(await shell.run(ONE, 'ping -c 3 -W 5 192.168.77.12')).toContain('3 packets received');
    expect(await uptime()).toBeGreaterThan(before);
    expect((await bench.find(SERVER, ONE))?.metadata.annotations?.[REACH_ANNOTATION]).toBe(reach);
  }, 120_000);
});

const fail = (): never => {
  throw new Error('the cluster has no hypervisor');
};

/** An instance as somebody else than Basalt may make one: no seed, and its address named by the annotation. */
function bareGuest(): object {
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: {name: BARE, namespace: HOME, annotations: {'basalt.dev/nic-addresses': JSON.stringify({nic0: BARE_ADDRESS})}},
    spec: {
      domain: {
        memory: {guest: '128Mi'},
        resources: {requests: {memory: '128Mi'}},
        devices: {
          disks: [{name: 'root', disk: {bus: 'virtio'}}],
          interfaces: [{name: 'nic0', model: 'virtio', bridge: {}}],
        },
      },
      networks: [{name: 'nic0', multus: {networkName: `${SYSTEM}/public`}}],
      volumes: [{name: 'root', containerDisk: {image: 'local/tiny'}}],
      terminationGracePeriodSeconds: 0,
    },
  };
}

/** Tries until it holds; a guest's boot takes seconds. */
async function eventually(holds: () => void): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    try {
      return holds();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((done) => setTimeout(done, 200));
    }
  }
}
