import {beforeEach, describe, expect, test} from '@jest/globals';
import {silentLogger} from '../../../../kube/log.ts';
import type {QmpClient} from '../qemu/qmp.ts';
import type {NetworkFacts} from './addressing.ts';
import type {Forward} from './forwards.ts';
import {createGuestNetworks} from './guest-networks.ts';
import type {GuestNetworks, NicRequest} from './networks.ts';
import {ALL, dhcpRequest, frame} from './testing.ts';
import type {Wire} from './wire.ts';

const [A, B] = ['02:00:00:00:00:0a', '02:00:00:00:00:0b'] as const;
const PUBLIC: NetworkFacts = {kind: 'public', cidr: '10.100.0.0/16', gateway: '10.100.0.1', nameservers: [], ranges: []};
const VLAN: NetworkFacts = {kind: 'vlan', cidr: '192.168.7.0/24', gateway: undefined, nameservers: [], ranges: []};

/** Cables without sockets: what is sent is kept, and a test speaks for the guest. */
class FakeWire implements Wire {
  readonly sent = new Map<number, Buffer[]>();
  readonly ends = new Map<number, (frame: Buffer) => void>();
  isTaken = false;
  #next = 12_001;

  lay(receive: (frame: Buffer) => void) {
    return Promise.resolve(this.#cable(12_000, this.#next++, receive));
  }
  takeUp(ports: {readonly guestPort: number; readonly switchPort: number}, receive: (frame: Buffer) => void) {
    if (this.isTaken) return Promise.reject(new Error('EADDRINUSE'));
    return Promise.resolve(this.#cable(ports.switchPort, ports.guestPort, receive));
  }
  close() {
    return Promise.resolve();
  }
  #cable(switchPort: number, guestPort: number, receive: (frame: Buffer) => void) {
    const sent: Buffer[] = [];
    this.sent.set(guestPort, sent);
    this.ends.set(guestPort, receive);
    return {switchPort, guestPort, send: (one: Buffer) => void sent.push(one), cut: () => void this.ends.delete(guestPort)};
  }
}

let wire: FakeWire;
let told: (readonly [number, readonly Forward[]])[];
let networks: GuestNetworks;
const make = (): GuestNetworks =>
  createGuestNetworks({
    book: {find: (name) => Promise.resolve(name === 'sys/public' ? PUBLIC : VLAN)},
    reach: {
      tell(_guest, index, forwards) {
        told.push([index, forwards]);
        return Promise.resolve();
      },
    },
    wire,
    isRouted: () => Promise.resolve(true),
    freePort: () => Promise.resolve(40_000),
    slot: 0,
    log: silentLogger,
  });
beforeEach(() => {
  wire = new FakeWire();
  told = [];
  networks = make();
});

const request = (changes: Partial<NicRequest> = {}): NicRequest => ({
  vmiUid: 'u1',
  vmiKey: 'acct/web',
  index: 0,
  name: 'nic0',
  mac: A,
  attachment: 'sys/public',
  address: '10.100.16.10',
  podAddress: undefined,
  ...changes,
});

/** A qemu with nothing but a monitor; `lines` are the commands that change something. */
function monitor(): {readonly qmp: QmpClient; readonly lines: string[]} {
  const lines: string[] = [];
  let listing = 'Hub 0 (user0):\r\n';
  const qmp: QmpClient = {
    execute(_command, args) {
      const line = String(args?.['command-line']);
      if (line === 'info usernet') return Promise.resolve(listing);
      lines.push(line);
      const added = /^hostfwd_add user0 tcp:(\S+):(\d+)-(\S+):(\d+)$/.exec(line);
      if (added !== null) listing += `  TCP[HOST_FORWARD]  9  ${added[1]} ${added[2]}  ${added[3]} ${added[4]}  0  0\r\n`;
      return Promise.resolve('');
    },
    onEvent: () => () => undefined,
    closed: Promise.resolve(),
    close: () => undefined,
  };
  return {qmp, lines};
}

describe('joining', () => {
  test('the arguments are the netdevs, as qemu reads them', async () => {
    const nic = await networks.attach(request());
    expect(nic.netdevArguments).toEqual(nic.netdevs.flatMap((one) => ['-netdev', JSON.stringify(one)]));
    expect(nic.netdevs.map(({id}) => id)).toEqual(['net0', 'user0', 'up0', 'userhub0', 'uphub0']);
    expect(nic.state).toEqual({switchPort: 12_000, guestPort: 12_001, uplinkPort: 12_002, linkUp: true});
  });
  test('guests of one network meet, those of another hear nothing', async () => {
    const on = (mac: string, attachment: string, vmiUid: string) => networks.attach(request({mac, attachment, vmiUid}));
    const nics = [await on(A, 'acct/left', 'u1'), await on(B, 'acct/left', 'u2'), await on(B, 'acct/right', 'u3')];
    for (const nic of nics) await nic.activate(monitor().qmp);
    wire.ends.get(12_001)?.(frame(A, ALL));
    expect([...wire.sent.values()].map(({length}) => length)).toEqual([0, 1, 0]);
    expect(nics[0]?.counters).toMatchObject({txPackets: 1, txBytes: 60});
  });
  test('DHCP is answered with the lease, and on a VLAN not at all', async () => {
    const nic = await networks.attach(request());
    await nic.activate(monitor().qmp);
    wire.ends.get(12_001)?.(dhcpRequest(A, {message: 1}));
    expect(wire.sent.get(12_001)?.[0]?.readUInt32BE(58)).toBe(0x0a_64_10_0a);
    const vlan = await networks.attach(request({attachment: 'acct/left', mac: B}));
    await vlan.activate(monitor().qmp);
    wire.ends.get(12_003)?.(dhcpRequest(B, {message: 1}));
    expect(wire.sent.get(12_003)).toEqual([]);
  });
  test('NICs on the pod network are each alone', async () => {
    const pod = (podAddress: string, vmiUid: string) => networks.attach(request({attachment: undefined, podAddress, vmiUid}));
    const [one, two] = [await pod('10.244.0.5', 'u1'), await pod('10.244.0.6', 'u2')];
    for (const nic of [one, two]) await nic.activate(monitor().qmp);
    wire.ends.get(12_001)?.(frame(A, ALL));
    expect(wire.sent.get(12_003)).toEqual([]);
  });
});

describe('ports of this machine', () => {
  test('are opened when the guest runs, told, and not opened again', async () => {
    const nic = await networks.attach(request({ports: '8080'}));
    const {qmp, lines} = monitor();
    await nic.activate(qmp);
    await nic.activate(qmp);
    expect(lines).toEqual([22, 80, 443, 8080].map((port) => `hostfwd_add user0 tcp:10.100.16.10:${port}-10.100.16.10:${port}`));
    expect(told.at(-1)?.[1].map(({guestPort}) => guestPort)).toEqual([22, 80, 443, 8080]);
  });
  test('of a VLAN there are none', async () => {
    const {qmp, lines} = monitor();
    await (await networks.attach(request({attachment: 'acct/left'}))).activate(qmp);
    expect([lines, told]).toEqual([[], []]);
  });
  test('of a pod are on loopback: its address is not routed here', async () => {
    const {qmp, lines} = monitor();
    await (await networks.attach(request({attachment: undefined, podAddress: '10.244.0.5'}))).activate(qmp);
    expect(lines[0]).toBe('hostfwd_add user0 tcp:127.1.0.5:22-10.244.0.5:22');
  });
  test('close before the guest moves, open where it arrives, and stay told when its old place is given up', async () => {
    const [source, target] = [await networks.attach(request()), await networks.attach(request())];
    const [from, to] = [monitor(), monitor()];
    await source.activate(from.qmp);
    await source.deactivate(from.qmp);
    expect(from.lines.filter((line) => line.startsWith('hostfwd_remove'))).toHaveLength(3);
    await target.activate(to.qmp);
    source.release();
    expect(told.map(([, forwards]) => forwards.length)).toEqual([3, 3]);
    target.release();
    target.release();
    expect(told.map(([, forwards]) => forwards.length)).toEqual([3, 3, 0]);
  });
});

describe('after a restart of this program', () => {
  test('a NIC goes on with its cables, and with its link', async () => {
    const nic = await networks.attach(request());
    nic.setLink(false);
    const {state} = nic;
    networks = make();
    const again = await networks.adopt(state, request());
    expect(again.netdevs).toEqual(nic.netdevs);
    expect(again.state).toEqual({switchPort: 12_000, guestPort: 12_001, uplinkPort: 12_002, linkUp: false});
    await again.activate(monitor().qmp);
    wire.ends.get(12_001)?.(dhcpRequest(A, {message: 1}));
    expect(wire.sent.get(12_001)).toEqual([]);
    again.setLink(true);
    wire.ends.get(12_001)?.(dhcpRequest(A, {message: 1}));
    expect(wire.sent.get(12_001)).toHaveLength(1);
  });
  test('a NIC whose cable cannot be taken up is refused: one of which nothing is known, too', async () => {
    wire.isTaken = true;
    await expect(networks.adopt({switchPort: 1, guestPort: 2, uplinkPort: null, linkUp: true}, request())).rejects.toThrow('EADDRINUSE');
    await expect(networks.adopt(null, request({index: 1}))).rejects.toThrow('nothing is remembered');
  });
});

test('what was released is forgotten: nothing is carried to it', async () => {
  const on = (mac: string, vmiUid: string) => networks.attach(request({mac, attachment: 'acct/left', vmiUid}));
  const [a, b] = [await on(A, 'u1'), await on(B, 'u2')];
  for (const nic of [a, b]) await nic.activate(monitor().qmp);
  b.release();
  wire.ends.get(12_001)?.(frame(A, ALL));
  expect([wire.sent.get(12_002), wire.ends.has(12_002)]).toEqual([[], false]);
});
