import {describe, expect, test} from '@jest/globals';
import {parseSlot} from './slots.ts';

describe('parseSlot', () => {
  test.each([
    ['ide:0:0', {bus: 'sata', deviceName: 'ide-0-0', serial: 'ide00'}],
    ['ide:1:1', {bus: 'sata', deviceName: 'ide-1-1', serial: 'ide11'}],
    ['block:0', {bus: 'virtio', deviceName: 'block-0', serial: 'blk0'}],
    ['block:12', {bus: 'virtio', deviceName: 'block-12', serial: 'blk12'}],
    ['scsi:0:7', {bus: 'scsi', deviceName: 'scsi-0-7', serial: 'scsi7'}],
  ])('%s', (slot, expected) => {
    expect(parseSlot(slot)).toEqual(expected);
  });

  test.each(['ide:2:0', 'ide:0:2', 'scsi:1:0', 'block:', 'block:100', 'xblock:0', 'block:0x', ''])('refuses %j', (slot) => {
    expect(parseSlot(slot)).toBeUndefined();
  });
});
