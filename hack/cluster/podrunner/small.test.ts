import {request} from 'node:http';
import type {IncomingMessage} from 'node:http';
import {describe, expect, test} from '@jest/globals';
import {AddressPool} from './addresses.ts';
import {readConfig} from './config.ts';
import {proxyEnvironment, startRefusingProxy} from './local-only.ts';
import {noFsyncFilter} from './no-fsync.ts';
import {afterEnd, backOffMs} from './restart.ts';
import {podOf} from './testing/pods.ts';

test.each([
  ['Always', 0, 'restart'],
  ['Always', 1, 'restart'],
  ['OnFailure', 0, 'Succeeded'],
  ['OnFailure', 1, 'restart'],
  ['Never', 0, 'Succeeded'],
  ['Never', 1, 'Failed'],
  [undefined, 0, 'restart'],
])('restartPolicy %s, exit code %d: %s', (restartPolicy, exitCode, expected) =>
  expect(afterEnd(podOf({}, {spec: {restartPolicy}}), exitCode)).toBe(expected),
);

test('restarts wait twice as long each time, up to half a minute', () =>
  expect([1, 2, 3, 4, 5, 6, 7, 1000].map(backOffMs)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]));

test('addresses: the lowest free one, none twice, none when all are taken', () => {
  const pool = new AddressPool('10.1.1.');
  pool.keep('10.1.1.101');
  expect([pool.take(), pool.take()]).toEqual(['10.1.1.100', '10.1.1.102']);
  pool.release('10.1.1.100');
  expect(pool.take()).toBe('10.1.1.100');
  for (let left = 0; left < 148; left++) expect(pool.take()).toBeDefined();
  expect(pool.take()).toBeUndefined();
});

describe('the filter', () => {
  // Runs the program as the kernel does; the codes are those of linux/filter.h.
  const run = (filter: Buffer, seen: {call: number; audit: number}): number => {
    let value = 0;
    for (let at = 0; ; at++) {
      const code = filter.readUInt16LE(at * 8);
      const k = filter.readUInt32LE(at * 8 + 4);
      if (code === 0x20) value = k === 0 ? seen.call : seen.audit;
      else if (code === 0x15) at += filter.readUInt8(at * 8 + (value === k ? 2 : 3));
      else return k;
    }
  };
  const [allow, skip] = [0x7fff0000, 0x00050000];
  test.each([
    ['x64', 0xc000003e, 74, skip],
    ['x64', 0xc000003e, 75, skip],
    ['x64', 0xc000003e, 1, allow],
    ['x64', 0x40000003, 74, allow],
    ['arm64', 0xc00000b7, 82, skip],
    ['arm64', 0xc00000b7, 83, skip],
    ['arm64', 0xc00000b7, 64, allow],
  ])('%s: call %d of %d', (architecture, audit, call, expected) =>
    expect(run(noFsyncFilter(architecture) as Buffer, {call, audit})).toBe(expected),
  );
  test('there is none for another architecture', () => expect(noFsyncFilter('riscv64')).toBeUndefined());
});

describe('only this machine', () => {
  test('what is its own goes past the proxy', () => {
    const {http_proxy, no_proxy} = proxyEnvironment({host: '127.0.0.1', port: 7}, ['192.0.2.2', '10.245.1.0/24']);
    expect(http_proxy).toBe('http://127.0.0.1:7');
    expect(no_proxy?.split(',')).toEqual(expect.arrayContaining(['127.0.0.0/8', '.svc', '192.0.2.2', '10.245.1.0/24']));
  });
  test.each(['GET', 'CONNECT'])('everything else is refused in words: %s', async (method) => {
    const proxy = await startRefusingProxy('127.0.0.1', 0);
    try {
      const {statusCode, statusMessage} = await new Promise<IncomingMessage>((resolve, reject) => {
        const asked = request({port: proxy.port, method, path: method === 'GET' ? 'http://192.0.2.1/x' : '192.0.2.1:443', agent: false});
        asked.once('response', (answer) => resolve(answer.resume()));
        asked.once('connect', (answer, socket) => {
          socket.destroy();
          resolve(answer);
        });
        asked.once('error', reject);
        asked.end();
      });
      expect(`${statusCode} ${statusMessage}`).toBe('403 The local cluster reaches addresses of this machine only');
    } finally {
      await proxy.close();
    }
  });
});

test('configuration: everything that is missing or wrong is said at once', () => {
  const good = {
    KUBECONFIG: '/k',
    PODRUNNER_FOLDER: '/f',
    PODRUNNER_LOGS: '/l',
    PODRUNNER_BIN: '/b',
    PODRUNNER_ADDRESSES: '10.1.1.',
    PODRUNNER_HOST_ADDRESS: '10.0.0.1',
    PODRUNNER_PROXY_PORT: '7',
  };
  expect(readConfig(good)).toMatchObject({addressPrefix: '10.1.1.', proxyPort: 7, logLevel: 'info'});
  expect(() => readConfig({...good, KUBECONFIG: '', PODRUNNER_ADDRESSES: '10.1.1', BASALT_LOG_LEVEL: 'loud'})).toThrow(
    'BASALT_LOG_LEVEL=loud: must be one of debug, info, warn, error, silent\nKUBECONFIG is not set\nPODRUNNER_ADDRESSES=10.1.1: must match',
  );
});
