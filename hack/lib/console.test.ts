import {EventEmitter} from 'node:events';
import {describe, expect, test} from '@jest/globals';
import type WebSocket from 'ws';
import {consoleOver, type Console} from './console.ts';

/** A guest's end of a console: `answer` says what follows each line that is typed. */
class Guest extends EventEmitter {
  readonly typed: string[] = [];
  readonly #answer: (line: string) => string;
  constructor(answer: (line: string) => string = () => '') {
    super();
    this.#answer = answer;
  }
  resume(): void {
    // nothing was held back
  }
  send(bytes: Buffer, _options: object, sent: () => void): void {
    this.typed.push(String(bytes));
    sent();
    this.says(this.#answer(String(bytes)));
  }
  says(text: string): void {
    if (text !== '') this.emit('message', Buffer.from(text));
  }
}
const consoleOf = (guest: Guest): Console => consoleOver(guest as unknown as WebSocket, {name: 'web'});

describe('a console', () => {
  test('expects one text after the other, over the borders of frames, and sees no escapes', async () => {
    const guest = new Guest();
    const console = consoleOf(guest);
    for (const piece of ['web lo', 'gin: ', 'web \u001B[1;3', '2mlogin:\u001B[6n ']) guest.says(piece);
    expect((await console.expect(/(\w+) login: /, 100))[1]).toBe('web');
    await console.expect(/web login: /, 100);
    await expect(console.expect(/login/, 30)).rejects.toThrow(/console of web: no \/login\/ within 0.03 s; it said ""/);
  });

  test('a session that ends says why, to those who wait and to those who type', async () => {
    const guest = new Guest();
    const console = consoleOf(guest);
    const waiting = console.expect(/login/, 5_000);
    guest.emit('close', 1000, Buffer.from('another session took over'));
    await expect(waiting).rejects.toThrow(/ended \(another session took over\) before/);
    await expect(console.send('x')).rejects.toThrow(/another session took over/);
    expect(console.closedBecause).toBe('another session took over');
  });

  test('a command’s output, and its failure', async () => {
    const results = ['one\r\ntwo\r\ndone-1:0\r\n', 'no such file\r\ndone-2:1\r\n'];
    const console = consoleOf(new Guest(() => results.shift() ?? ''));
    expect(await console.run('ls', 100)).toBe('one\ntwo\n');
    await expect(console.run('cat x', 100)).rejects.toThrow('console of web: cat x: exit code 1: no such file');
  });

  test('a refused password is an error, not a wait', async () => {
    const says: Readonly<Record<string, string>> = {
      '\r': '\r\nweb login: ',
      'root\r': 'root\r\nPassword: ',
      'wrong\r': '\r\nLogin incorrect\r\n',
    };
    const console = consoleOf(new Guest((line) => says[line] ?? ''));
    await expect(console.login({user: 'root', password: 'wrong', timeoutMs: 2_000})).rejects.toThrow(/refuses root's password/);
  });
});
