import {EventEmitter, once} from 'node:events';
import {createServer} from 'node:http';
import type {Server} from 'node:http';
import {connect} from 'node:net';
import type {AddressInfo} from 'node:net';
import {Duplex} from 'node:stream';
import {afterEach, describe, expect, test} from '@jest/globals';
import WebSocket from 'ws';
import {silentLogger} from '../../../../kube/log.ts';
import {FakeClock, settle} from '../../../../kube/testing/fake-clock.ts';
import {until} from '../../../../kube/testing/until.ts';
import {createSessions, join, SUBPROTOCOL} from './sessions.ts';
import type {Sessions} from './sessions.ts';

/** A guest's device: what it was told, and a way to let it speak. */
class Device extends Duplex {
  told = '';
  asked = 0;
  /** Set: it takes nothing in. */
  stuck: (() => void) | undefined;
  sticks = false;

  override _read(): void {
    this.asked++;
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.told += chunk.toString('latin1');
    if (this.sticks) this.stuck = done;
    else done();
  }
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serve(): Promise<{
  readonly port: number;
  readonly devices: Device[];
  readonly sessions: Sessions;
  readonly clock: FakeClock;
}> {
  const clock = new FakeClock();
  const sessions = createSessions({clock, log: silentLogger});
  const devices: Device[] = [];
  const guest = {
    connect: (): Promise<Duplex> => {
      const device = new Device();
      devices.push(device);
      return Promise.resolve(device);
    },
  };
  const server: Server = createServer();
  server.on('upgrade', (request, socket, head) => void sessions.open(request, socket, head, {key: 'ns/vm1', device: 'console', guest}));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return {port: (server.address() as AddressInfo).port, devices, sessions, clock};
}

async function open(port: number): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${port}/`, [SUBPROTOCOL]);
  closers.push(() => client.terminate());
  await once(client, 'open');
  return client;
}
const said = async (client: WebSocket): Promise<unknown> => (await once(client, 'message'))[0];
const closing = async (client: WebSocket): Promise<string> => {
  const [code, reason] = (await once(client, 'close')) as [number, Buffer];
  return `${code} ${reason.toString()}`;
};

describe('sessions', () => {
  test('bytes go both ways as they are, in KubeVirt’s subprotocol', async () => {
    const {port, devices, sessions} = await serve();
    const client = await open(port);
    expect(client.protocol).toBe('plain.kubevirt.io');
    expect(sessions.has({key: 'ns/vm1', device: 'console'})).toBe(true);
    expect(sessions.has({key: 'ns/vm1', device: 'vnc'})).toBe(false);
    const heard = said(client);
    devices[0]?.push(Buffer.from([0, 255, 10]));
    expect(await heard).toEqual(Buffer.from([0, 255, 10]));
    client.send('text frame');
    client.send(Buffer.from([0xfe]));
    await until('the guest hears both', () => devices[0]?.told === 'text frame\xfe');
  });

  test('the newest has it: the older one is told why it was closed', async () => {
    const {port, devices} = await serve();
    const older = await open(port);
    const end = closing(older);
    const newer = await open(port);
    expect(await end).toBe('1000 another session took over');
    expect(devices.map(({destroyed}) => destroyed)).toEqual([true, false]);
    const heard = said(newer);
    devices[1]?.push('still here');
    expect(String(await heard)).toBe('still here');
  });

  test('of many at once exactly one stays', async () => {
    const {port, devices} = await serve();
    const clients = await Promise.all([open(port), open(port), open(port)]);
    await settle();
    expect(devices.filter(({destroyed}) => !destroyed)).toHaveLength(1);
    const heard = Promise.race(clients.map(said));
    devices.find(({destroyed}) => !destroyed)?.push('to one');
    expect(String(await heard)).toBe('to one');
  });

  test('a guest that ends says so, and the next one can come', async () => {
    const {port, devices, sessions} = await serve();
    const client = await open(port);
    const end = closing(client);
    devices[0]?.push(null);
    expect(await end).toBe('1000 the guest closed its side');
    expect(sessions.has({key: 'ns/vm1', device: 'console'})).toBe(false);
    await open(port);
  });

  test('who leaves leaves the device to others', async () => {
    const {port, devices, sessions} = await serve();
    const client = await open(port);
    client.close();
    await closing(client);
    await settle();
    expect(devices[0]?.destroyed).toBe(true);
    expect(sessions.has({key: 'ns/vm1', device: 'console'})).toBe(false);
  });

  test('the end of the program ends all with its reason', async () => {
    const {port, sessions} = await serve();
    const end = closing(await open(port));
    sessions.close();
    expect(await end).toBe('1000 the hypervisor stops');
  });

  test('an upgrade that is no websocket is refused and gives the device back', async () => {
    const {port, devices} = await serve();
    const socket = connect({host: '127.0.0.1', port});
    socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n');
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1.1 400 /);
    expect(devices[0]?.destroyed).toBe(true);
    socket.destroy();
  });
});

/** A client as `join` sees it. */
class Client extends EventEmitter {
  bufferedAmount = 0;
  isPaused = false;
  readonly log: string[] = [];
  send(bytes: Buffer): void {
    this.bufferedAmount += bytes.length;
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  ping(): void {
    this.log.push('ping');
  }
  terminate(): void {
    this.log.push('terminate');
  }
  close(_code: number, reason: string): void {
    this.log.push(`close: ${reason}`);
  }
}

function joined(): {readonly client: Client; readonly device: Device; readonly clock: FakeClock} {
  const [client, device, clock] = [new Client(), new Device(), new FakeClock()];
  join(client as unknown as WebSocket, device, clock, () => client.log.push('end'));
  return {client, device, clock};
}

describe('a session', () => {
  test('a client that reads slowly holds the device up, until it has caught up', async () => {
    const {client, device, clock} = joined();
    device.push(Buffer.alloc(300_000));
    await settle();
    expect(device.isPaused()).toBe(true);
    await clock.advanceAndSettle(1_000);
    expect(device.isPaused()).toBe(true);
    client.bufferedAmount = 0;
    await clock.advanceAndSettle(100);
    expect(device.isPaused()).toBe(false);
  });

  test('a guest that takes nothing in holds the client up, until it does', async () => {
    const {client, device} = joined();
    device.sticks = true;
    client.emit('message', Buffer.alloc(100_000));
    expect(client.isPaused).toBe(true);
    device.sticks = false;
    device.stuck?.();
    await settle();
    expect(client.isPaused).toBe(false);
  });

  test.each<[string, (client: Client) => void, readonly string[]]>([
    ['answers', (client) => client.emit('pong'), ['ping', 'ping', 'ping']],
    ['is silent', () => undefined, ['ping', 'terminate', 'end']],
    ['reads slowly', (client) => (client.bufferedAmount = 10), ['ping', 'ping', 'ping']],
    ['is held up', (client) => (client.isPaused = true), ['ping', 'ping', 'ping']],
  ])('a client that %s is asked every 20 s', (_name, react, expected) => {
    const {client, clock} = joined();
    for (let round = 0; round < 3; round++) {
      clock.advance(20_000);
      react(client);
    }
    expect(client.log.filter((entry) => !entry.startsWith('close'))).toEqual(expected);
  });

  test('a device that was gone before anybody listened ends it', async () => {
    const device = new Device();
    device.destroy();
    await settle();
    const [client, clock] = [new Client(), new FakeClock()];
    join(client as unknown as WebSocket, device, clock, () => client.log.push('end'));
    clock.advance(0);
    expect(client.log).toEqual(['close: the guest closed its side', 'end']);
  });
});
