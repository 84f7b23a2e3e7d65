import {describe, expect, test} from '@jest/globals';
import {netdevsOf, planUplink, podFacts, uplinkMac} from './addressing.ts';
import type {NetworkFacts} from './addressing.ts';
import {addressText, overlap, parseRange, rangeText} from './ipv4.ts';
import {ip} from './testing.ts';

const facts: NetworkFacts = {
  kind: 'public',
  cidr: '10.100.0.0/16',
  gateway: '10.100.0.1',
  nameservers: ['10.100.0.2'],
  ranges: [{start: '10.100.16.10', end: '10.100.31.250'}],
};

describe('ranges', () => {
  test.each([
    ['10.100.7.9/16', '10.100.0.0/16'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['255.255.255.255/32', '255.255.255.255/32'],
  ])('%s is %s', (text, range) => expect(rangeText(parseRange(text) ?? {first: 0, prefixLength: 99})).toBe(range));
  test.each(['fd00::/64', '10.1.2/24', '10.1.2.256', '10.1.2.3/33', '10.1.2.3/', '10.1.2.3/8/9', 'default', ''])('%s is none', (text) =>
    expect(parseRange(text)).toBeUndefined(),
  );
  test.each([
    ['10.100.0.0/16', '10.100.31.0/24', true],
    ['10.100.31.0/24', '10.0.0.0/8', true],
    ['10.100.0.0/16', '10.101.0.0/16', false],
    ['255.255.255.0/24', '255.255.255.255', true],
  ])('%s and %s', (left, right, common) => {
    const ranges = [left, right].map(parseRange) as [
      NonNullable<ReturnType<typeof parseRange>>,
      NonNullable<ReturnType<typeof parseRange>>,
    ];
    expect(overlap(...ranges)).toBe(common);
  });
});

describe('the gateway of a NIC', () => {
  const planned = (changes: Partial<NetworkFacts>, address: string | undefined = '10.100.16.12') => {
    const plan = planUplink({...facts, ...changes}, address);
    return plan && {address: addressText(plan.address), host: addressText(plan.host), dns: addressText(plan.dns)};
  };
  test('is that of the network', () => expect(planned({})).toEqual({address: '10.100.16.12', host: '10.100.0.1', dns: '10.100.0.2'}));
  test.each([
    ['a VLAN', {kind: 'vlan' as const}, '10.100.16.12'],
    ['a NIC without lease', {}, undefined],
    ['a network without addresses', {cidr: undefined}, '10.100.16.12'],
    ['IPv6', {cidr: 'fd00::/64'}, 'fd00::7'],
    ['an address of elsewhere', {}, '10.9.9.9'],
    ['a range without room', {cidr: '10.100.16.12/30', gateway: undefined}, '10.100.16.13'],
  ])('%s has none', (_what, changes, address) => expect(planUplink({...facts, ...changes}, address)).toBeUndefined());
  test.each([
    ['name servers elsewhere: qemu’s own is an address that no guest has', {nameservers: ['9.9.9.9']}, {dns: '10.100.255.254'}],
    ['no gateway: it is an address that no guest has', {gateway: undefined}, {host: '10.100.255.254', dns: '10.100.0.2'}],
    [
      'the highest addresses are leased: those below',
      {gateway: undefined, nameservers: [], ranges: [{start: '10.100.1.0', end: '10.100.255.254'}]},
      {host: '10.100.0.255', dns: '10.100.0.254'},
    ],
    [
      'all are leased: the highest but the guest’s own',
      {gateway: undefined, nameservers: [], ranges: [{start: '10.100.0.1', end: '10.100.255.254'}]},
      {host: '10.100.255.254'},
    ],
    ['a name server whose address is the guest’s own', {nameservers: ['10.100.16.12']}, {dns: '10.100.255.254'}],
  ])('%s', (_what, changes, expected) => expect(planned(changes)).toMatchObject(expected));
  test('a guest is not told of a gateway that the network has not', () => {
    expect(planUplink({...facts, gateway: undefined}, '10.100.16.12')?.gateway).toBeUndefined();
  });
  test('its MAC is that of qemu’s user network', () => expect(uplinkMac(ip('10.100.0.1'))).toBe('52:55:0a:64:00:01'));
});

test('a pod’s NIC has the pod’s address, and a gateway beside it', () => {
  expect(podFacts('10.244.0.7')).toMatchObject({address: '10.244.0.7', facts: {cidr: '10.244.0.0/24', gateway: '10.244.0.1'}});
  expect(podFacts('10.244.0.1').facts.gateway).toBe('10.244.0.254');
  expect(podFacts(undefined).address).toBe('10.0.2.15');
});

describe('netdevs', () => {
  const ports = {switchPort: 12_000, guestPort: 12_001, uplinkPort: 12_002};
  const local = (port: string) => ({type: 'inet', host: '127.0.0.1', port});
  test('a NIC on a VLAN has a cable and nothing else', () => {
    expect(netdevsOf({index: 1}, {...ports, uplinkPort: undefined}, '127.0.0.1', undefined)).toEqual([
      {type: 'dgram', id: 'net1', local: local('12001'), remote: local('12000')},
    ]);
  });
  test('one with a gateway has it on a cable of its own, and it leads nowhere', () => {
    const netdevs = netdevsOf({index: 2}, ports, '127.0.0.1', planUplink(facts, '10.100.16.12'));
    expect(netdevs.map(({id}) => id)).toEqual(['net2', 'user2', 'up2', 'userhub2', 'uphub2']);
    expect(netdevs[1]).toEqual({
      type: 'user',
      id: 'user2',
      net: '10.100.0.0/16',
      host: '10.100.0.1',
      dns: '10.100.0.2',
      dhcpstart: '10.100.16.12',
      restrict: true,
      ipv6: false,
    });
    expect(netdevs[2]).toMatchObject({local: local('12002'), remote: local('12000')});
    expect(netdevs.slice(3)).toMatchObject([
      {hubid: 2, netdev: 'user2'},
      {hubid: 2, netdev: 'up2'},
    ]);
  });
});
