import {describe, expect, test} from '@jest/globals';
import {AddressSpace, formatIpv4, parseCidr, parseIpv4} from './address-space.ts';

test.each([
  ['0.0.0.0', 0],
  ['10.251.0.7', 184221703],
  ['255.255.255.255', 4294967295],
])('%s is %d and back', (text, value) => {
  expect(parseIpv4(text)).toBe(value);
  expect(formatIpv4(value)).toBe(text);
});

test.each(['256.0.0.1', '1.2.3', '1.2.3.4.5', '', 'fe80::1'])('%j is no IPv4 address', (text) => {
  expect(parseIpv4(text)).toBeUndefined();
});

test('a block is found from any address in it', () => {
  expect(parseCidr('10.0.1.77/24')).toEqual({first: parseIpv4('10.0.1.0'), last: parseIpv4('10.0.1.255'), prefixLength: 24});
  for (const wrong of ['10.0.0.0', '10.0.0.0/33', 'fd00::/64', undefined]) expect(parseCidr(wrong)).toBeUndefined();
});

describe('positions', () => {
  test('without ranges: the block but its edges, and never the gateway', () => {
    const space = new AddressSpace({cidr: '10.0.0.0/29', gateway: '10.0.0.1'});
    expect(space.size).toBe(6);
    expect([0, 1, 5, 6].map((position) => space.at(position))).toEqual([undefined, '10.0.0.2', '10.0.0.6', undefined]);
  });

  test('ranges follow one another; unusable ones are left out', () => {
    const ranges = [
      {start: '10.0.0.10', end: '10.0.0.11'},
      {start: '10.0.0.9', end: '10.0.0.1'},
      {start: '10.0.0.20', end: '10.0.0.20'},
    ];
    const space = new AddressSpace({cidr: '10.0.0.0/24', ranges});
    expect([0, 1, 2, 3].map((position) => space.at(position))).toEqual(['10.0.0.10', '10.0.0.11', '10.0.0.20', undefined]);
    expect(['10.0.0.10', '10.0.0.20', '10.0.0.12', 'x'].map((address) => space.positionOf(address))).toEqual([0, 2, -1, -1]);
  });

  test('nothing to hand out', () => {
    expect(new AddressSpace({}).size).toBe(0);
    expect(new AddressSpace({ranges: []}).size).toBe(0);
  });
});

test.each([
  ['10.0.0.200', true],
  ['10.0.0.1', false],
  ['10.0.0.0', false],
  ['10.0.0.255', false],
  ['10.0.1.5', false],
])('%s may be asked for: %s', (address, expected) => {
  expect(
    new AddressSpace({cidr: '10.0.0.0/24', gateway: '10.0.0.1', ranges: [{start: '10.0.0.10', end: '10.0.0.20'}]}).admits(address),
  ).toBe(expected);
});
