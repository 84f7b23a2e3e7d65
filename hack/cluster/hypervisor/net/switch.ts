/**
 * A switch: what joins the NICs of one network, whatever host their guests are on. It learns where a MAC address is, floods what is for
 * all or for nobody it knows, and takes from a NIC only frames with that NIC's own address, as the bridge of a real host does (macspoofchk).
 *
 * A NIC may have an uplink: the gateway of its network, which is its own alone. What is for the gateway goes there and to nobody else,
 * and DHCP is answered on the spot, so no guest hears another one's answers, and none can play the gateway. Pure but for `send`.
 */
import {arpOf, ETHERNET_HEADER_BYTES, isDhcp, isForGroup, macAt, udpOf} from './frames.ts';
import type {NicCounters} from './networks.ts';

/** Largest frame that is carried: a UDP packet on loopback takes no more, and no guest sends more without being told to. */
export const LARGEST_FRAME_BYTES = 16_384;

/** The gateway behind one NIC. */
export interface Uplink {
  /** In lower case. */
  readonly mac: string;
  /** Its addresses: of the gateway and of the name servers that are behind it. */
  readonly addresses: ReadonlySet<number>;
  /** The answer to a DHCP packet of the NIC. */
  readonly answerDhcp: (frame: Buffer) => Buffer | undefined;
  readonly send: (frame: Buffer) => void;
}

/** A NIC to be plugged in. */
export interface PortOptions {
  /** In lower case. */
  readonly mac: string;
  readonly uplink?: Uplink;
  /** Carries a frame to the guest. */
  readonly send: (frame: Buffer) => void;
}

/** Where a NIC is plugged in. */
export interface SwitchPort {
  readonly counters: NicCounters;
  /** A frame from the guest. */
  receive(frame: Buffer): void;
  /** A frame from the gateway. */
  receiveFromUplink(frame: Buffer): void;
  /** The guest with this MAC is here now, and nowhere else. A frame from the guest says the same. */
  activate(): void;
  /** The guest is about to run elsewhere: nothing is carried to it any more. */
  deactivate(): void;
  setLink(up: boolean): void;
  unplug(): void;
}

/** One network. */
export interface Switch {
  plug(options: PortOptions): SwitchPort;
  /** How many NICs are plugged in. */
  readonly size: number;
}

/** Creates a switch without NICs. */
export function createSwitch(): Switch {
  const ports = new Set<Port>();
  // Where each MAC was last heard. The spoof check leaves one address to a port, so it cannot grow beyond the ports.
  const learned = new Map<string, Port>();

  const settle = (port: Port): void => {
    if (learned.get(port.mac) === port && port.active) return;
    for (const other of ports) if (other !== port && other.mac === port.mac) other.active = false;
    port.active = true;
    learned.set(port.mac, port);
  };
  const carry = (from: Port, frame: Buffer): void => {
    const target = isForGroup(frame) ? undefined : learned.get(macAt(frame, 0));
    if (target !== undefined) {
      if (target !== from) target.deliver(frame);
      return;
    }
    for (const port of ports) if (port !== from) port.deliver(frame);
  };

  return {
    get size() {
      return ports.size;
    },
    plug(options) {
      const port = new Port(options, {settle, carry});
      ports.add(port);
      return {
        counters: port.counters,
        receive: (frame) => port.receive(frame),
        receiveFromUplink: (frame) => port.deliver(frame),
        activate: () => settle(port),
        deactivate: () => void (port.active = false),
        setLink: (up) => void (port.linkUp = up),
        unplug() {
          ports.delete(port);
          if (learned.get(port.mac) === port) learned.delete(port.mac);
        },
      };
    },
  };
}

interface Fabric {
  readonly settle: (port: Port) => void;
  readonly carry: (from: Port, frame: Buffer) => void;
}

class Port {
  readonly mac: string;
  readonly counters = {rxBytes: 0, rxPackets: 0, rxDropped: 0, txBytes: 0, txPackets: 0, txDropped: 0};
  active = false;
  linkUp = true;
  readonly #options: PortOptions;
  readonly #fabric: Fabric;

  constructor(options: PortOptions, fabric: Fabric) {
    this.mac = options.mac;
    this.#options = options;
    this.#fabric = fabric;
  }

  deliver(frame: Buffer): void {
    if (!this.active) return; // nobody is there: a guest that moved away, or one that is still to arrive
    if (!this.linkUp || frame.length < ETHERNET_HEADER_BYTES) {
      this.counters.rxDropped++;
      return;
    }
    this.counters.rxPackets++;
    this.counters.rxBytes += frame.length;
    this.#options.send(frame);
  }

  receive(frame: Buffer): void {
    const {length} = frame;
    if (!this.linkUp || length < ETHERNET_HEADER_BYTES || length > LARGEST_FRAME_BYTES || macAt(frame, 6) !== this.mac) {
      this.counters.txDropped++;
      return;
    }
    this.#fabric.settle(this);
    const {uplink} = this.#options;
    if (uplink === undefined) this.#fabric.carry(this, frame);
    else if (!this.#carriedToUplink(frame, uplink)) return;
    this.counters.txPackets++;
    this.counters.txBytes += length;
  }

  /** Carries a frame of a NIC with a gateway; false when it was dropped. */
  #carriedToUplink(frame: Buffer, uplink: Uplink): boolean {
    if (isDhcp(udpOf(frame))) {
      const answer = uplink.answerDhcp(frame);
      if (answer !== undefined) this.deliver(answer);
      return true;
    }
    const arp = arpOf(frame);
    if (arp !== undefined && uplink.addresses.has(arp.sender)) {
      this.counters.txDropped++; // it says that it is the gateway
      return false;
    }
    const isForUplink = macAt(frame, 0) === uplink.mac || (arp?.isRequest === true && uplink.addresses.has(arp.target));
    if (isForUplink) uplink.send(frame);
    else this.#fabric.carry(this, frame);
    return true;
  }
}
