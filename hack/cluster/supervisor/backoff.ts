/** When a process that ended is started again. */

/** First pause; a control plane whose apiserver was killed is back in about 2.5 s with it. */
const FIRST_MS = 250;
/** Longest pause: with it, a program that never starts costs one start per 5 s. */
const LONGEST_MS = 5_000;
/** A process that ran so long is healthy: its next end counts as the first. */
const HEALTHY_MS = 10_000;

/** Ends in a row, counting this one, after a run of `uptimeMs`. */
export function countFailures(before: number, uptimeMs: number): number {
  return uptimeMs >= HEALTHY_MS ? 1 : before + 1;
}

/** The pause before the next start: 250, 500, 1000, 2000, 4000, then 5000 ms. */
export function restartDelayMs(failures: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
}
