/**
 * Networks of real guests: who hears whom at layer 2, which addresses guests have, where this machine reaches them, what they cannot reach,
 * and that a switch which dies and comes back goes on. Four guests, started once.
 */
import {createServer} from 'node:net';
import type {AddressInfo, Server as TcpServer} from 'node:net';
import {networkInterfaces} from 'node:os';
import {resolve} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {SERVER} from '../../crds/index.ts';
import type {Server} from '../../crds/index.ts';
import {REACH_ANNOTATION} from '../../hack/cluster/hypervisor/net/reach.ts';
import {clusterPaths} from '../../hack/cluster/paths.ts';
import {signalProcess} from '../../hack/cluster/process-identity.ts';
import {readState, recordedProcesses} from '../../hack/cluster/state.ts';
import {waitFor} from '../../hack/cluster/waiting.ts';
import {VIRTUAL_MACHINE_INSTANCE} from '../../operator/kubevirt/types.ts';
import {NetworkBench} from '../lib/network-bench.ts';

const {KUBECONFIG = '', BASALT_CLUSTER_DIR = '.cluster', BASALT_GUESTS} = process.env;
const paths = clusterPaths(resolve(BASALT_CLUSTER_DIR));
const suite = BASALT_GUESTS === 'qemu' ? describe : describe.skip;

const BOOTS_MS = 240_000;
const GONE_MS = 120_000;
const TEST_MS = 120_000;
/** Two VLANs with the same addresses: whoever mixes them up is found out. */
const RANGE = '10.77.0.0/24';
const MORE_PORT = 8_080;

