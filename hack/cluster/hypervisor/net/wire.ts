/**
 * The cables between guests and the switch: each end of a cable is a UDP port on loopback. A datagram is a frame. Datagrams, because a
 * guest must not notice when this program restarts: it goes on sending, and is heard again once somebody listens on the same port.
 */
import {createSocket} from 'node:dgram';
import type {Socket} from 'node:dgram';
import type {Logger} from '../../../../kube/log.ts';

/** Where all ends are. */
export const WIRE_HOST = '127.0.0.1';
/** Frames that may wait in this program for the kernel to take them; more are lost, as on any busy network. */
const MOST_WAITING = 1_024;
const RECEIVE_BUFFER_BYTES = 4 << 20;

/** UDP ports that belong to this cluster: `count` from `first` on. */
export interface PortBlock {
  readonly first: number;
  readonly count: number;
}

/** First UDP port of all clusters; below the kernel's range for outgoing packets, and beside the TCP ports of ports.ts. */
const FIRST = 12_000;
/** Ports of a cluster: for 20 guests with 8 NICs, two each. */
const BLOCK = 320;
/** Blocks below 20000. Clusters beyond share them: every port is tried before it is used. */
const BLOCKS = 25;

/** The block of a cluster's slot. */
export const portBlockOf = (slot: number): PortBlock => ({first: FIRST + (slot % BLOCKS) * BLOCK, count: BLOCK});

/** One end at the switch. */
export interface Cable {
  /** The port of the guest's end. */
  readonly guestPort: number;
  /** The port of the switch's end. */
  readonly switchPort: number;
  send(frame: Buffer): void;
  /** Frees the guest's port. */
  cut(): void;
}

/** All cables of a hypervisor. */
export interface Wire {
  /** Lays a cable on free ports. Rejects when there are none. */
  lay(receive: (frame: Buffer) => void): Promise<Cable>;
  /** Takes up a cable whose guest's end is in use. Rejects when somebody else has the switch's port by now. */
  takeUp(ports: Pick<Cable, 'guestPort' | 'switchPort'>, receive: (frame: Buffer) => void): Promise<Cable>;
  close(): Promise<void>;
}

/** Creates it; sockets are opened when the first cable is laid. */
export function createWire({block, log}: {readonly block: PortBlock; readonly log: Logger}): Wire {
  const ends = new Map<number, (frame: Buffer) => void>();
  const sockets = new Map<number, Promise<Socket>>();
  const numbers = Array.from({length: block.count}, (_, index) => block.first + index);
  let next = 0;

  const listen = (port: number): Promise<Socket> => {
    const present = sockets.get(port);
    if (present !== undefined) return present;
    const opening = bind(port).then((socket) => {
      socket.on('message', (frame, {address, port: from}) => {
        if (address === WIRE_HOST) ends.get(from)?.(frame);
      });
      socket.on('error', (error) => log.warn({err: error, port}, 'the switch’s socket'));
      socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
      return socket;
    });
    sockets.set(port, opening);
    opening.catch(() => sockets.delete(port));
    return opening;
  };

  // The first that is free. Ports are taken in turn, so that what is still on its way to a guest that ended is not heard by the next one.
  const freePort = async (): Promise<number> => {
    for (let tried = 0; tried < numbers.length; tried++) {
      const port = numbers[next++ % numbers.length] ?? block.first;
      if (ends.has(port) || sockets.has(port)) continue;
      ends.set(port, () => undefined); // nobody else may choose it while it is tried
      if (await isFree(port)) return port;
      ends.delete(port);
    }
    throw new Error(`no free UDP port between ${block.first} and ${block.first + block.count - 1} for the NIC`);
  };

  const switchSocket = async (): Promise<{readonly socket: Socket; readonly port: number}> => {
    for (const [port, opening] of sockets) return {socket: await opening, port};
    const port = await freePort();
    ends.delete(port);
    return {socket: await listen(port), port};
  };

  const cable = (socket: Socket, switchPort: number, guestPort: number, receive: (frame: Buffer) => void): Cable => {
    ends.set(guestPort, receive);
    return {
      guestPort,
      switchPort,
      send(frame) {
        if (socket.getSendQueueCount() < MOST_WAITING) socket.send(frame, guestPort, WIRE_HOST, ignoreLoss);
      },
      cut: () => void (ends.get(guestPort) === receive && ends.delete(guestPort)),
    };
  };

  return {
    async lay(receive) {
      const {socket, port} = await switchSocket();
      return cable(socket, port, await freePort(), receive);
    },
    async takeUp({guestPort, switchPort}, receive) {
      return cable(await listen(switchPort), switchPort, guestPort, receive);
    },
    async close() {
      for (const opening of sockets.values()) await opening.then((socket) => socket.close()).catch(() => undefined);
      sockets.clear();
      ends.clear();
    },
  };
}

// A frame to a guest that has just ended is lost; nothing can be done about it, and nothing need be.
const ignoreLoss = (): void => undefined;

function bind(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({address: WIRE_HOST, port, exclusive: true}, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

/** qemu would share a port that somebody has, without a word: it must be tried before. */
async function isFree(port: number): Promise<boolean> {
  try {
    const socket = await bind(port);
    await new Promise<void>((resolve) => socket.close(resolve));
    return true;
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE' || code === 'EACCES') return false;
    throw error;
  }
}
