/** Adds up what the suites say of themselves. */

/** Tests by outcome. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface JestResults {
  readonly numPassedTests?: unknown;
  readonly numFailedTests?: unknown;
  readonly numPendingTests?: unknown;
  readonly numTodoTests?: unknown;
  readonly numRuntimeErrorTestSuites?: unknown;
}

const number = (value: unknown): number => (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0);

/**
 * Counts of a jest run from its JSON results. A test file that could not run counts as one failure, and so does a run that exited
 * non-zero without naming a failed test, or that executed nothing: none of these may look like success.
 */
export function countsOfJest(results: JestResults, exitCode: number): Counts {
  const passed = number(results.numPassedTests);
  const skipped = number(results.numPendingTests) + number(results.numTodoTests);
  const failed = number(results.numFailedTests) + number(results.numRuntimeErrorTestSuites);
  const silentFailure = failed === 0 && (exitCode !== 0 || passed === 0);
  return {passed, failed: silentFailure ? 1 : failed, skipped};
}

/** The sum of several counts. */
export function addCounts(all: readonly Counts[]): Counts {
  return all.reduce(
    (sum, each) => ({passed: sum.passed + each.passed, failed: sum.failed + each.failed, skipped: sum.skipped + each.skipped}),
    {passed: 0, failed: 0, skipped: 0},
  );
}

/** The closing line that CI reads. */
export function formatCounts(counts: Counts): string {
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
}
