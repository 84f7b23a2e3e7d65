import {describe, expect, test} from '@jest/globals';
import {compareSlots, isBadDeviceKey, parseDevice, parseDeviceKey} from './devices.ts';

describe('device keys', () => {
  test.each([
    ['ide:0:0', 'ide:0:0', 'drive'],
    ['ide:1:1:media', 'ide:1:1', 'media'],
    ['block:7', 'block:7', 'drive'],
    ['block:0:7', 'block:7', 'drive'],
    ['block:0:1:media', 'block:1', 'media'],
    ['block:0', 'block:0', 'drive'],
    ['scsi:0:3', 'scsi:0:3', 'drive'],
  ])('%s', (key, slot, property) => {
    expect(parseDeviceKey(key)).toEqual({slot, property});
    expect(isBadDeviceKey(key)).toBe(false);
  });

  test.each(['ide:2:0', 'ide:0:2', 'block:8', 'scsi:1:0', 'ide:0', 'block:1:2:media'])('%s does not exist', (key) => {
    expect(parseDeviceKey(key)).toBeUndefined();
    expect(isBadDeviceKey(key)).toBe(true);
  });

  test.each(['ide:0:0:read:bytes', 'name', 'nic:0:model', 'idea', 'boot'])('%s is something else', (key) => {
    expect(parseDeviceKey(key)).toBeUndefined();
    expect(isBadDeviceKey(key)).toBe(false);
  });

  test('boot takes devices, not their properties', () => {
    expect(parseDevice('ide:0:0')).toBe('ide:0:0');
    expect(parseDevice('ide:0:0:media')).toBeUndefined();
    expect(parseDevice('network')).toBeUndefined();
  });

  test('order', () => {
    expect(['scsi:0:0', 'block:1', 'block:0', 'ide:1:0', 'ide:0:1'].toSorted(compareSlots)).toEqual([
      'ide:0:1',
      'ide:1:0',
      'block:0',
      'block:1',
      'scsi:0:0',
    ]);
  });
});
