/** QEMU's machine protocol over a unix socket: commands with deadlines, and events. JSON values one after the other, a line each. */
import {createConnection} from 'node:net';
import type {Socket} from 'node:net';
import type {Clock} from '../../../../kube/clock.ts';

/** An event of qemu, e.g. SHUTDOWN with `data.reason`. */
export interface QmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Something to say to one qemu. */
export interface QmpClient {
  /**
   * Resolves with the command's `return`. Rejects with {@link QmpError} when qemu refuses, when the connection is gone or when there is no
   * answer in time (`timeoutMs`, default 10 s).
   */
  execute(command: string, args?: Readonly<Record<string, unknown>>, options?: {readonly timeoutMs?: number}): Promise<unknown>;
  /** Returns the function that ends it. */
  onEvent(listener: (event: QmpEvent) => void): () => void;
  /** Resolves when the connection has ended, by either side. */
  readonly closed: Promise<void>;
  close(): void;
}

/** What went wrong with a command. `refused`: qemu said no; else there is nobody to say anything. */
export class QmpError extends Error {
  override readonly name = 'QmpError';
  readonly refused: boolean;
  constructor(message: string, refused: boolean) {
    super(message);
    this.refused = refused;
  }
}

const TIMEOUT_MS = 10_000;
/** No answer of qemu is larger (query-qmp-schema, the largest, has 0.2 MB and is not asked for). */
const MAX_LINE_BYTES = 4 << 20;

interface Waiting {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: QmpError) => void;
}

/**
 * Connects to the socket that qemu listens on, tries again until `deadlineMs` has passed (it may not listen yet), and negotiates.
 * @throws QmpError when it cannot, or when `signal` aborts first.
 */
export async function connectQmp(options: {
  readonly path: string;
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}): Promise<QmpClient> {
  const {path, clock, signal} = options;
  const end = clock.monotonicMs() + options.deadlineMs;
  for (;;) {
    if (signal?.aborted === true) throw new QmpError(`${path}: given up`, false);
    try {
      return await greet(await dial(path), clock, Math.max(1, end - clock.monotonicMs()));
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== 'ENOENT' && code !== 'ECONNREFUSED') throw error;
      if (clock.monotonicMs() >= end) throw new QmpError(`${path}: nobody listens after ${options.deadlineMs} ms`, false);
      await clock.sleep(20);
    }
  }
}

/** Connects to a unix socket. */
export function dial(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({path});
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

async function greet(socket: Socket, clock: Clock, timeoutMs: number): Promise<QmpClient> {
  const client = new SocketQmp(socket, clock);
  await client.greeting(timeoutMs);
  await client.execute('qmp_capabilities', {}, {timeoutMs});
  return client;
}

class SocketQmp implements QmpClient {
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  #greeted: (() => void) | undefined;
  #next = 1;
  #text = '';
  #open = true;

  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    socket.setEncoding('utf8');
    socket.on('data', (text) => this.#read(String(text)));
    socket.on('error', () => socket.destroy()); // `close` follows and tells
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#open = false;
        for (const {command, reject} of this.#waiting.values()) reject(new QmpError(`${command}: qemu is gone`, false));
        this.#waiting.clear();
        resolve();
      });
    });
  }

  greeting(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.setTimer(timeoutMs, () => {
        this.#socket.destroy();
        reject(new QmpError(`qemu does not greet within ${timeoutMs} ms`, false));
      });
      this.#greeted = () => {
        cancel();
        resolve();
      };
      void this.closed.then(() => {
        cancel();
        reject(new QmpError('qemu closed the connection before it greeted', false));
      });
    });
  }

  execute(command: string, args: Readonly<Record<string, unknown>> = {}, options: {readonly timeoutMs?: number} = {}): Promise<unknown> {
    if (!this.#open) return Promise.reject(new QmpError(`${command}: qemu is gone`, false));
    const id = this.#next++;
    const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.setTimer(timeoutMs, () => {
        this.#waiting.delete(id);
        reject(new QmpError(`${command}: no answer within ${timeoutMs} ms`, false));
      });
      this.#waiting.set(id, {
        command,
        resolve: (value) => {
          cancel();
          resolve(value);
        },
        reject: (error) => {
          cancel();
          reject(error);
        },
      });
      this.#socket.write(`${JSON.stringify({execute: command, arguments: args, id})}\n`);
    });
  }

  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#text += text;
    if (this.#text.length > MAX_LINE_BYTES) return void this.#socket.destroy();
    const lines = this.#text.split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) {
      if (line.trim() === '') continue;
      let message: unknown;
      try {
        message = JSON.parse(line);
      } catch {
        return void this.#socket.destroy(); // not QMP: whoever waits is told that qemu is gone
      }
      if (typeof message === 'object' && message !== null) this.#take(message as Record<string, unknown>);
    }
  }

  #take(message: Readonly<Record<string, unknown>>): void {
    if ('QMP' in message) return this.#greeted?.();
    if (typeof message['event'] === 'string') {
      const event = {event: message['event'], data: (message['data'] ?? {}) as Record<string, unknown>};
      for (const listener of this.#listeners) listener(event);
      return;
    }
    const id = Number(message['id']);
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return; // answered after its deadline
    this.#waiting.delete(id);
    const error = message['error'] as {desc?: string} | undefined;
    if (error === undefined) waiting.resolve(message['return']);
    else waiting.reject(new QmpError(`${waiting.command}: ${error.desc ?? 'refused'}`, true));
  }
}
