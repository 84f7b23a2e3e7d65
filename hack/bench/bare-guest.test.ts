import {expect, test} from '@jest/globals';
import {bareArguments} from './bare-guest.ts';

test('the same command with files of its own, and a user network in place of the cluster’s', () => {
  const args = [
    ...['-qmp', 'unix:/c/guests/u-bm/s/qmp,server=on', '-netdev', 'hubport,id=h0,hubid=0', '-netdev', 'dgram,id=net0,local.port=1'],
    ...['-device', 'virtio-net-pci,netdev=net0', '-blockdev', '{"filename":"/pv/a/disk.img"}', '-m', '128'],
  ];
  const bare = {args, runFolder: '/c/guests/u-bm', disk: {original: '/pv/a/disk.img', copy: '/tmp/pristine'}};
  expect(bareArguments(bare, '/tmp/b', '/tmp/b/disk.img')).toEqual([
    ...['-qmp', 'unix:/tmp/b/s/qmp,server=on', '-netdev', 'user,id=net0,restrict=on'],
    ...['-device', 'virtio-net-pci,netdev=net0', '-blockdev', '{"filename":"/tmp/b/disk.img"}', '-m', '128'],
  ]);
});
