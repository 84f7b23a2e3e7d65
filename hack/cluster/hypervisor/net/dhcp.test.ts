import {describe, expect, test} from '@jest/globals';
import {answerDhcp} from './dhcp.ts';
import type {DhcpLease} from './dhcp.ts';
import {macAt, udpOf} from './frames.ts';
import {addressText} from './ipv4.ts';
import {dhcpRequest, ip, udp} from './testing.ts';

const MAC = '02:00:00:00:00:0a';
const lease: DhcpLease = {
  address: ip('10.100.16.10'),
  prefixLength: 16,
  gateway: ip('10.100.0.1'),
  nameservers: [ip('10.100.0.2'), ip('9.9.9.9')],
  hostname: 'web-1',
  server: ip('10.100.0.1'),
  serverMac: '52:55:0a:64:00:01',
};
const [DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM] = [1, 2, 3, 4, 5, 6, 7, 8] as const;

/** An answer as its client reads it. */
function read(frame: Buffer | undefined) {
  if (frame === undefined) return undefined;
  const udpPacket = udpOf(frame);
  if (udpPacket === undefined) throw new Error('no UDP packet');
  const {payload} = udpPacket;
  const options: Record<number, string> = {};
  for (let at = 240; payload[at] !== 255; at += 2 + (payload[at + 1] ?? 0)) {
    const bytes = payload.subarray(at + 2, at + 2 + (payload[at + 1] ?? 0));
    options[payload[at] ?? 0] = payload[at] === 12 ? bytes.toString() : bytes.join('.');
  }
  return {
    macs: [macAt(frame, 6), macAt(frame, 0)],
    ips: [addressText(frame.readUInt32BE(26)), addressText(frame.readUInt32BE(30))],
    ports: [udpPacket.sourcePort, udpPacket.targetPort],
    transaction: payload.readUInt32BE(4),
    yours: addressText(payload.readUInt32BE(16)),
    hardware: payload.toString('hex', 28, 34),
    bytes: payload.length,
    options,
  };
}
const told = {1: '255.255.0.0', 3: '10.100.0.1', 6: '10.100.0.2.9.9.9.9', 12: 'web-1', 54: '10.100.0.1'};

test('an offer says all that a guest must know, to it alone', () => {
  const answer = answerDhcp(dhcpRequest(MAC, {message: DISCOVER}), lease);
  expect(read(answer)).toEqual({
    macs: ['52:55:0a:64:00:01', MAC],
    ips: ['10.100.0.1', '10.100.16.10'],
    ports: [67, 68],
    transaction: 0xca_fe_ba_be,
    yours: '10.100.16.10',
    hardware: '02000000000a',
    bytes: 300,
    options: {53: String(OFFER), 51: '0.1.81.128', ...told},
  });
});

test('the IP header’s checksum is right', () => {
  const header = answerDhcp(dhcpRequest(MAC, {message: DISCOVER}), lease)?.subarray(14, 34) ?? Buffer.alloc(0);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += header.readUInt16BE(at);
  expect((sum & 0xff_ff) + (sum >> 16)).toBe(0xff_ff);
});

describe('what is answered', () => {
  test.each([
    ['a request for the leased address', {message: REQUEST, asked: '10.100.16.10', server: '10.100.0.1'}, ACK, '10.100.16.10'],
    ['a renewal', {message: REQUEST, has: '10.100.16.10'}, ACK, '10.100.16.10'],
    ['a request for another address', {message: REQUEST, asked: '192.168.1.7'}, NAK, '0.0.0.0'],
    ['a renewal of another address', {message: REQUEST, has: '192.168.1.7'}, NAK, '0.0.0.0'],
    ['a request for no address', {message: REQUEST}, NAK, '0.0.0.0'],
    ['a question of a guest with an address of its own', {message: INFORM, has: '10.100.16.10'}, ACK, '0.0.0.0'],
    ['a discovery that wishes for another address', {message: DISCOVER, asked: '192.168.1.7'}, OFFER, '10.100.16.10'],
  ])('%s', (_what, request, kind, yours) => {
    const answer = read(answerDhcp(dhcpRequest(MAC, request), lease));
    expect(answer).toMatchObject({yours, options: {53: String(kind)}});
  });
  test('a client that asks for it, or that has a wrong address, is answered by broadcast', () => {
    expect(read(answerDhcp(dhcpRequest(MAC, {message: DISCOVER, toAll: true}), lease))).toMatchObject({
      macs: [lease.serverMac, 'ff:ff:ff:ff:ff:ff'],
      ips: ['10.100.0.1', '255.255.255.255'],
    });
    expect(read(answerDhcp(dhcpRequest(MAC, {message: REQUEST, asked: '10.9.9.9'}), lease))?.ips[1]).toBe('255.255.255.255');
  });
  test('without gateway, name servers and name, the options are left out', () => {
    const bare = {...lease, gateway: undefined, nameservers: [], hostname: undefined};
    expect(Object.keys(read(answerDhcp(dhcpRequest(MAC, {message: DISCOVER}), bare))?.options ?? {})).toEqual(['1', '51', '53', '54']);
  });
});

describe('what is not answered', () => {
  const whole = dhcpRequest(MAC, {message: DISCOVER});
  test.each([
    ['a request for another server', dhcpRequest(MAC, {message: REQUEST, asked: '10.100.16.10', server: '10.100.0.9'})],
    ['a release', dhcpRequest(MAC, {message: RELEASE, has: '10.100.16.10'})],
    ['a refusal', dhcpRequest(MAC, {message: DECLINE, asked: '10.100.16.10'})],
    ['an answer of a server', udp(MAC, [67, 68], whole.subarray(42))],
    ['a packet that is cut off', udp(MAC, [68, 67], whole.subarray(42, 200))],
    ['a frame that is cut off', whole.subarray(0, 60)],
    ['another protocol', udp(MAC, [68, 67], Buffer.alloc(300))],
  ])('%s', (_what, frame) => expect(answerDhcp(frame, lease)).toBeUndefined());
  test('no cut of a request makes it fail', () => {
    for (let length = 0; length <= whole.length; length++) expect(() => answerDhcp(whole.subarray(0, length), lease)).not.toThrow();
  });
  test('options whose lengths lie are read to the end of the packet', () => {
    const lying = Buffer.from(whole);
    lying[42 + 242] = 250; // the length of the message's kind
    expect(() => answerDhcp(lying, lease)).not.toThrow();
  });
});
