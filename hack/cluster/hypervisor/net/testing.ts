/** Frames for tests. */
import {ETHERNET_HEADER_BYTES, macBytes} from './frames.ts';
import {addressNumber} from './ipv4.ts';

export const ALL = 'ff:ff:ff:ff:ff:ff';

/** The number of an address that is one. */
export function ip(text: string): number {
  const number = addressNumber(text);
  if (number === undefined) throw new Error(`${text} is no address`);
  return number;
}

/** A frame between two MAC addresses. */
export function frame(source: string, target: string, type = 0x88_b5, body: Buffer = Buffer.alloc(46)): Buffer {
  const header = Buffer.alloc(ETHERNET_HEADER_BYTES);
  macBytes(target).copy(header, 0);
  macBytes(source).copy(header, 6);
  header.writeUInt16BE(type, 12);
  return Buffer.concat([header, body]);
}

/** Who asks for whose address; `reply`: who says that it has which. */
export function arp(
  source: string,
  sender: string,
  target: string,
  options: {readonly reply?: boolean; readonly to?: string} = {},
): Buffer {
  const body = Buffer.alloc(28);
  body.writeUInt16BE(1, 0);
  body.writeUInt16BE(0x08_00, 2);
  body.writeUInt16BE(0x06_04, 4);
  body.writeUInt16BE(options.reply === true ? 2 : 1, 6);
  macBytes(source).copy(body, 8);
  body.writeUInt32BE(ip(sender), 14);
  body.writeUInt32BE(ip(target), 24);
  return frame(source, options.to ?? ALL, 0x08_06, body);
}

/** A UDP packet over IPv4; what is not under test stays 0. */
export function udp(source: string, ports: readonly [number, number], payload: Buffer): Buffer {
  const body = Buffer.alloc(28);
  body[0] = 0x45;
  body.writeUInt16BE(28 + payload.length, 2);
  body[9] = 17;
  body.writeUInt16BE(ports[0], 20);
  body.writeUInt16BE(ports[1], 22);
  body.writeUInt16BE(8 + payload.length, 24);
  return frame(source, ALL, 0x08_00, Buffer.concat([body, payload]));
}

/** What a DHCP client sends. */
export function dhcpRequest(
  mac: string,
  options: {readonly message: number; readonly asked?: string; readonly has?: string; readonly server?: string; readonly toAll?: boolean},
): Buffer {
  const fixed = Buffer.alloc(240);
  fixed[0] = 1;
  fixed[1] = 1;
  fixed[2] = 6;
  fixed.writeUInt32BE(0xca_fe_ba_be, 4);
  fixed.writeUInt16BE(options.toAll === true ? 0x80_00 : 0, 10);
  if (options.has !== undefined) fixed.writeUInt32BE(ip(options.has), 12);
  macBytes(mac).copy(fixed, 28);
  fixed.writeUInt32BE(0x63_82_53_63, 236);
  const quad = (code: number, address: string | undefined): number[] =>
    address === undefined ? [] : [code, 4, ...address.split('.').map(Number)];
  const list = [0, 53, 1, options.message, ...quad(50, options.asked), ...quad(54, options.server), 255];
  return udp(mac, [68, 67], Buffer.concat([fixed, Buffer.from(list)]));
}
