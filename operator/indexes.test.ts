import {describe, expect, test} from '@jest/globals';
import type {Drive, Image, Server} from '../crds/index.ts';
import {driveIndexes, hostIndexes, identityIndexes, imageIndexes, nodeIndexes, serverIndexes} from './indexes.ts';
import {hostOf, metadata, nodeOf, regionOf, uidOf} from './testing/objects.ts';

const server = {
  apiVersion: 'basalt.dev/v1alpha1',
  kind: 'Server',
  metadata: metadata('s', {namespace: 'acct-demo'}),
  spec: {
    name: 's',
    flavor: 'tiny',
    image: {namespace: 'basalt-system', name: 'debian'},
    disks: [
      {slot: 'ide:0:0', drive: 'd1'},
      {slot: 'ide:0:1', drive: 'd2'},
    ],
    nics: [{index: 0, network: {namespace: 'basalt-system', name: 'public'}}, {index: 1, network: {name: 'vlan'}}, {index: 2}],
    keyPairs: ['k'],
    serverGroups: ['g'],
    bootSecret: {name: 'boot'},
    placement: {region: 'r', cell: 'c', host: 'w'},
  },
  status: {host: 'h'},
} as unknown as Server;

describe('servers are found by everything that they name, in its own namespace', () => {
  test.each([
    ['drive', ['acct-demo/d1', 'acct-demo/d2']],
    ['image', ['basalt-system/debian']],
    ['flavor', ['tiny']],
    ['network', ['basalt-system/public', 'acct-demo/vlan']],
    ['keyPair', ['acct-demo/k']],
    ['serverGroup', ['acct-demo/g']],
    ['bootSecret', ['acct-demo/boot']],
    ['host', ['h']],
    ['wantedHost', ['w']],
    ['region', ['r']],
    ['cell', ['c']],
    ['id', []],
  ])('%s', (name, keys) => {
    expect(serverIndexes[name]?.(server)).toEqual(keys);
  });
  test('and a bare server by none of it', () => {
    const bare = {...server, spec: {name: 's'}, status: undefined} as unknown as Server;
    expect(Object.keys(serverIndexes).filter((name) => (serverIndexes[name]?.(bare) ?? []).length > 0)).toEqual(['uuid']);
  });
});

test('drives by source and by who holds them', () => {
  const drive = {
    ...server,
    kind: 'Drive',
    spec: {name: 'd', sizeBytes: 1, source: {image: {name: 'own'}}},
    status: {
      claims: [
        {server: 's1', claimedAt: ''},
        {server: 's2', claimedAt: ''},
      ],
    },
  } as unknown as Drive;
  expect([driveIndexes['image']?.(drive), driveIndexes['sourceDrive']?.(drive), driveIndexes['server']?.(drive)]).toEqual([
    ['acct-demo/own'],
    [],
    ['acct-demo/s1', 'acct-demo/s2'],
  ]);
  const image = {...server, kind: 'Image', spec: {name: 'i', source: {drive: {name: 'd'}}}} as unknown as Image;
  expect(imageIndexes['drive']?.(image)).toEqual(['acct-demo/d']);
});

test('hosts and nodes by what matches them', () => {
  const host = hostOf('h', {hostname: 'bm-0', address: '10.0.0.1', cell: 'c'}, {status: {nodeName: 'n'}});
  expect([hostIndexes['identity']?.(host), hostIndexes['node']?.(host), hostIndexes['cell']?.(host)]).toEqual([
    ['bm-0', '10.0.0.1'],
    ['n'],
    ['c'],
  ]);
  const node = nodeOf('n', {meta: {labels: {'kubernetes.io/hostname': 'bm-0', 'topology.basalt.dev/host': 'h'}}});
  expect([nodeIndexes['hostname']?.(node), nodeIndexes['address']?.(node), nodeIndexes['host']?.(node)]).toEqual([
    ['bm-0'],
    ['10.0.0.1'],
    ['h'],
  ]);
});

test('ids are decimal; the recorded uuid wins over the uid', () => {
  const region = regionOf('r', {id: 7});
  expect([identityIndexes['id']?.(region), identityIndexes['uuid']?.(region)]).toEqual([['7'], [uidOf('r')]]);
  const restored = {...region, status: {uuid: '11111111-1111-4111-8111-111111111111'}};
  expect(identityIndexes['uuid']?.(restored)).toEqual(['11111111-1111-4111-8111-111111111111']);
});
