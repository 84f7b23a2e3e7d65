import {describe, expect, test} from '@jest/globals';
import {formatReport, inParallel, median, quantile, reached, type Row} from './measure.ts';

describe('quantile', () => {
  test.each([
    {samples: [3, 1, 2], q: 0.5, expected: 2},
    {samples: [4, 1, 3, 2], q: 0.5, expected: 2},
    {samples: [10], q: 0.95, expected: 10},
    {samples: Array.from({length: 100}, (_, i) => i + 1), q: 0.95, expected: 95},
    {samples: [1, 2, 3], q: 0, expected: 1},
    {samples: [1, 2, 3], q: 1, expected: 3},
  ])('q=$q of $samples.length samples', ({samples, q, expected}) => expect(quantile(samples, q)).toBe(expected));

  test('of nothing is not a number', () => expect(median([])).toBeNaN());
});

describe('rows', () => {
  const row = (value: number, goal?: Row['goal']): Row => ({
    name: 'n',
    value,
    unit: 'ratio',
    detail: 'd',
    ...(goal === undefined ? {} : {goal}),
  });
  test.each([
    {row: row(1, {atMost: 1}), expected: true},
    {row: row(1.01, {atMost: 1}), expected: false},
    {row: row(0.8, {atLeast: 0.8}), expected: true},
    {row: row(0.79, {atLeast: 0.8}), expected: false},
    {row: row(Number.NaN, {atMost: 1}), expected: false},
    {row: row(5), expected: undefined},
  ])('$row.value against $row.goal', ({row: each, expected}) => expect(reached(each)).toBe(expected));

  test('a missed goal stands out in the report', () => {
    expect(formatReport([row(2, {atMost: 1})])).toContain('| n | 2.00 | ≤ 1.00 | NO | d |');
  });
});

describe('inParallel', () => {
  test('keeps to its width and does everything', async () => {
    let running = 0;
    let most = 0;
    const done: number[] = [];
    await inParallel([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
      done.push(item);
    });
    expect(most).toBeLessThanOrEqual(3);
    expect(done.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('throws the first failure', async () => {
    await expect(inParallel([1, 2, 3], 1, (item) => (item === 2 ? Promise.reject(new Error('two')) : Promise.resolve()))).rejects.toThrow(
      'two',
    );
  });
});
