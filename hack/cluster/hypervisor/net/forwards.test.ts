import {describe, expect, test} from '@jest/globals';
import type {QmpClient} from '../qemu/qmp.ts';
import {closeForwards, loopbackFor, openForwards, parseForwards, placesFor, portsOf} from './forwards.ts';
import {ip} from './testing.ts';

const ADDRESS = ip('10.100.16.12');

describe('which ports', () => {
  test.each([
    [undefined, [22, 80, 443]],
    ['8080, 5432', [22, 80, 443, 8080, 5432]],
    ['80 8080,8080', [22, 80, 443, 8080]],
    ['0,65536,-1,http,99999999', [22, 80, 443]],
    [
      Array.from({length: 40}, (_, index) => 1000 + index).join(','),
      [22, 80, 443, ...Array.from({length: 16}, (_, index) => 1000 + index)],
    ],
  ])('%s', (annotation, ports) => expect(portsOf(annotation)).toEqual(ports));
});

describe('where', () => {
  const texts = (port: number, isRouted: boolean) =>
    placesFor(port, {address: ADDRESS, isRouted, slot: 1}).map((place) => `${place.host}:${place.port}`);
  test('with a route, on the guest’s own address', () => expect(texts(22, true)[0]).toBe('10.100.16.12:22'));
  test('without, on a loopback address, and there without root too', () =>
    expect(texts(22, false)).toEqual(['127.2.16.12:22', '127.2.16.12:10022', '127.0.0.1:0']));
  test('a port for everybody has no second one', () => expect(texts(8080, false)).toEqual(['127.2.16.12:8080', '127.0.0.1:0']));
  test('clusters side by side have different loopback addresses, none of them everybody’s or a pod’s', () => {
    const hosts = Array.from({length: 244}, (_, slot) => loopbackFor(ADDRESS, slot));
    expect(new Set(hosts).size).toBe(244);
    expect(hosts.filter((host) => /^127\.(0|245)\./.test(host))).toEqual([]);
  });
});

const LISTING = [
  'Hub 0 (user0):',
  '  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ',
  '  TCP[ESTABLISHED]   21       127.0.0.1 40022    10.100.16.12    22     0     0',
  '  TCP[HOST_FORWARD]  14    10.100.16.12    22    10.100.16.12    22     0     0',
  'Hub 1 (user1):',
  '  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ',
  '  TCP[HOST_FORWARD]  15       127.0.0.1  4022    10.100.16.13    80     0     0',
  '',
].join('\r\n');

test('what qemu lists', () => {
  expect(parseForwards(LISTING, 'user0')).toEqual([{host: '10.100.16.12', port: 22, guestPort: 22}]);
  expect(parseForwards(LISTING, 'user1')).toEqual([{host: '127.0.0.1', port: 4022, guestPort: 80}]);
  expect(parseForwards('', 'user0')).toEqual([]);
});

describe('opening and closing', () => {
  /** A qemu that has a listing, and that cannot open what `taken` names. */
  const qemu = (listing: string, taken: readonly string[] = []) => {
    const lines: string[] = [];
    const qmp: QmpClient = {
      execute(_command, args) {
        const line = String(args?.['command-line']);
        if (line === 'info usernet') return Promise.resolve(listing);
        lines.push(line);
        return Promise.resolve(taken.some((place) => line.includes(place)) ? "Could not set up host forwarding rule 'x'\r\n" : '');
      },
      onEvent: () => () => undefined,
      closed: Promise.resolve(),
      close: () => undefined,
    };
    return {qmp, lines};
  };
  const request = {
    netdev: 'user0',
    address: ADDRESS,
    places: (port: number) => placesFor(port, {address: ADDRESS, isRouted: true, slot: 0}),
    freePort: () => Promise.resolve(40_123),
  };

  test('what is open stays, the rest is opened', async () => {
    const {qmp, lines} = qemu(LISTING);
    expect(await openForwards(qmp, {...request, ports: [22, 80]})).toEqual([
      {host: '10.100.16.12', port: 22, guestPort: 22},
      {host: '10.100.16.12', port: 80, guestPort: 80},
    ]);
    expect(lines).toEqual(['hostfwd_add user0 tcp:10.100.16.12:80-10.100.16.12:80']);
  });
  test('what somebody has is passed over, place by place', async () => {
    const {qmp} = qemu('', ['tcp:10.100.16.12:80-', 'tcp:127.1.16.12:80-', 'tcp:127.1.16.12:10080-']);
    expect(await openForwards(qmp, {...request, ports: [80]})).toEqual([{host: '127.0.0.1', port: 40_123, guestPort: 80}]);
  });
  test('a port that nowhere can be opened is absent', async () => {
    const {qmp} = qemu('', ['tcp:']);
    expect(await openForwards(qmp, {...request, ports: [80]})).toEqual([]);
  });
  test('closing takes away its own', async () => {
    const {qmp, lines} = qemu(LISTING);
    await closeForwards(qmp, 'user0');
    expect(lines).toEqual(['hostfwd_remove user0 tcp:10.100.16.12:22']);
  });
});
