/**
 * Answers the DHCP of one NIC with the one address that was leased for it. The switch does this itself: qemu's user network, when nothing
 * outside may be reached through it, tells its guest neither the gateway nor the name servers.
 */
import {addressText, maskOf} from './ipv4.ts';
import {dhcpFrame, macAt, udpOf} from './frames.ts';

/** What the NIC is told. Addresses are numbers. */
export interface DhcpLease {
  readonly address: number;
  readonly prefixLength: number;
  readonly gateway: number | undefined;
  readonly nameservers: readonly number[];
  readonly hostname: string | undefined;
  /** Who answers: usually the gateway. */
  readonly server: number;
  readonly serverMac: string;
}

const MAGIC = 0x63_82_53_63;
const FIXED_BYTES = 236;
/** Old clients throw smaller ones away. */
const LEAST_BYTES = 300;
const LEASE_SECONDS = 24 * 60 * 60;
const BROADCAST = 0xff_ff_ff_ff;

const MESSAGE = {discover: 1, offer: 2, request: 3, ack: 5, nak: 6, inform: 8} as const;
const OPTION = {
  mask: 1,
  router: 3,
  nameservers: 6,
  hostname: 12,
  asked: 50,
  leaseSeconds: 51,
  message: 53,
  server: 54,
  end: 255,
} as const;

/** The answer to a frame; undefined when there is nothing to answer. The frame's sender is taken to be the NIC itself. */
export function answerDhcp(frame: Buffer, lease: DhcpLease): Buffer | undefined {
  const udp = udpOf(frame);
  const request = udp?.targetPort === 67 ? udp.payload : undefined;
  if (request === undefined || request.length < FIXED_BYTES + 4 || request[0] !== 1 || request.readUInt32BE(FIXED_BYTES) !== MAGIC)
    return undefined;
  const options = parseOptions(request.subarray(FIXED_BYTES + 4));
  const server = numberIn(options.get(OPTION.server));
  if (server !== undefined && server !== lease.server) return undefined; // for another server
  const has = request.readUInt32BE(12);
  const kind = answerKind(options.get(OPTION.message)?.[0], numberIn(options.get(OPTION.asked)) ?? (has === 0 ? undefined : has), lease);
  if (kind === undefined) return undefined;
  const isInform = options.get(OPTION.message)?.[0] === MESSAGE.inform;
  const reply = Buffer.alloc(FIXED_BYTES + 4);
  reply[0] = 2;
  request.copy(reply, 1, 1, 3); // kind and length of the hardware address
  request.copy(reply, 4, 4, 8); // the transaction
  request.copy(reply, 10, 10, 12); // flags
  request.copy(reply, 28, 28, 44); // the hardware address
  if (kind !== MESSAGE.nak) {
    request.copy(reply, 12, 12, 16);
    if (!isInform) reply.writeUInt32BE(lease.address, 16);
    reply.writeUInt32BE(lease.server, 20);
  }
  reply.writeUInt32BE(MAGIC, FIXED_BYTES);
  const whole = Buffer.concat([reply, ...replyOptions(kind, isInform, lease), Buffer.from([OPTION.end])]);
  const padded = whole.length >= LEAST_BYTES ? whole : Buffer.concat([whole, Buffer.alloc(LEAST_BYTES - whole.length)]);
  const toAll = kind === MESSAGE.nak || (request.readUInt16BE(10) & 0x80_00) !== 0;
  return dhcpFrame(padded, {
    sourceMac: lease.serverMac,
    targetMac: toAll ? 'ff:ff:ff:ff:ff:ff' : macAt(frame, 6),
    source: lease.server,
    target: toAll ? BROADCAST : has === 0 ? lease.address : has,
  });
}

// A client that asks for an address which is not its own (it was on another network before) is told so at once, and asks again.
function answerKind(message: number | undefined, asked: number | undefined, lease: DhcpLease): number | undefined {
  switch (message) {
    case MESSAGE.discover:
      return MESSAGE.offer;
    case MESSAGE.request:
      return asked === lease.address ? MESSAGE.ack : MESSAGE.nak;
    case MESSAGE.inform:
      return MESSAGE.ack;
    default:
      return undefined;
  }
}

function replyOptions(kind: number, isInform: boolean, lease: DhcpLease): readonly Buffer[] {
  const always = [option(OPTION.message, [kind]), option(OPTION.server, quad(lease.server))];
  if (kind === MESSAGE.nak) return always;
  return [
    ...always,
    ...(isInform ? [] : [option(OPTION.leaseSeconds, quad(LEASE_SECONDS))]),
    option(OPTION.mask, quad(maskOf(lease.prefixLength))),
    ...(lease.gateway === undefined ? [] : [option(OPTION.router, quad(lease.gateway))]),
    ...(lease.nameservers.length === 0 ? [] : [option(OPTION.nameservers, lease.nameservers.flatMap(quad))]),
    ...(lease.hostname === undefined ? [] : [option(OPTION.hostname, [...Buffer.from(lease.hostname.slice(0, 63))])]),
  ];
}

const option = (code: number, bytes: readonly number[]): Buffer => Buffer.from([code, bytes.length, ...bytes]);
const quad = (value: number): number[] => addressText(value).split('.').map(Number);
const numberIn = (bytes: Buffer | undefined): number | undefined => (bytes?.length === 4 ? bytes.readUInt32BE(0) : undefined);

function parseOptions(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const options = new Map<number, Buffer>();
  let at = 0;
  while (at < bytes.length && bytes[at] !== OPTION.end) {
    const code = bytes[at] ?? 0;
    if (code === 0) at += 1;
    else {
      const length = bytes[at + 1] ?? 0;
      options.set(code, bytes.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }
  return options;
}
