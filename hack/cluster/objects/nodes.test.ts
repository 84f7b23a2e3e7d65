import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {parse} from 'yaml';
import {HERE} from '../paths.ts';
import {hostOf, hostsText, nodeOf, parseHostTable, planHosts} from './nodes.ts';

const table = parseHostTable(parse(readFileSync(join(HERE, 'nodes.yaml'), 'utf8')));

test('hosts take the sizes in turn, and stand in racks of eight', () => {
  const hosts = planHosts({...table, spare: 0}, 10);
  expect(hosts.map((host) => host.name)).toEqual(expect.arrayContaining(['bm-000', 'bm-009']));
  expect(hosts[table.sizes.length]?.size).toEqual(hosts[0]?.size);
  expect(hosts[1]?.size).not.toEqual(hosts[0]?.size);
  expect([hosts[7]?.rack, hosts[8]?.rack]).toEqual(['rack-0', 'rack-1']);
});

test.each([0, 997, 1.5])('%d hosts are refused', (count) => expect(() => planHosts({...table, spare: 4}, count)).toThrow('1 to 996'));

describe('a table is refused', () => {
  test.each([
    ['nothing', null, 'not a table'],
    ['no count', {sizes: [{cpu: 1, memoryGiB: 1, diskGiB: 1}]}, 'count'],
    ['no sizes', {count: 1, spare: 0, sizes: []}, 'sizes'],
    ['a size without memory', {count: 1, spare: 0, sizes: [{cpu: 1, diskGiB: 1}]}, 'sizes[0].memoryGiB'],
    ['no processor', {count: 1, spare: 0, sizes: [{cpu: 0, memoryGiB: 1, diskGiB: 1}]}, 'sizes[0].cpu'],
  ])('%s', (_what, value, message) => expect(() => parseHostTable(value)).toThrow(message));
});

test('spare machines come after the registered ones', () => {
  const hosts = planHosts({...table, spare: 2}, 3);
  expect(hosts.map((host) => host.registered)).toEqual([true, true, true, false, false]);
});

test.each([
  [4, 4, '4 hosts and 4 spare machines'],
  [1, 1, '1 host and 1 spare machine'],
  [2, 0, '2 hosts'],
])('%d hosts and %d spare ones in words', (count, spare, text) => expect(hostsText(planHosts({...table, spare}, count))).toBe(text));

test('a node has what KubeVirt schedules by', () => {
  const node = nodeOf(planHosts(table, 1)[0] as never, 'amd64') as unknown as {
    metadata: {labels: Record<string, string>};
    status: {allocatable: Record<string, string>};
  };
  expect(node.metadata.labels).toMatchObject({
    'kubevirt.io/schedulable': 'true',
    'kubernetes.io/arch': 'amd64',
    'machine-type.node.kubevirt.io/q35': 'true',
  });
  expect(node.status.allocatable).toMatchObject({'devices.kubevirt.io/kvm': '1k', 'ephemeral-storage': '1024Gi', cpu: '64'});
});

test('a Host is bound to its node by name, with an address of its own that is not on any network here', () => {
  const hosts = planHosts({...table, spare: 0}, 300).map((host, index) => hostOf(host, index, {region: 'default', cell: 'default'}));
  expect(hosts[2]).toMatchObject({
    kind: 'Host',
    metadata: {name: 'bm-002'},
    spec: {nodeName: 'bm-002', region: 'default', cell: 'default'},
  });
  const addresses = hosts.map((host) => (host['spec'] as {address: string}).address);
  expect(new Set(addresses).size).toBe(300);
  for (const address of addresses) expect(address).toMatch(/^198\.18\./);
});
