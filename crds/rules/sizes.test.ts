import {describe, expect, test} from '@jest/globals';
import fc from 'fast-check';
import {coresForMhz, formatBytes, mebibytesFor, roundUpToMiB} from './sizes.ts';

describe('sizes', () => {
  test.each([
    [0, '0'],
    [1023, '1023'],
    [1024, '1Ki'],
    [1_610_612_736, '1.5Gi'],
    [10_737_418_240, '10Gi'],
    [2 ** 40 * 64, '64Ti'],
    [1_073_741_825, '1Gi'],
  ])('formatBytes(%s) is %s', (bytes, expected) => {
    expect(formatBytes(bytes)).toBe(expected);
  });

  test('storage is never smaller than what was asked for, and by less than a MiB larger', () => {
    fc.assert(
      fc.property(fc.integer({min: 1, max: 2 ** 46}), (bytes) => {
        const rounded = roundUpToMiB(bytes);
        expect(rounded % 1_048_576).toBe(0);
        expect(rounded - bytes).toBeGreaterThanOrEqual(0);
        expect(rounded - bytes).toBeLessThan(1_048_576);
      }),
    );
    expect([1, 1_048_576, 1_048_577].map(mebibytesFor)).toEqual([1, 1, 2]);
  });

  test.each([
    [100, 1],
    [2200, 1],
    [2201, 2],
    [22_000, 10],
  ])('%s MHz are %s cores', (mhz, cores) => {
    expect(coresForMhz(mhz)).toBe(cores);
  });
});
