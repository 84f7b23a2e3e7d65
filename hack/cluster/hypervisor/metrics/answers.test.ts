import {describe, expect, test} from '@jest/globals';
import {drivesOf, memoryOf} from './answers.ts';

const stats = {
  rd_bytes: 1,
  wr_bytes: 2,
  rd_operations: 3,
  wr_operations: 4,
  rd_total_time_ns: 5e9,
  wr_total_time_ns: 6e9,
  flush_operations: 7,
  flush_total_time_ns: 8e9,
};
const usage = {readBytes: 1, writtenBytes: 2, reads: 3, writes: 4, readSeconds: 5, writeSeconds: 6, flushes: 7, flushSeconds: 8};

describe('what qemu answers', () => {
  test.each([
    ['a virtio disk', '/machine/peripheral/disk-root/virtio-backend', 'root'],
    ['a disk on IDE', 'disk-data-1', 'data-1'],
    ['a hot-plugged one', '/machine/peripheral/disk-vol-0', 'vol-0'],
  ])('%s', (_name, qdev, name) => {
    expect(drivesOf([{device: '', qdev, stats}])).toEqual([{name, ...usage}]);
  });

  test('devices of no disk, empty drives and other answers', () => {
    expect(drivesOf([{device: 'pflash0', qdev: '/machine/system.flash0', stats}, {device: ''}])).toEqual([]);
    expect(drivesOf([{qdev: 'disk-cd'}])).toMatchObject([{name: 'cd', readBytes: 0, flushSeconds: 0}]);
    expect(drivesOf(undefined)).toEqual([]);
  });

  test('memory, as far as the guest tells', () => {
    const told =
      '{"stats": {"stat-total-memory": 118743040, "stat-free-memory": 1024, "stat-swap-in": 18446744073709551615}, "last-update": 1}';
    expect(memoryOf(JSON.parse(told))).toEqual({available: 118_743_040, unused: 1024});
    expect(memoryOf(JSON.parse('{"stats": {"stat-total-memory": 18446744073709551615}, "last-update": 0}'))).toEqual({});
    expect(memoryOf(undefined)).toEqual({});
  });
});
