import {describe, expect, test} from '@jest/globals';
import {readConfig} from './config.ts';

const full = {
  KUBECONFIG: '/k',
  HYPERVISOR_ADMIN_KUBECONFIG: '/a',
  HYPERVISOR_LISTEN: '10.245.0.20:8186',
  HYPERVISOR_TLS_CERT: '/c',
  HYPERVISOR_TLS_KEY: '/key',
  HYPERVISOR_TLS_CA: '/ca',
};

describe('readConfig', () => {
  test('defaults', () => {
    expect(readConfig(full, 1000)).toEqual({
      cluster: {dir: '', slot: 0, network: 'own-address'},
      qemu: undefined,
      limits: {guests: 20, memoryMiB: 1000},
      kubeconfig: '/k',
      adminKubeconfig: '/a',
      light: false,
      rest: {host: '10.245.0.20', port: 8186, cert: '/c', key: '/key', ca: '/ca'},
      guests: 'simulated',
      workers: 32,
      health: undefined,
      logLevel: 'info',
    });
  });

  test('light mode needs neither the REST side nor its account', () => {
    expect(readConfig({HYPERVISOR_ADMIN_KUBECONFIG: '/a', HYPERVISOR_LIGHT: 'true'})).toMatchObject({light: true, rest: undefined});
  });

  test.each([
    ['a missing kubeconfig', {KUBECONFIG: ''}, 'KUBECONFIG is not set'],
    ['an unknown mode', {GUESTS: 'xen'}, 'GUESTS=xen: must be one of simulated, qemu'],
    ['a port that is none', {HYPERVISOR_LISTEN: 'here'}, 'HYPERVISOR_LISTEN=here: must be address:port'],
    [
      'a health address without port',
      {HYPERVISOR_METRICS_LISTEN: '127.0.0.1'},
      'HYPERVISOR_METRICS_LISTEN=127.0.0.1: must be address:port',
    ],
    ['no workers', {HYPERVISOR_WORKERS: '0'}, 'HYPERVISOR_WORKERS=0: must be a positive integer'],
    ['an odd switch', {HYPERVISOR_LIGHT: 'yes'}, 'HYPERVISOR_LIGHT=yes: must be one of true, false'],
  ])('names %s', (_name, change, message) => {
    expect(() => readConfig({...full, ...change})).toThrow(message);
  });

  test('names all problems at once', () => {
    expect(() => readConfig({})).toThrow(/KUBECONFIG.*\n.*ADMIN.*\n.*LISTEN.*\n.*CERT/s);
  });
});
