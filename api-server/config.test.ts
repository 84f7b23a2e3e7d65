import {expect, test} from '@jest/globals';
import {readConfig} from './config.ts';

test('has a default for everything', () => {
  expect(readConfig({})).toEqual({
    kubeConfig: undefined,
    systemNamespace: 'basalt-system',
    listen: {host: '0.0.0.0', port: 8080},
    cloudSigmaListen: {host: '0.0.0.0', port: 8081},
    metricsListen: {host: '0.0.0.0', port: 8082},
    publicUrl: undefined,
    regionName: 'default',
    nodepoolPublicReads: true,
    tokenHours: 24,
    shutdownDelaySeconds: 0,
    logLevel: 'info',
  });
});

test.each([
  ['127.0.0.1:0', {host: '127.0.0.1', port: 0}],
  [':80', {host: '0.0.0.0', port: 80}],
  ['[::1]:80', {host: '::1', port: 80}],
])('listens on %s', (text, expected) => {
  expect(readConfig({BASALT_LISTEN: text}).listen).toEqual(expected);
});

test('an empty variable counts as absent, a final slash of the URL goes', () => {
  expect(readConfig({BASALT_NAMESPACE: '', BASALT_PUBLIC_URL: 'http://h:1/'})).toMatchObject({
    systemNamespace: 'basalt-system',
    publicUrl: 'http://h:1',
  });
});

test('names every wrong variable', () => {
  expect(() => readConfig({BASALT_LISTEN: 'nowhere', BASALT_LOG_LEVEL: 'loud'})).toThrow(/BASALT_LISTEN.*BASALT_LOG_LEVEL/);
});
