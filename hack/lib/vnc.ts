/** A guest's screen: a picture of it, and a small RFB 3.8 client (RFC 6143) over KubeVirt's VNC websocket. */
import type WebSocket from 'ws';
import {decodePng, litPixels, type Picture} from './png.ts';
import {getSubresource, openWebSocket, writeWhole, type GuestAddress} from './subresource.ts';

/** What a picture shows. */
export interface Screenshot {
  readonly width: number;
  readonly height: number;
  /** Pixels that are not black. */
  readonly litPixels: number;
}

/** Takes a picture and writes it to `file` as a PNG. Rejects when the guest has no screen or the answer is no picture. */
export async function takeScreenshot(address: GuestAddress & {readonly file: string}): Promise<Screenshot> {
  const png = await getSubresource(address, 'vnc/screenshot');
  const picture = decodePng(png);
  await writeWhole(address.file, png);
  return {width: picture.width, height: picture.height, litPixels: litPixels(picture)};
}

/** A session of VNC. */
export interface VncSession {
  readonly width: number;
  readonly height: number;
  /** What the server calls the screen. */
  readonly name: string;
  /** Asks for the whole screen and resolves with it. Rejects at the deadline. */
  screen(timeoutMs: number): Promise<Picture>;
  /** Presses and releases the keys of a text: printable ASCII and Enter (`\n`). */
  press(text: string): Promise<void>;
  close(): void;
}

