import {describe, expect, test} from '@jest/globals';
import type {Image, Server} from '../../../crds/index.ts';
import {needsSeed} from './phases/boot-data.ts';
import {rootDriveBytes} from './phases/drives.ts';
import {bootOrderOf} from './phases/machine.ts';
import {wantedDisks, wantedNics} from './scope.ts';

const server = (spec: object): Server =>
  ({metadata: {name: 'web', namespace: 'acct-demo'}, spec: {name: 'web', ...spec}}) as unknown as Server;
const disk = (slot: string, claimName = slot) => ({slot, claimName, media: 'Disk', shared: false}) as const;

describe('drives', () => {
  const slots = (spec: object) => wantedDisks(server(spec)).map(({slot, drive, root}) => `${slot}=${drive}${root ? ' (root)' : ''}`);
  test.each<[string, object, string[]]>([
    ['none', {}, []],
    ['an image makes a root drive', {image: {name: 'i'}}, ['block:0=web-root (root)']],
    ['unless its slot is taken', {image: {name: 'i'}, disks: [{slot: 'block:0', drive: 'mine'}]}, ['block:0=mine']],
    [
      'slots in their order, numbers as numbers',
      {
        disks: [
          {slot: 'block:10', drive: 'c'},
          {slot: 'ide:0:1', drive: 'd'},
          {slot: 'block:2', drive: 'b'},
        ],
      },
      ['block:2=b', 'block:10=c', 'ide:0:1=d'],
    ],
    ['the root drive before all', {image: {name: 'i'}, disks: [{slot: 'block:1', drive: 'a'}]}, ['block:0=web-root (root)', 'block:1=a']],
  ])('%s', (_name, spec, expected) => {
    expect(slots(spec)).toEqual(expected);
  });
});

test('NICs: none given means one on the public network; an empty list means none', () => {
  const auto = {index: 0, network: 'basalt-system/public', model: 'virtio', macAddress: undefined, addressing: 'Auto', address: undefined};
  expect(wantedNics(server({}), 'basalt-system')).toEqual([auto]);
  expect(wantedNics(server({nics: []}), 'basalt-system')).toEqual([]);
  expect(
    wantedNics(
      server({nics: [{index: 0}, {index: 1, network: {name: 'lan'}, model: 'e1000', addressing: 'Static', address: '10.0.0.2'}]}),
      'basalt-system',
    ),
  ).toEqual([auto, {index: 1, network: 'acct-demo/lan', model: 'e1000', macAddress: undefined, addressing: 'Static', address: '10.0.0.2'}]);
});

test.each<[string, readonly string[] | undefined, readonly ReturnType<typeof disk>[], readonly string[]]>([
  ['as wanted', ['ide:1:0', 'block:0'], [disk('block:0')], ['ide:1:0', 'block:0']],
  ['else the root slot', undefined, [disk('ide:0:0'), disk('block:0')], ['block:0']],
  ['else the first slot with a drive', [], [disk('ide:0:1'), disk('ide:1:0')], ['ide:0:1']],
  ['else nothing', undefined, [], []],
])('boot order: %s', (_name, wanted, disks, expected) => {
  expect(bootOrderOf(wanted, disks)).toEqual(expected);
});

test.each<[string, object, number | undefined, object | undefined, number]>([
  ['the spec', {rootDisk: {sizeGiB: 5}}, 3, {status: {sizeBytes: 7}}, 5 * 1024 ** 3],
  ['else the flavor', {}, 3, {status: {sizeBytes: 7}}, 3 * 1024 ** 3],
  ['else the image, for a flavor of 0', {}, 0, {status: {sizeBytes: 7}}, 7],
  ['else what the image will be', {}, undefined, {spec: {sizeBytes: 9}}, 9],
  ['else 1 GiB', {}, undefined, undefined, 1024 ** 3],
])('size of the root drive: %s', (_name, spec, diskGiB, image, bytes) => {
  const scope = {server: server(spec), image: image === undefined ? undefined : ({spec: {}, ...image} as unknown as Image)};
  expect(rootDriveBytes(scope, diskGiB === undefined ? undefined : {diskGiB})).toBe(bytes);
});

test.each<[object, boolean]>([
  [{}, false],
  [{disks: [{slot: 'ide:0:0', drive: 'd'}]}, false],
  [{image: {name: 'i'}}, true],
  [{keyPairs: ['k']}, true],
  [{bootSecret: {name: 'b'}}, true],
  [{personality: []}, false],
])('a seed for %j: %s', (spec, expected) => {
  expect(needsSeed(server(spec))).toBe(expected);
});
