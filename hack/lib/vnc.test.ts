import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {afterEach, describe, expect, test} from '@jest/globals';
import WebSocket, {WebSocketServer} from 'ws';
import {until} from '../../kube/testing/until.ts';
import {startRfb} from './vnc.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** An RFB server that says `answers[n]` upon the n-th message; `heard` is all that it was told. */
async function serve(greeting: string, answers: readonly Buffer[]): Promise<{readonly client: WebSocket; readonly heard: Buffer[]}> {
  const http = createServer();
  const sockets = new WebSocketServer({server: http});
  const heard: Buffer[] = [];
  sockets.on('connection', (socket) => {
    socket.send(Buffer.from(greeting));
    socket.on('message', (data) => {
      const answer = answers[heard.length];
      heard.push(data as Buffer);
      // In pieces: a client must not take a frame of the websocket for a message of the protocol.
      for (let at = 0; answer !== undefined && at < answer.length; at += 7) socket.send(answer.subarray(at, at + 7));
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
  closers.push(() => {
    client.terminate();
    sockets.close();
    http.close();
  });
  client.once('open', () => client.pause());
  await once(client, 'open');
  return {client, heard};
}

const init = (width: number, height: number, name: string): Buffer => {
  const head = Buffer.alloc(24);
  head.writeUInt16BE(width, 0);
  head.writeUInt16BE(height, 2);
  head.writeUInt32BE(name.length, 20);
  return Buffer.concat([head, Buffer.from(name)]);
};
const rectangle = (x: number, y: number, width: number, height: number, encoding: number, pixels: readonly number[] = []): Buffer => {
  const head = Buffer.alloc(12);
  [x, y, width, height].forEach((value, index) => head.writeUInt16BE(value, index * 2));
  head.writeInt32BE(encoding, 8);
  return Buffer.concat([head, ...pixels.map((rgb) => Buffer.from([rgb & 255, (rgb >> 8) & 255, rgb >> 16, 0]))]);
};
const update = (...rectangles: readonly Buffer[]): Buffer => Buffer.concat([Buffer.from([0, 0, 0, rectangles.length]), ...rectangles]);
const none = Buffer.alloc(0);
const accepted = [Buffer.from([2, 2, 1]), Buffer.alloc(4), init(2, 2, 'QEMU (web)')];

describe('RFB 3.8', () => {
  test('handshake, then a screen out of several rectangles, with bells and clipboards in between', async () => {
    const clipboard = Buffer.from([3, 0, 0, 0, 0, 0, 0, 2, 104, 105]);
    const top = update(rectangle(0, 0, 2, 1, 0, [0xff_00_00, 0x00_ff_00]));
    const bottom = update(rectangle(0, 1, 1, 1, 0, [0x00_00_ff]), rectangle(1, 1, 1, 1, 0, [0x01_02_03]));
    const {client, heard} = await serve('RFB 003.008\n', [
      ...accepted,
      none,
      none,
      Buffer.concat([Buffer.from([2]), top, clipboard, bottom]),
    ]);
    const session = await startRfb(client);
    expect([session.width, session.height, session.name]).toEqual([2, 2, 'QEMU (web)']);
    const {pixels} = await session.screen(2_000);
    expect(pixels.toString('hex')).toBe('ff000000ff000000ff010203');
    expect(heard.slice(0, 3).map(String)).toEqual(['RFB 003.008\n', '\u0001', '\u0001']);
    expect(heard[5]?.toString('hex')).toBe('03000000000000020002'); // all of it, not only what changed
  });

  test('a screen that changes its size while it is sent', async () => {
    const grown = Buffer.concat([update(rectangle(0, 0, 3, 1, -223)), update(rectangle(0, 0, 3, 1, 0, [1, 2, 3]))]);
    const {client} = await serve('RFB 003.008\n', [...accepted, none, none, grown]);
    const session = await startRfb(client);
    expect(await session.screen(2_000)).toEqual({width: 3, height: 1, pixels: Buffer.from([0, 0, 1, 0, 0, 2, 0, 0, 3])});
    expect([session.width, session.height]).toEqual([3, 1]);
  });

  test('keys go down and up, with Shift where a keyboard needs it', async () => {
    const {client, heard} = await serve('RFB 003.008\n', accepted);
    const session = await startRfb(client);
    await session.press('aB>\n');
    await until('all keys', () => heard.length === 5 + 12);
    const keys = heard.slice(5).map((message) => `${message[1] === 1 ? '+' : '-'}${message.readUInt32BE(4).toString(16)}`);
    expect(keys.join(' ')).toBe('+61 -61 +ffe1 +42 -42 -ffe1 +ffe1 +3e -3e -ffe1 +ff0d -ff0d');
  });

  test.each<[string, string, readonly Buffer[], RegExp]>([
    ['another version', 'RFB 003.003\n', [], /the server speaks "RFB 003.003/],
    ['no types at all', 'RFB 003.008\n', [Buffer.from([0])], /the server refuses/],
    ['a password', 'RFB 003.008\n', [Buffer.from([1, 2])], /wants authentication of types 2/],
    ['a refusal', 'RFB 003.008\n', [Buffer.from([1, 1]), Buffer.from([0, 0, 0, 1])], /refuses with 1/],
  ])('it is said what stands in the way: %s', async (_name, greeting, answers, message) => {
    const {client} = await serve(greeting, answers);
    await expect(startRfb(client)).rejects.toThrow(message);
  });

  test('a screen that does not come, or a server that leaves, is an error and no wait', async () => {
    const {client} = await serve('RFB 003.008\n', accepted);
    const session = await startRfb(client);
    await expect(session.screen(50)).rejects.toThrow(/within \d+/);
    client.terminate();
    await once(client, 'close');
    await expect(session.screen(2_000)).rejects.toThrow();
  });
});
