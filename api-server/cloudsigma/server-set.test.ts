/** Servers that were made otherwise (with a flavor, from an image, with kubectl), under `servers/U/set`. conformance-set.test.ts has the rest. */
import {describe, expect, test} from '@jest/globals';
import type {Server} from '../../crds/index.ts';
import {formatObject, parseProperties} from './codec.ts';
import {Failure} from '../http/failure.ts';
import {changeServer, type ServerChange} from './server-set.ts';
import {serverToText, type ServerContext} from './server-text.ts';

const uuid = (digit: number): string => `aaaaaaaa-0000-4000-8000-00000000000${digit}`;
const NAMES: Readonly<Record<string, string>> = {[uuid(0)]: 'web-root', [uuid(1)]: 'data', [uuid(2)]: 'more'};
const CONTEXT: ServerContext = {
  user: uuid(9),
  driveUuid: (name) => Object.entries(NAMES).find(([, known]) => known === name)?.[0],
  vlanUuid: () => undefined,
  flavor: {vcpus: 4, memoryMiB: 2048},
};
const server = (spec: Partial<Server['spec']>): Server =>
  ({
    metadata: {name: 'web', uid: uuid(8)},
    spec: {name: 'web', ...spec},
    status: {phase: 'ACTIVE', nics: [{index: 0, address: '10.0.0.5'}]},
  }) as unknown as Server;
const change = (of: Server, body: string): ServerChange =>
  changeServer(of, parseProperties(body), CONTEXT, {
    driveName: (wanted) => NAMES[wanted],
    network: ({vlanUuid}) => (vlanUuid === undefined ? {namespace: 'basalt-system', name: 'public'} : undefined),
    vncSecret: 'web-vnc',
  });
const problems = (of: Server, body: string): readonly string[] => {
  try {
    change(of, body);
    return [];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.fields.map(({path}) => path);
  }
};

const FROM_IMAGE = server({flavor: 'big', image: {name: 'debian'}, disks: [{slot: 'ide:0:0', drive: 'data', media: 'Disk'}]});
const BY_HAND = server({
  cpu: {cores: 8, mhz: 1000},
  memoryMiB: 512,
  disks: [{slot: 'ide:0:0', drive: 'gone', media: 'Disk'}],
  nics: [{index: 0, addressing: 'Static', address: '10.0.0.5', model: 'virtio'}],
  metadata: [{key: 'with space', value: 'x'}],
});

test.each<[string, Server]>([
  ['from an image, with a flavor', FROM_IMAGE],
  ['that breaks rules of this API', BY_HAND],
])('a server %s: what is shown can be sent back, and changes nothing', (_name, given) => {
  const {spec, needsStop, connected, disconnected} = change(given, formatObject(serverToText(given, CONTEXT)));
  expect({...given.spec, lifecycle: 'Persistent'}).toEqual(spec);
  expect([needsStop, connected, disconnected]).toEqual([[], [], []]);
});

test('a name can be changed, whatever else is odd about the server', () => {
  expect(change(BY_HAND, 'name new').spec).toEqual({...BY_HAND.spec, name: 'new', lifecycle: 'Persistent'});
});

describe('what is refused', () => {
  test.each<[string, Server, string, readonly string[]]>([
    ['another size than the flavor’s', FROM_IMAGE, 'cpu 1000\nmem 512', ['cpu', 'mem', 'smp']],
    ['another drive in place of the image’s', FROM_IMAGE, `block:0 ${uuid(2)}`, ['block:0']],
    ['none in place of the image’s', FROM_IMAGE, 'block:0:0 ', ['block:0:0']],
    ['a drive twice', FROM_IMAGE, `ide:0:1 ${uuid(1)}`, ['ide:0:1']],
    ['a VLAN that is not there', BY_HAND, `nic:1:model e1000\nnic:1:vlan ${uuid(7)}`, ['nic:1:vlan']],
    ['too little power for so many processors', BY_HAND, 'cpu 1100', ['smp']],
  ])('%s', (_name, given, body, keys) => {
    expect(problems(given, body).toSorted()).toEqual(keys);
  });
});

test('what is not named stays: the drive that is gone, the static address', () => {
  const {spec, needsStop, connected} = change(BY_HAND, `block:1 ${uuid(2)}\nnic:0:model e1000\ncpu 8000\n`);
  expect(spec.disks).toEqual([
    {slot: 'ide:0:0', drive: 'gone', media: 'Disk'},
    {slot: 'block:1', drive: 'more', media: 'Disk'},
  ]);
  expect(needsStop).toEqual(['cpu', 'block:1', 'nic:0']);
  expect(connected).toEqual([{slot: 'block:1', key: 'block:1', drive: 'more', driveUuid: uuid(2)}]);
});
