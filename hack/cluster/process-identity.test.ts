import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {describe, expect, test} from '@jest/globals';
import {identify, isAlive, ownIdentity, signalProcess, startTicks, type ProcessTable} from './process-identity.ts';

const stat = (name: string, state: string, ticks: string): string =>
  `42 (${name}) ${state} ${Array(18).fill('1').join(' ')} ${ticks} 999 1`;

describe('start time of a process', () => {
  test.each([
    ['a plain name', stat('etcd', 'S', '12345'), '12345'],
    ['a name with brackets and spaces', stat('a) b (c', 'R', '77'), '77'],
    ['a zombie', stat('etcd', 'Z', '12345'), undefined],
    ['a dead one', stat('etcd', 'X', '12345'), undefined],
  ])('%s', (_what, text, expected) => {
    expect(startTicks(text)).toBe(expected);
  });
});

describe('identity', () => {
  const table = (ticks: string | undefined, boot = 'b1'): ProcessTable => ({
    stat: () => (ticks === undefined ? undefined : stat('x', 'S', ticks)),
    bootId: () => boot,
  });
  const who = {pid: 42, startTime: 'b1:100'};

  test('the same pid and start time is the same process', () => expect(isAlive(who, table('100'))).toBe(true));
  test('a reused pid is another process', () => expect(isAlive(who, table('101'))).toBe(false));
  test('the same ticks after a reboot are another process', () => expect(isAlive(who, table('100', 'b2'))).toBe(false));
  test('an ended process is not alive', () => expect(isAlive(who, table(undefined))).toBe(false));
  test('no record is not alive', () => expect(isAlive(undefined, table('100'))).toBe(false));
});

test('a process whose start time differs is never signalled', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {stdio: 'ignore'});
  try {
    const identity = identify(child.pid as number);
    expect(identity).toBeDefined();
    expect(signalProcess({pid: child.pid as number, startTime: 'another'}, 'SIGKILL')).toBe(false);
    expect(isAlive(identity)).toBe(true);
    const ended = once(child, 'exit');
    expect(signalProcess(identity as NonNullable<typeof identity>, 'SIGKILL')).toBe(true);
    await ended;
    expect(isAlive(identity)).toBe(false);
  } finally {
    child.kill('SIGKILL');
  }
});

test('this process finds itself', () => expect(isAlive(ownIdentity())).toBe(true));
