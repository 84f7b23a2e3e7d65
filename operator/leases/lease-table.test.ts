import {describe, expect, test} from '@jest/globals';
import fc from 'fast-check';
import {LeaseTable} from './lease-table.ts';
import type {Lease, NicWish} from './lease-table.ts';
import {deriveMac} from './mac.ts';

const SOURCE = {cidr: '10.0.0.0/24', gateway: '10.0.0.1', ranges: [{start: '10.0.0.10', end: '10.0.0.13'}]};
const wish = (server: string, more: Partial<NicWish> = {}): NicWish => ({
  namespace: 'ns',
  server,
  index: 0,
  uuid: `uuid-${server}`,
  addressing: 'Auto',
  ...more,
});
const nobody = () => false;
const lease = (server: string, address: string, macAddress = deriveMac(`uuid-${server}`, 0)): Lease => ({
  namespace: 'ns',
  server,
  index: 0,
  address,
  macAddress,
});

test('MAC addresses are derived: the same for the same NIC, locally administered, different for the next choice', () => {
  expect(deriveMac('u', 0)).toMatch(/^52:54:00(:[0-9a-f]{2}){3}$/);
  expect(deriveMac('u', 0)).toBe(deriveMac('u', 0));
  expect(new Set([deriveMac('u', 0), deriveMac('u', 1), deriveMac('v', 0), deriveMac('u', 0, 1)]).size).toBe(4);
});

describe('grant', () => {
  test('addresses in turn, kept on asking again, none twice, until none is left', () => {
    const table = new LeaseTable(SOURCE, []);
    const given = ['a', 'b', 'c', 'd'].map((server) => table.grant(wish(server), nobody));
    expect(given.map((outcome) => (outcome.kind === 'granted' ? outcome.address : outcome.reason))).toEqual([
      '10.0.0.10',
      '10.0.0.11',
      '10.0.0.12',
      '10.0.0.13',
    ]);
    const before = table.changes;
    expect(table.grant(wish('b'), nobody)).toMatchObject({address: '10.0.0.11'});
    expect(table.changes).toBe(before);
    expect(table.grant(wish('e'), nobody)).toMatchObject({kind: 'refused', reason: 'NoFreeAddress'});
    expect(table.changes).toBe(before);
  });

  test('an address that was given back rests until the others were used', () => {
    const table = new LeaseTable(SOURCE, [lease('a', '10.0.0.10'), lease('b', '10.0.0.11')]);
    table.release('ns', 'b', () => false);
    expect(['c', 'd', 'e'].map((server) => table.grant(wish(server), nobody))).toMatchObject([
      {address: '10.0.0.12'},
      {address: '10.0.0.13'},
      {address: '10.0.0.11'},
    ]);
  });

  test.each([
    ['a static address', {addressing: 'Static', address: '10.0.0.99'}, {kind: 'granted', address: '10.0.0.99'}],
    ['one that is leased', {addressing: 'Static', address: '10.0.0.10'}, {kind: 'refused', reason: 'AddressInUse'}],
    ['one of another network', {addressing: 'Static', address: '10.9.0.1'}, {kind: 'refused', reason: 'AddressOutsideNetwork'}],
    ['the gateway', {addressing: 'Static', address: '10.0.0.1'}, {kind: 'refused', reason: 'AddressOutsideNetwork'}],
    ['a MAC of its own', {macAddress: '52-54-00-AA-BB-CC'}, {kind: 'granted', macAddress: '52:54:00:aa:bb:cc'}],
    ['a MAC in use', {macAddress: deriveMac('uuid-a', 0)}, {kind: 'refused', reason: 'MacAddressInUse'}],
  ] as const)('%s', (_name, more, expected) => {
    const table = new LeaseTable(SOURCE, [lease('a', '10.0.0.10')]);
    expect(table.grant(wish('b', more), nobody)).toMatchObject(expected);
  });

  test('a guest that manages its address gets a MAC and no lease, and gives back one it had', () => {
    const table = new LeaseTable(SOURCE, [lease('a', '10.0.0.10')]);
    expect(table.grant(wish('a', {addressing: 'Manual'}), nobody)).toEqual({kind: 'granted', macAddress: deriveMac('uuid-a', 0)});
    expect(table.leases()).toEqual([]);
    expect(table.changes).toBe(1);
  });

  test('a network without addresses hands out MACs only', () => {
    const table = new LeaseTable({}, []);
    expect(table.peek(wish('a'), nobody)).toEqual({kind: 'granted', macAddress: deriveMac('uuid-a', 0)});
    expect(table.size).toBe(0);
  });

  test('a derived MAC that is taken, by a lease or by a NIC without one, yields to the next choice', () => {
    const [first, second] = [deriveMac('uuid-b', 0), deriveMac('uuid-b', 0, 1)];
    const table = new LeaseTable(SOURCE, [lease('a', '10.0.0.10', first)]);
    expect(table.grant(wish('b'), (mac) => mac === second)).toMatchObject({macAddress: deriveMac('uuid-b', 0, 2)});
  });

  test('another static address replaces the lease; a refused change keeps it', () => {
    const table = new LeaseTable(SOURCE, [lease('a', '10.0.0.10'), lease('b', '10.0.0.11')]);
    expect(table.grant(wish('a', {addressing: 'Static', address: '10.0.0.11'}), nobody)).toMatchObject({reason: 'AddressInUse'});
    expect(table.ofServer('ns', 'a')).toEqual([lease('a', '10.0.0.10')]);
    expect(table.changes).toBe(0);
    table.grant(wish('a', {addressing: 'Static', address: '10.0.0.50'}), nobody);
    expect(table.ofServer('ns', 'a')).toEqual([lease('a', '10.0.0.50')]);
  });
});

test('release gives back only what is not kept, and only of that server', () => {
  const second = {...lease('a', '10.0.0.12', '52:54:00:00:00:02'), index: 1};
  const table = new LeaseTable(SOURCE, [lease('a', '10.0.0.10'), second, lease('b', '10.0.0.11')]);
  table.release('ns', 'a', ({index}) => index === 1);
  expect(table.leases()).toEqual([second, lease('b', '10.0.0.11')]);
});

test('whatever is asked in whatever order, no address and no MAC is held twice', () => {
  const servers = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('grant' as const),
      server: servers,
      index: fc.nat(1),
      address: fc.option(fc.constantFrom('10.0.0.10', '10.0.0.40'), {nil: undefined}),
    }),
    fc.record({kind: fc.constant('release' as const), server: servers}),
  );
  fc.assert(
    fc.property(fc.array(step, {maxLength: 40}), (steps) => {
      const table = new LeaseTable(SOURCE, []);
      for (const action of steps) {
        if (action.kind === 'grant') table.grant(wish(action.server, {index: action.index, address: action.address}), nobody);
        else table.release('ns', action.server, () => false);
      }
      const leases = table.leases();
      expect(new Set(leases.map(({address}) => address)).size).toBe(leases.length);
      expect(new Set(leases.map(({macAddress}) => macAddress)).size).toBe(leases.length);
      expect(new Set(leases.map(({server, index}) => `${server}/${index}`)).size).toBe(leases.length);
    }),
  );
});
