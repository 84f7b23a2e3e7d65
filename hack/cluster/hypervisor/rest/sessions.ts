/**
 * Consoles and screens: a websocket joined to a device of a guest, bytes as they come. A device speaks with one person at a time; who comes
 * last has it, as with KubeVirt, since whoever sits before a hung session wants to get in and not to wait for it.
 */
import type {IncomingMessage} from 'node:http';
import type {Duplex} from 'node:stream';
import {WebSocketServer} from 'ws';
import type {WebSocket} from 'ws';
import type {Clock} from '../../../../kube/clock.ts';
import type {Logger} from '../../../../kube/log.ts';
import type {Guest, GuestDevice} from '../guest.ts';

/** KubeVirt's clients ask for it; its own text and binary frames mean nothing else. */
export const SUBPROTOCOL = 'plain.kubevirt.io';

/** Bytes that may wait for a slow reader before the device is held up. */
const HIGH_WATER_BYTES = 256 * 1024;
const DRAIN_POLL_MS = 20;
/** Half-open connections are noticed: a ping goes out so often, and who has not answered the last one is gone. */
const PING_INTERVAL_MS = 20_000;
/** Largest message of a client: keys and clipboard, never more. */
const MAX_MESSAGE_BYTES = 1 << 20;

/** Why a session ended, for its person; websockets allow 123 bytes. */
const TAKEN_OVER = 'another session took over';
const GUEST_GONE = 'the guest closed its side';

/** What is to be joined. */
export interface SessionTarget {
  /** `namespace/name` of the VMI. */
  readonly key: string;
  readonly device: GuestDevice;
  readonly guest: Pick<Guest, 'connect'>;
}

/** Open sessions. */
export interface Sessions {
  /**
   * Takes a request for a websocket over. Resolves with false, and has touched nothing, when the guest has no such device; rejects when the
   * device cannot be opened.
   */
  open(request: IncomingMessage, socket: Duplex, head: Buffer, target: SessionTarget): Promise<boolean>;
  /** Whether somebody has the device. */
  has(target: Pick<SessionTarget, 'key' | 'device'>): boolean;
  /** Ends all. */
  close(): void;
}

interface Session {
  end(reason: string): void;
}

/** Creates the registry of sessions. */
export function createSessions(options: {readonly clock: Clock; readonly log: Logger}): Sessions {
  const {clock, log} = options;
  const sessions = new Map<string, Session>();
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  const nameOf = ({key, device}: Pick<SessionTarget, 'key' | 'device'>): string => `${device} of ${key}`;
  return {
    has: (target) => sessions.has(nameOf(target)),
    async open(request, socket, head, target) {
      const name = nameOf(target);
      sessions.get(name)?.end(TAKEN_OVER); // qemu serves one connection to a serial port: the older one must go first
      const stream = await target.guest.connect(target.device);
      if (stream === undefined) return false;
      stream.on('error', (error) => log.debug({err: error, session: name}, 'device')); // `close` follows, and is acted upon
      let joined = false;
      server.handleUpgrade(request, socket, head, (client) => {
        joined = true;
        sessions.get(name)?.end(TAKEN_OVER); // of two that came at once, the one that is served now is the newer one
        const session = join(client, stream, clock, () => {
          if (sessions.get(name) === session) sessions.delete(name);
          log.info({session: name}, 'session ended');
        });
        sessions.set(name, session);
        log.info({session: name}, 'session');
      });
      if (!joined) stream.destroy(); // the handshake was no good: ws has said so
      return true;
    },
    close() {
      for (const session of sessions.values()) session.end('the hypervisor stops');
      server.close();
    },
  };
}

/** Joins both until either ends. Exported for its test. */
export function join(client: WebSocket, stream: Duplex, clock: Clock, onEnd: () => void): Session {
  let over = false;
  let answered = true;
  let stopPings: () => void = () => undefined;
  const end = (reason: string): void => {
    if (over) return;
    over = true;
    stopPings();
    stream.destroy();
    client.resume(); // else the answer to our goodbye is never read
    client.close(1000, reason);
    onEnd();
  };
  const ping = (): void => {
    // Who reads slowly cannot answer yet, and while the guest takes nothing we do not hear the answer: neither is gone.
    if (answered || client.bufferedAmount > 0 || client.isPaused) {
      answered = false;
      client.ping();
      stopPings = clock.setTimer(PING_INTERVAL_MS, ping);
      return;
    }
    client.terminate();
    end('no answer to a ping');
  };
  stopPings = clock.setTimer(PING_INTERVAL_MS, ping);

  stream.on('data', (bytes: Buffer) => {
    if (over) return;
    client.send(bytes, {binary: true});
    if (client.bufferedAmount <= HIGH_WATER_BYTES) return;
    stream.pause();
    const look = (): void => {
      if (over) return;
      if (client.bufferedAmount > HIGH_WATER_BYTES / 2) return void clock.setTimer(DRAIN_POLL_MS, look);
      stream.resume();
    };
    clock.setTimer(DRAIN_POLL_MS, look);
  });
  client.on('message', (message) => {
    if (over) return;
    const bytes = Array.isArray(message) ? Buffer.concat(message) : Buffer.from(message as Buffer);
    if (stream.write(bytes) || client.isPaused) return;
    client.pause();
    stream.once('drain', () => client.resume());
  });
  client.on('pong', () => {
    answered = true;
  });
  client.on('close', () => end(''));
  client.on('error', () => end('')); // `close` says nothing more
  stream.on('end', () => end(GUEST_GONE));
  stream.on('close', () => end(GUEST_GONE)); // also after its errors
  if (stream.destroyed) clock.setTimer(0, () => end(GUEST_GONE)); // `close` may have been before anybody listened
  return {end};
}