const HANDSHAKE_TIMEOUT_MS = 15_000;
const RAW_ENCODING = 0;
const DESKTOP_SIZE = -223;
const ENTER = 0xff0d;
const SHIFT = 0xffe1;
/** What needs Shift on the keyboard that qemu emulates unless told otherwise, a US one. */
const SHIFTED = /[A-Z~!@#$%^&*()_+{}|:"<>?]/;

/** Opens a session: version 3.8, no authentication (who may open it was decided by kube-apiserver), 32 bits a pixel. */
export async function openVnc(address: GuestAddress): Promise<VncSession> {
  return startRfb(await openWebSocket(address, 'vnc'));
}

/** The handshake and what follows, over a websocket that is open. Exported for its test. */
export async function startRfb(socket: WebSocket): Promise<VncSession> {
  const reader = new ByteReader(socket);
  const send = (bytes: Buffer): Promise<void> =>
    new Promise((resolve, reject) =>
      socket.send(bytes, {binary: true}, (error) => (error === null || error === undefined ? resolve() : reject(error))),
    );
  try {
    const version = (await reader.take(12, HANDSHAKE_TIMEOUT_MS)).toString('latin1');
    if (!/^RFB 003\.008\n$/.test(version)) throw new Error(`the server speaks ${JSON.stringify(version)}`);
    await send(Buffer.from('RFB 003.008\n'));
    const [count = 0] = await reader.take(1, HANDSHAKE_TIMEOUT_MS);
    if (count === 0) throw new Error('the server refuses');
    const types = await reader.take(count, HANDSHAKE_TIMEOUT_MS);
    if (!types.includes(1)) throw new Error(`the server wants authentication of types ${[...types].join(', ')}`);
    await send(Buffer.from([1]));
    const result = (await reader.take(4, HANDSHAKE_TIMEOUT_MS)).readUInt32BE();
    if (result !== 0) throw new Error(`the server refuses with ${result}`);
    await send(Buffer.from([1])); // shared
    const init = await reader.take(24, HANDSHAKE_TIMEOUT_MS);
    const name = (await reader.take(init.readUInt32BE(20), HANDSHAKE_TIMEOUT_MS)).toString();
    await send(pixelFormat());
    await send(encodings([RAW_ENCODING, DESKTOP_SIZE]));
    return new Session(socket, reader, send, {width: init.readUInt16BE(0), height: init.readUInt16BE(2), name});
  } catch (error) {
    socket.terminate();
    throw error;
  }
}

// 32 bits, true colour, blue in the lowest byte.
function pixelFormat(): Buffer {
  const message = Buffer.alloc(20);
  message.set([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0], 4);
  return message;
}

function encodings(list: readonly number[]): Buffer {
  const message = Buffer.alloc(4 + 4 * list.length);
  message[0] = 2;
  message.writeUInt16BE(list.length, 2);
  list.forEach((encoding, index) => message.writeInt32BE(encoding, 4 + 4 * index));
  return message;
}

class Session implements VncSession {
  readonly name: string;
  width: number;
  height: number;
  readonly #socket: WebSocket;
  readonly #reader: ByteReader;
  readonly #send: (bytes: Buffer) => Promise<void>;

  constructor(
    socket: WebSocket,
    reader: ByteReader,
    send: (bytes: Buffer) => Promise<void>,
    init: {readonly width: number; readonly height: number; readonly name: string},
  ) {
    this.#socket = socket;
    this.#reader = reader;
    this.#send = send;
    this.width = init.width;
    this.height = init.height;
    this.name = init.name;
  }

  async screen(timeoutMs: number): Promise<Picture> {
    let pixels = Buffer.alloc(this.width * this.height * 3);
    const request = Buffer.alloc(10);
    request[0] = 3; // not incremental: all of it
    request.writeUInt16BE(this.width, 6);
    request.writeUInt16BE(this.height, 8);
    await this.#send(request);
    const end = performance.now() + timeoutMs;
    const take = (length: number): Promise<Buffer> => this.#reader.take(length, Math.max(1, end - performance.now()));
    let painted = 0;
    while (painted < this.width * this.height) {
      const [type] = await take(1);
      if (type === 2) continue; // bell
      if (type === 3) {
        await take((await take(7)).readUInt32BE(3)); // clipboard
        continue;
      }
      if (type !== 0) throw new Error(`the server sends message ${type}`);
      const rectangles = (await take(3)).readUInt16BE(1);
      for (let index = 0; index < rectangles; index++) {
        const header = await take(12);
        const [x, y, width, height] = [0, 2, 4, 6].map((at) => header.readUInt16BE(at)) as [number, number, number, number];
        if (header.readInt32BE(8) === DESKTOP_SIZE) {
          this.width = width;
          this.height = height;
          pixels = Buffer.alloc(width * height * 3);
          painted = 0;
          continue;
        }
        const raw = await take(width * height * 4);
        for (let row = 0; row < height; row++)
          for (let column = 0; column < width; column++) {
            const from = (row * width + column) * 4;
            const to = ((y + row) * this.width + x + column) * 3;
            pixels[to] = raw[from + 2] ?? 0;
            pixels[to + 1] = raw[from + 1] ?? 0;
            pixels[to + 2] = raw[from] ?? 0;
          }
        painted += width * height;
      }
    }
    return {width: this.width, height: this.height, pixels};
  }

  async press(text: string): Promise<void> {
    for (const character of text) {
      const key = character === '\n' ? ENTER : (character.codePointAt(0) ?? 0); // keysyms of printable ASCII are its codes
      const shifted = SHIFTED.test(character);
      if (shifted) await this.#key(SHIFT, true); // a keyboard has no capitals: a server that emulates one wants both keys
      await this.#key(key, true);
      await this.#key(key, false);
      if (shifted) await this.#key(SHIFT, false);
    }
  }

  #key(keysym: number, down: boolean): Promise<void> {
    const message = Buffer.alloc(8);
    message.set([4, down ? 1 : 0]);
    message.writeUInt32BE(keysym, 4);
    return this.#send(message);
  }

  close(): void {
    this.#socket.terminate();
  }
}

/** Bytes of a websocket, in pieces of the length that is wanted. */
class ByteReader {
  #bytes: Buffer = Buffer.alloc(0);
  #closed = false;
  #wake: () => void = () => undefined;

  constructor(socket: WebSocket) {
    socket.on('message', (data) => {
      this.#bytes = Buffer.concat([this.#bytes, data as Buffer]);
      this.#wake();
    });
    const closed = (): void => {
      this.#closed = true;
      this.#wake();
    };
    socket.on('close', closed);
    socket.on('error', closed);
    socket.resume();
  }

  async take(length: number, timeoutMs: number): Promise<Buffer> {
    const end = performance.now() + timeoutMs;
    while (this.#bytes.length < length) {
      if (this.#closed) throw new Error('the screen was closed');
      const left = end - performance.now();
      if (left <= 0) throw new Error(`no ${length} bytes of the screen within ${timeoutMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }
}
