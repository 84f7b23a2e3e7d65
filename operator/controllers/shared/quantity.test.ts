import {describe, expect, test} from '@jest/globals';
import {bytesOf, cpuMilliOf, parseQuantity} from './quantity.ts';
import {sumOf, totals, totalsOfResources, without} from './totals.ts';

test.each([
  ['4', 4],
  ['500m', 0.5],
  ['1.5', 1.5],
  ['1e3', 1000],
  ['1E3', 1000],
  ['2E', 2e18],
  ['16Gi', 16 * 2 ** 30],
  ['100k', 100_000],
  ['.5', 0.5],
  [110, 110],
])('quantity %p is %d', (text, value) => {
  expect(parseQuantity(text)).toBeCloseTo(value, 9);
});

test.each(['', 'x', '1 Gi', '1gi', '0x10', '1GiB'])('%p is not a quantity', (text) => {
  expect(() => parseQuantity(text)).toThrow(SyntaxError);
});

test.each([
  ['100m', 100],
  ['1', 1000],
  ['0.1', 100],
  ['0.0001', 1],
  [undefined, 0],
])('cpu %p is %d thousandths', (text, milli) => {
  expect(cpuMilliOf(text)).toBe(milli);
});

test('memory is bytes', () => {
  expect([bytesOf('1Ki'), bytesOf(undefined), bytesOf('1500m')]).toEqual([1024, 0, 2]);
});

describe('totals', () => {
  test('whole cores are rounded down, MiB too', () => {
    expect(totalsOfResources({cpu: '3900m', memory: '1048577Ki'})).toEqual({cpuCores: 3, cpuMilli: 3900, memoryMiB: 1024});
  });
  test('absent amounts add nothing', () => {
    expect(sumOf([totals(1500, 10), undefined, {memoryMiB: 5}])).toEqual({cpuCores: 1, cpuMilli: 1500, memoryMiB: 15});
  });
  test('nothing is ever less than nothing', () => {
    expect(without(totals(1000, 10), totals(2000, 4))).toEqual({cpuCores: 0, cpuMilli: 0, memoryMiB: 6});
  });
});
