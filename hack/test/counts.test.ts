import {describe, expect, test} from '@jest/globals';
import {addCounts, countsOfJest, formatCounts} from './counts.ts';

describe('counts of a jest run', () => {
  test.each([
    {name: 'all passed', results: {numPassedTests: 7}, exitCode: 0, expected: {passed: 7, failed: 0, skipped: 0}},
    {name: 'some failed', results: {numPassedTests: 5, numFailedTests: 2}, exitCode: 1, expected: {passed: 5, failed: 2, skipped: 0}},
    {
      name: 'pending and todo are skipped',
      results: {numPassedTests: 1, numPendingTests: 2, numTodoTests: 1},
      exitCode: 0,
      expected: {passed: 1, failed: 0, skipped: 3},
    },
    {
      name: 'a file that could not run fails',
      results: {numPassedTests: 3, numRuntimeErrorTestSuites: 1},
      exitCode: 1,
      expected: {passed: 3, failed: 1, skipped: 0},
    },
    {
      name: 'non-zero exit without a failed test fails',
      results: {numPassedTests: 3},
      exitCode: 1,
      expected: {passed: 3, failed: 1, skipped: 0},
    },
    {name: 'nothing executed fails', results: {numPassedTests: 0}, exitCode: 0, expected: {passed: 0, failed: 1, skipped: 0}},
    {
      name: 'only skipped tests fail',
      results: {numPassedTests: 0, numPendingTests: 4},
      exitCode: 0,
      expected: {passed: 0, failed: 1, skipped: 4},
    },
    {name: 'unreadable results fail', results: {numPassedTests: 'many'}, exitCode: 0, expected: {passed: 0, failed: 1, skipped: 0}},
  ])('$name', ({results, exitCode, expected}) => {
    expect(countsOfJest(results, exitCode)).toEqual(expected);
  });

  test('sums and prints the closing line', () => {
    const sum = addCounts([
      {passed: 1, failed: 0, skipped: 2},
      {passed: 3, failed: 1, skipped: 0},
    ]);
    expect(formatCounts(sum)).toBe('4 passed, 1 failed, 2 skipped');
  });
});
