import {describe, expect, test} from '@jest/globals';
import type {Server} from '../../crds/index.ts';
import {serverToText, type ServerContext} from './server-text.ts';

const UUID = 'bb783ced-d2b4-4003-a66e-87337ea6427e';
const DRIVE = '529ec0ce-f930-4b69-8aca-d438e9bbe6d3';
const ROOT = '76096e90-6e34-40b6-9ef5-216abe6b330b';
const VLAN = '6e2d1f6a-03c8-422b-bc8e-d744612cf46a';

const context: ServerContext = {
  user: 'u',
  driveUuid: (name) => ({data: DRIVE, [`${UUID}-root`]: ROOT})[name],
  vlanUuid: (network) => (network?.name === 'lan' ? VLAN : undefined),
  flavor: undefined,
};

const server = (spec: Partial<Server['spec']>, status?: Server['status']): Server => ({
  apiVersion: 'basalt.dev/v1alpha1',
  kind: 'Server',
  metadata: {name: UUID, namespace: 'acct-demo'},
  spec: {name: 'db', ...spec},
  ...(status === undefined ? {} : {status}),
});

const publicNic = {index: 0, network: {namespace: 'basalt-system', name: 'public'}, model: 'e1000', addressing: 'Auto'} as const;

describe('a server as text', () => {
  test('stopped: what jclouds and libcloud cannot do without', () => {
    const spec = {cpu: {mhz: 2000}, memoryMiB: 1024, disks: [{slot: 'ide:0:0', drive: 'data', media: 'Disk' as const}], nics: [publicNic]};
    expect(serverToText(server(spec, {phase: 'STOPPED'}), context)).toEqual({
      server: UUID,
      name: 'db',
      user: 'u',
      status: 'stopped',
      cpu: 2000,
      smp: 1,
      mem: 1024,
      persistent: true,
      'ide:0:0': DRIVE,
      'ide:0:0:media': 'disk',
      boot: 'ide:0:0',
      'nic:0:model': 'e1000',
      'nic:0:dhcp': 'auto',
      'vnc:ip': 'auto',
    });
  });

  test('running: address, VNC address and start time', () => {
    const status = {
      phase: 'ACTIVE' as const,
      startedAt: '2026-01-01T00:00:00Z',
      nics: [{index: 0, address: '10.0.0.5', macAddress: '52:54:00:00:00:01'}],
    };
    expect(serverToText(server({nics: [publicNic]}, status), context)).toMatchObject({
      status: 'active',
      started: 1767225600,
      'nic:0:dhcp': '10.0.0.5',
      'vnc:ip': '10.0.0.5',
    });
  });

  test.each([
    [undefined, 'stopped'],
    ['BUILD', 'stopped'],
    ['ACTIVE', 'active'],
    ['REBOOT', 'active'],
    ['PAUSED', 'paused'],
    ['ERROR', 'dead'],
    ['UNKNOWN', 'unknown'],
  ] as const)('phase %s is %s', (phase, status) => {
    expect(serverToText(server({}, phase === undefined ? undefined : {phase}), context)['status']).toBe(status);
  });

  test.each([
    ['MHz and auto', {cpu: {mhz: 4400}}, undefined, {cpu: 4400, smp: 2}],
    ['counted cores', {cpu: {mhz: 4000, cores: 4}}, undefined, {cpu: 4000, smp: 4}],
    ['cores alone', {cpu: {cores: 3}}, undefined, {cpu: 3000, smp: 3}],
    ['a flavor, not seen by the operator', {flavor: 'small'}, undefined, {cpu: 2000, smp: 2, mem: 2048}],
    ['a flavor, resolved', {flavor: 'small'}, {resources: {cores: 4, cpuMHz: 8000, memoryMiB: 4096}}, {cpu: 8000, smp: 4, mem: 4096}],
    ['nothing', {}, undefined, {cpu: 1000, smp: 1, mem: 0}],
  ] as [string, Partial<Server['spec']>, Server['status'], object][])('size of %s', (_name, spec, status, text) => {
    const flavor = spec.flavor === undefined ? undefined : {vcpus: 2, memoryMiB: 2048};
    expect(serverToText(server(spec, status), {...context, flavor})).toMatchObject(text);
  });

  test('a server made from an image shows its root drive', () => {
    expect(serverToText(server({image: {name: 'debian'}}), context)).toMatchObject({
      'block:0': ROOT,
      'block:0:media': 'disk',
      boot: 'block:0',
    });
  });

  test('a VLAN card has a vlan and a mac and no dhcp', () => {
    const nic = {index: 1, network: {namespace: 'acct-demo', name: 'lan'}, model: 'virtio' as const, addressing: 'Manual' as const};
    const text = serverToText(server({nics: [nic]}, {nics: [{index: 1, macAddress: '52:54:00:00:00:02'}]}), context);
    expect(text).toMatchObject({
      'nic:1:model': 'virtio',
      'nic:1:vlan': VLAN,
      'nic:1:mac': '52:54:00:00:00:02',
      boot: 'ide:0:0',
      'vnc:ip': 'auto',
    });
    expect(text).not.toHaveProperty('nic:1:dhcp');
  });

  test('no list of cards is one public card, an empty list none', () => {
    expect(serverToText(server({}), context)).toMatchObject({'nic:0:model': 'virtio', 'nic:0:dhcp': 'auto'});
    expect(serverToText(server({nics: []}), context)).not.toHaveProperty('nic:0:model');
  });

  test('boot order, use, description, metadata, persistence', () => {
    const spec = {
      bootOrder: ['ide:1:0', 'ide:0:0'],
      use: ['web', 'db'],
      description: 'd',
      metadata: [{key: 'my team', value: 'blue'}],
      lifecycle: 'Ephemeral' as const,
    };
    expect(serverToText(server(spec), context)).toMatchObject({
      boot: 'ide:1:0 ide:0:0',
      use: 'web db',
      description: 'd',
      'user:my_team': 'blue',
      persistent: false,
    });
  });
});
