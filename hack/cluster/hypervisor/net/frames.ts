/** What the switch must know of an Ethernet frame, and how to make the few frames that it sends itself. Pure. */

/** Destination, source and type. */
export const ETHERNET_HEADER_BYTES = 14;
const ARP = 0x08_06;
const IPV4 = 0x08_00;
const UDP = 17;
const DHCP_SERVER_PORT = 67;
const DHCP_CLIENT_PORT = 68;

/** A MAC address in lower case, as text. `offset`: 0 is the destination, 6 the source. */
export function macAt(frame: Buffer, offset: number): string {
  const hex = frame.toString('hex', offset, offset + 6);
  return `${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}:${hex.slice(6, 8)}:${hex.slice(8, 10)}:${hex.slice(10, 12)}`;
}

/** The six bytes of a MAC address. */
export const macBytes = (mac: string): Buffer => Buffer.from(mac.replaceAll(':', ''), 'hex');

/** Whether the destination is a group: broadcast or multicast. */
export const isForGroup = (frame: Buffer): boolean => ((frame[0] ?? 0) & 1) === 1;

/** An ARP packet for IPv4: who says that it has which address, and which is asked for. Numbers are addresses. */
export interface Arp {
  readonly isRequest: boolean;
  readonly sender: number;
  readonly target: number;
}

/** The ARP packet in a frame; undefined where there is none, or one that is cut off or not for IPv4 on Ethernet. */
export function arpOf(frame: Buffer): Arp | undefined {
  if (frame.length < ETHERNET_HEADER_BYTES + 28 || frame.readUInt16BE(12) !== ARP) return undefined;
  if (frame.readUInt16BE(14) !== 1 || frame.readUInt16BE(16) !== IPV4 || frame.readUInt16BE(18) !== 0x06_04) return undefined;
  return {isRequest: frame.readUInt16BE(20) === 1, sender: frame.readUInt32BE(28), target: frame.readUInt32BE(38)};
}

/** A UDP packet over IPv4. */
export interface Udp {
  readonly sourcePort: number;
  readonly targetPort: number;
  readonly payload: Buffer;
}

/** The UDP packet in a frame; undefined where there is none, or one that is cut off, or any fragment but the first. */
export function udpOf(frame: Buffer): Udp | undefined {
  const ip = ETHERNET_HEADER_BYTES;
  if (frame.length < ip + 28 || frame.readUInt16BE(12) !== IPV4) return undefined;
  const first = frame[ip] ?? 0;
  const headerBytes = (first & 0x0f) * 4;
  if (first >> 4 !== 4 || headerBytes < 20 || frame[ip + 9] !== UDP || (frame.readUInt16BE(ip + 6) & 0x1f_ff) !== 0) return undefined;
  const udp = ip + headerBytes;
  if (frame.length < udp + 8) return undefined;
  const end = udp + frame.readUInt16BE(udp + 4);
  if (end < udp + 8 || end > frame.length) return undefined;
  return {sourcePort: frame.readUInt16BE(udp), targetPort: frame.readUInt16BE(udp + 2), payload: frame.subarray(udp + 8, end)};
}

/** Whether a frame is DHCP, from a client or from a server. */
export function isDhcp(udp: Udp | undefined): boolean {
  if (udp === undefined) return false;
  const ports = [udp.sourcePort, udp.targetPort];
  return ports.includes(DHCP_SERVER_PORT) && ports.every((port) => port === DHCP_SERVER_PORT || port === DHCP_CLIENT_PORT);
}

/** Both ends of a frame that {@link dhcpFrame} makes. */
export interface Route {
  readonly sourceMac: string;
  readonly targetMac: string;
  readonly source: number;
  readonly target: number;
}

/** A frame from a DHCP server to its client. */
export function dhcpFrame(payload: Buffer, {sourceMac, targetMac, source, target}: Route): Buffer {
  const frame = Buffer.alloc(ETHERNET_HEADER_BYTES + 28 + payload.length);
  macBytes(targetMac).copy(frame, 0);
  macBytes(sourceMac).copy(frame, 6);
  frame.writeUInt16BE(IPV4, 12);
  const ip = frame.subarray(ETHERNET_HEADER_BYTES, ETHERNET_HEADER_BYTES + 20);
  ip[0] = 0x45;
  ip.writeUInt16BE(28 + payload.length, 2);
  ip[8] = 64; // hops that it may go
  ip[9] = UDP;
  ip.writeUInt32BE(source, 12);
  ip.writeUInt32BE(target, 16);
  ip.writeUInt16BE(checksum(ip), 10);
  const udp = frame.subarray(ETHERNET_HEADER_BYTES + 20);
  udp.writeUInt16BE(DHCP_SERVER_PORT, 0);
  udp.writeUInt16BE(DHCP_CLIENT_PORT, 2);
  udp.writeUInt16BE(8 + payload.length, 4); // its checksum stays 0: none, which IPv4 allows
  payload.copy(udp, 8);
  return frame;
}

function checksum(header: Buffer): number {
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) sum += header.readUInt16BE(at);
  while (sum > 0xff_ff) sum = (sum & 0xff_ff) + (sum >> 16);
  return ~sum & 0xff_ff;
}
