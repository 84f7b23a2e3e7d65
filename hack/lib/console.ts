/** A person at a guest's serial console, as a program: waits for what it should say, types, logs in, runs commands. */
import type WebSocket from 'ws';
import {openWebSocket, type GuestAddress} from './subresource.ts';

/** An open console. Times are deadlines in milliseconds. */
export interface Console {
  /** Everything that was said since it was opened (the last 256 KiB of it). */
  readonly text: string;
  /** Why the other side ended it; undefined while it is open. */
  readonly closedBecause: string | undefined;
  /** Resolves with the match of the first text, not yet expected before, that fits. Rejects at the deadline with what was said instead. */
  expect(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray>;
  /** Types a line. */
  send(line: string): Promise<void>;
  /** Types bytes as they are. */
  type(text: string): Promise<void>;
  /** Presses Enter until somebody asks who logs in; resolves with the line of the prompt. */
  prompt(timeoutMs: number): Promise<string>;
  /** Logs in, and readies the shell for {@link Console.run}. Rejects when the guest refuses. */
  login(who: {readonly user: string; readonly password: string; readonly timeoutMs: number}): Promise<void>;
  /** Runs a command of one line after `login`; resolves with its output. Rejects when it exits with anything but 0. */
  run(command: string, timeoutMs: number): Promise<string>;
  /** Leaves the shell. */
  logout(): Promise<void>;
  close(): Promise<void>;
}

// eslint-disable-next-line no-control-regex -- control characters are what it is about
const ESCAPES = /\u001B\[[\d;?]*[A-Za-z]/g;
// eslint-disable-next-line no-control-regex -- as above
const UNFINISHED = /\u001B(?:\[[\d;?]*)?$/;
const MOST_TEXT = 256 * 1024;
const PRESS_AGAIN_MS = 1_000;
const SILENT_ROUNDS = 3;
const POLL_MS = 20;
const SHELL_TIMEOUT_MS = 15_000;

/** Opens the serial console of a running guest; whoever had it before is put out. Rejects when it is refused. */
export async function openConsole(address: GuestAddress): Promise<Console> {
  return consoleOver(await openWebSocket(address, 'console'), address);
}

/** The same over a websocket that is open. Exported for its test. */
export const consoleOver = (socket: WebSocket, address: Pick<GuestAddress, 'name' | 'signal'>): Console =>
  new SocketConsole(socket, address);

class SocketConsole implements Console {
  readonly #socket: WebSocket;
  readonly #address: Pick<GuestAddress, 'name' | 'signal'>;
  #text = '';
  /** The beginning of an escape sequence whose end has not come. */
  #piece = '';
  #seen = 0;
  #closed: string | undefined;
  #runs = 0;

  constructor(socket: WebSocket, address: Pick<GuestAddress, 'name' | 'signal'>) {
    this.#socket = socket;
    this.#address = address;
    socket.on('message', (data) => this.#hear((data as Buffer).toString('latin1')));
    socket.on('error', (error) => (this.#closed ??= error.message));
    socket.on('close', (_code, reason) => (this.#closed ??= reason.toString() || 'closed'));
    socket.resume();
  }

  get text(): string {
    return this.#text;
  }
  get closedBecause(): string | undefined {
    return this.#closed;
  }

  #hear(text: string): void {
    // Shells ask the terminal where its cursor is, in the middle of a prompt.
    // One may come in two pieces; what was counted as seen must not change any more.
    const whole = this.#piece + text;
    const cut = UNFINISHED.exec(whole)?.index ?? whole.length;
    this.#piece = whole.slice(cut);
    this.#text += whole.slice(0, cut).replaceAll(ESCAPES, '');
    const extra = this.#text.length - MOST_TEXT;
    if (extra <= 0) return;
    this.#text = this.#text.slice(extra);
    this.#seen = Math.max(0, this.#seen - extra);
  }

  async expect(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      this.#address.signal?.throwIfAborted();
      const match = pattern.exec(this.#text.slice(this.#seen));
      if (match !== null) {
        this.#seen += match.index + match[0].length;
        return match;
      }
      const said = JSON.stringify(this.#text.slice(this.#seen).slice(-400));
      if (this.#closed !== undefined)
        throw new Error(`console of ${this.#address.name}: ended (${this.#closed}) before ${pattern}; it said ${said}`);
      if (performance.now() > end)
        throw new Error(`console of ${this.#address.name}: no ${pattern} within ${timeoutMs / 1000} s; it said ${said}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  send(line: string): Promise<void> {
    return this.type(`${line}\r`);
  }

  type(text: string): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(new Error(`console of ${this.#address.name}: ended (${this.#closed})`));
    return new Promise((resolve, reject) => {
      this.#socket.send(Buffer.from(text, 'utf8'), {binary: true}, (error) =>
        error === null || error === undefined ? resolve() : reject(error),
      );
    });
  }

  async prompt(timeoutMs: number): Promise<string> {
    const end = performance.now() + timeoutMs;
    for (let silent = 0; ;) {
      await this.send('');
      try {
        const [line] = await this.expect(/[^\r\n]* login: |[#$] $/, Math.min(PRESS_AGAIN_MS, Math.max(1, end - performance.now())));
        if (line.endsWith('login: ')) return line.trim();
        await this.send('exit'); // somebody left without logging out
      } catch (error) {
        if (performance.now() > end || this.#closed !== undefined) throw error;
        if (++silent % SILENT_ROUNDS === 0) await this.type('\u0004'); // a program may still read what is typed
      }
    }
  }

  async login({user, password, timeoutMs}: {readonly user: string; readonly password: string; readonly timeoutMs: number}): Promise<void> {
    await this.prompt(timeoutMs);
    // Prompts that pressing Enter brought besides would be taken for answers.
    await new Promise((resolve) => setTimeout(resolve, 300));
    this.#seen = this.#text.length;
    await this.send(user);
    const [asked] = await this.expect(/[Pp]assword: |[#$] $/, SHELL_TIMEOUT_MS);
    if (/assword/.test(asked)) {
      await this.send(password);
      const [answer] = await this.expect(/incorrect|[#$] $/, SHELL_TIMEOUT_MS);
      if (answer === 'incorrect') throw new Error(`console of ${this.#address.name}: the guest refuses ${user}'s password`);
    }
    // A shell that reads a file shows no prompt and echoes nothing: what comes is what commands said. The file is the terminal itself:
    // busybox' cat in a pipe would hold a line back until the next one comes.
    await this.send("stty -echo; echo now-''ready; sh /proc/self/fd/0; stty echo");
    await this.expect(/now-ready\r?\n/, SHELL_TIMEOUT_MS); // what is typed before is read by the shell that was there
    await this.run('true', SHELL_TIMEOUT_MS);
  }

  async run(command: string, timeoutMs: number): Promise<string> {
    if (command.includes('\n')) throw new Error(`a command of one line, not ${JSON.stringify(command)}`);
    const mark = `done-${++this.#runs}`;
    this.#seen = this.#text.length;
    await this.send(`{ ${command}; }; printf '%s-%s:%s\\n' done ${this.#runs} $?`);
    const match = await this.expect(new RegExp(`([\\s\\S]*?)${mark}:(\\d+)\\r?\\n`), timeoutMs);
    const [, output = '', code] = match;
    if (code !== '0') throw new Error(`console of ${this.#address.name}: ${command}: exit code ${code}: ${output.trim()}`);
    return output.replaceAll('\r\n', '\n');
  }

  async logout(): Promise<void> {
    await this.type('\u0004');
    await this.expect(/[#$] $/, SHELL_TIMEOUT_MS);
    await this.send('exit');
  }

  async close(): Promise<void> {
    if (this.#closed !== undefined) return;
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    this.#socket.close();
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 1_000))]);
    this.#socket.terminate();
  }
}
