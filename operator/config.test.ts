import {describe, expect, test} from '@jest/globals';
import {hostname} from 'node:os';
import {ConfigError, readConfig} from './config.ts';

const read = (environment: Record<string, string> = {}, argv: readonly string[] = []) => readConfig(environment, argv, 42);

test('defaults', () => {
  expect(read()).toEqual({
    namespace: 'basalt-system',
    listen: {host: '127.0.0.1', port: 8080},
    logLevel: 'info',
    leaderElect: true,
    identity: `${hostname()}-42`,
    workers: {},
    connections: 32,
  });
});

test('everything can be set by the environment', () => {
  expect(
    read({
      KUBECONFIG: '/k',
      BASALT_NAMESPACE: 'cloud',
      BASALT_OPERATOR_LISTEN: '[::]:9000',
      BASALT_LOG_LEVEL: 'debug',
      BASALT_LEADER_ELECT: 'false',
      BASALT_IDENTITY: 'pod-1',
      BASALT_WORKERS: 'server=32,drive=16',
      BASALT_CONNECTIONS: '64',
    }),
  ).toEqual({
    kubeconfig: '/k',
    namespace: 'cloud',
    listen: {host: '::', port: 9000},
    logLevel: 'debug',
    leaderElect: false,
    identity: 'pod-1',
    workers: {server: 32, drive: 16},
    connections: 64,
  });
});

test('a port alone listens on loopback; an empty variable is absent; a flag wins', () => {
  expect(read({BASALT_OPERATOR_PORT: '9100'}).listen).toEqual({host: '127.0.0.1', port: 9100});
  expect(read({BASALT_NAMESPACE: ''}).namespace).toBe('basalt-system');
  expect(read({BASALT_LOG_LEVEL: 'warn'}, ['--log-level=debug', '--kubeconfig', '/k'])).toMatchObject({
    logLevel: 'debug',
    kubeconfig: '/k',
  });
});

describe('what makes no sense is refused by name', () => {
  test.each<[Record<string, string>, readonly string[], RegExp]>([
    [{BASALT_LOG_LEVEL: 'loud'}, [], /BASALT_LOG_LEVEL="loud" .*--log-level/],
    [{BASALT_NAMESPACE: 'Nope!'}, [], /BASALT_NAMESPACE/],
    [{BASALT_OPERATOR_LISTEN: 'here'}, [], /BASALT_OPERATOR_LISTEN/],
    [{BASALT_OPERATOR_LISTEN: 'here:99999'}, [], /65535/],
    [{BASALT_LEADER_ELECT: 'yes'}, [], /BASALT_LEADER_ELECT/],
    [{BASALT_WORKERS: 'server:3'}, [], /BASALT_WORKERS/],
    [{}, ['--unknown=1'], /--unknown/],
    [{}, ['stray'], /stray/],
  ])('%j %j', (environment, argv, message) => {
    expect(() => read(environment, argv)).toThrow(ConfigError);
    expect(() => read(environment, argv)).toThrow(message);
  });
});