suite('networks of guests (needs GUESTS=qemu: simulated guests send nothing)', () => {
  let bench: NetworkBench;
  const hypervisor = () => {
    const state = readState(paths.state);
    return state === undefined ? undefined : recordedProcesses(state).find(({name}) => name === 'hypervisor')?.identity;
  };
  const frames = async (short: string, card: string): Promise<number> =>
    Number(await bench.ssh(short, `cat /sys/class/net/${card}/statistics/rx_packets`));

  beforeAll(async () => {
    bench = new NetworkBench(KUBECONFIG, 'nettest');
    await bench.makeKey();
    await bench.vlan('red', {vlanId: 3101, cidr: RANGE});
    await bench.vlan('blue', {vlanId: 3102, cidr: RANGE});
    await bench.guest('red1', ['red'], {annotations: {'guest.basalt.dev/ports': String(MORE_PORT)}});
    await bench.guest('red2', ['red']);
    await bench.guest('blue1', ['blue']);
    await bench.servers.drive(bench.name('drive'), {
      sizeBytes: 64 * 1024 ** 2,
      source: {image: {name: 'tiny', namespace: 'basalt-system'}},
    });
    await bench.guest('seedless', [], {spec: {disks: [{slot: 'block:0', drive: bench.name('drive')}]}});
    for (const guest of ['red1', 'red2', 'blue1']) await bench.up(guest);
  }, BOOTS_MS);

  afterAll(async () => {
    await bench.close();
  }, GONE_MS);

  test(
    'a server answers SSH from this machine, and carries the leased addresses and MACs',
    async () => {
      const server = (await bench.servers.find<Server>(SERVER, bench.name('red1'))) as Server;
      const cards = await bench.ssh('red1', 'ip -o addr; ip -o link');
      for (const [index, prefix] of [16, 24].entries()) {
        const nic = server.status?.nics?.find((each) => each.index === index);
        expect(cards).toMatch(new RegExp(`eth${index} +inet ${nic?.address ?? 'no address'}/${prefix} `));
        expect(cards).toMatch(new RegExp(`eth${index}: .*ether ${nic?.macAddress?.toLowerCase() ?? 'no MAC'} `));
      }
    },
    TEST_MS,
  );

  test(
    'where it is reached is said on the server and on its instance, more ports by annotation',
    async () => {
      const said = async (type: typeof SERVER | typeof VIRTUAL_MACHINE_INSTANCE): Promise<string | undefined> =>
        (await bench.servers.find(type as typeof SERVER, bench.name('red1')))?.metadata.annotations?.[REACH_ANNOTATION];
      const text = await said(SERVER);
      expect(text?.split(',').map((entry) => entry.replace(/=.*/, ''))).toEqual(['ssh', 'http', 'https', `tcp-${MORE_PORT}`]);
      expect(await said(VIRTUAL_MACHINE_INSTANCE)).toBe(text);
      const {host, port} = await bench.reach('red1', `tcp-${MORE_PORT}`);
      await bench.ssh('red1', `mkdir -p /tmp/more && echo more > /tmp/more/index.html && httpd -p ${MORE_PORT} -h /tmp/more`);
      expect(await (await fetch(`http://${host}:${port}/`)).text()).toBe('more\n');
    },
    TEST_MS,
  );

  test(
    'a guest without a seed gets the leased address and its name by DHCP',
    async () => {
      const address = await bench.address('seedless', 0);
      const {host, port} = await bench.reach('seedless', 'http');
      await waitFor(
        async () => {
          try {
            return (await (await fetch(`http://${host}:${port}/`, {signal: AbortSignal.timeout(5_000)})).text()) === ''
              ? 'empty'
              : undefined;
          } catch (error) {
            return (error as Error).message;
          }
        },
        {what: 'the page of the guest without a seed', deadlineMs: 90_000, intervalMs: 500},
      );
      expect(await bench.ssh('red1', `ping -c 1 -W 5 ${address}`)).toContain('1 packets received');
    },
    TEST_MS,
  );

  test(
    'guests of one VLAN ping each other and speak TCP',
    async () => {
      const other = await bench.address('red2', 1);
      expect(await bench.ssh('red1', `ping -c 3 -W 5 ${other}`)).toContain('3 packets received');
      expect(await bench.ssh('red1', `nc -w 5 ${other} 22 < /dev/null | head -c 4`)).toBe('SSH-');
    },
    TEST_MS,
  );

  test(
    'guests on the public network reach each other, and no gateway answers in their place',
    async () => {
      const other = await bench.address('red2', 0);
      expect(await bench.ssh('red1', `ping -c 3 -W 5 ${other}`)).toContain('3 packets received');
      expect(await bench.ssh('red1', `nc -w 5 ${other} 22 < /dev/null | head -c 4`)).toBe('SSH-');
      expect(await bench.ssh('red1', 'ping -c 1 -W 5 10.100.0.1')).toContain('1 packets received');
    },
    TEST_MS,
  );

  test(
    'a guest of another VLAN with the same addresses hears nothing of it',
    async () => {
      const red = await bench.address('red2', 1);
      await bench.ssh('blue1', `ip addr add 10.77.0.200/24 dev eth1; ip neigh flush dev eth1`);
      const before = await frames('blue1', 'eth1');
      // Broadcasts (who has it?) and a multicast, which every card of the VLAN hears.
      expect(await bench.ssh('red1', 'arping -c 3 -w 4 -I eth1 10.77.0.200 || true')).not.toContain('nicast reply');
      await bench.ssh('red1', 'ping -c 3 -W 1 10.77.0.200 || true; ping -c 3 -W 1 224.0.0.1 || true');
      expect(await frames('blue1', 'eth1')).toBe(before);
      expect(await bench.ssh('red1', `arping -c 1 -w 4 -I eth1 ${red}`)).toContain('nicast reply');
    },
    TEST_MS,
  );

  test(
    'a guest that takes another MAC is not heard',
    async () => {
      const other = await bench.address('red2', 1);
      const mac = (await bench.ssh('red1', 'cat /sys/class/net/eth1/address')).trim();
      const change = (to: string): string => `ip link set eth1 down; ip link set eth1 address ${to}; ip link set eth1 up`;
      await bench.ssh('red1', change('52:54:00:12:34:56'));
      expect(await bench.ssh('red1', `ping -c 2 -W 2 ${other} || true`)).toContain(' 0 packets received');
      await bench.ssh('red1', change(mac));
      expect(await bench.ssh('red1', `ping -c 2 -W 5 ${other}`)).toContain(' 2 packets received');
    },
    TEST_MS,
  );

  test(
    'a guest reaches neither servers of this machine nor anything outside',
    async () => {
      const server: TcpServer = createServer((socket) => socket.end('reached'));
      await new Promise<void>((done) => server.listen(0, '0.0.0.0', done));
      try {
        const {port} = server.address() as AddressInfo;
        const own = Object.values(networkInterfaces())
          .flat()
          .find((each) => each?.family === 'IPv4' && !each.internal)?.address;
        const targets = ['10.100.0.1', '10.100.0.2', '10.0.2.2', ...(own === undefined ? [] : [own])];
        for (const target of targets)
          expect([target, await bench.ssh('red1', `nc -w 3 ${target} ${port} < /dev/null || echo refused`)]).toEqual([target, 'refused\n']);
      } finally {
        await new Promise((done) => server.close(done));
      }
    },
    TEST_MS,
  );

  test(
    'when the hypervisor is killed and comes back, the VLAN, the ports and a connection go on',
    async () => {
      const other = await bench.address('red2', 1);
      const before = hypervisor();
      if (before === undefined) throw new Error('the hypervisor does not run');
      // This very connection goes through the program that is killed.
      const pings = bench.ssh('red1', `ping -c 30 -i 1 -W 2 ${other} > /tmp/pings; tail -2 /tmp/pings | head -1`);
      await new Promise((done) => setTimeout(done, 3_000));
      signalProcess(before, 'SIGKILL');
      const said = /(\d+) packets transmitted, (\d+) packets received/.exec(await pings);
      expect(Number(said?.[1])).toBe(30);
      expect(Number(said?.[2])).toBeGreaterThanOrEqual(15);
      expect(hypervisor()).not.toEqual(before);
      await bench.up('red2');
      expect(await bench.ssh('red1', `ping -c 3 -W 5 ${other}`)).toContain('3 packets received');
    },
    TEST_MS,
  );

  test(
    'a stopped server is reached nowhere, and says so',
    async () => {
      const name = bench.name('blue1');
      const {host, port} = await bench.reach('blue1', 'ssh');
      await bench.servers.patch(name, {powerState: 'Stopped'});
      await bench.servers.serverIs(name, 'STOPPED');
      await bench.servers.until(SERVER, name, (server) => server?.metadata.annotations?.[REACH_ANNOTATION] === undefined);
      await expect(fetch(`http://${host}:${port}/`)).rejects.toThrow();
    },
    TEST_MS,
  );
});
