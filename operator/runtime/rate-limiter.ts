/**
 * How long a failed key waits. Two limits, the longer one wins:
 * - per key, exponential: 5 ms · 2ⁿ, capped at 5 min, ±10 %. Failures 1…8 wait 5, 10, 20, 40, 80, 160, 320, 640 ms (1.3 s in all); the
 *   17th and all later ones wait 5 min. So a stale cache or a conflict costs nothing, and a broken object one run every five minutes.
 * - over all keys, a token bucket: when everything fails at once (the API server is down), retries come at 100/s after a burst of 500.
 */
import type {Clock} from '../../kube/clock.ts';

/** Tuning of {@link createRateLimiter}. */
export interface RateLimiterOptions {
  readonly clock: Clock;
  /** Wait after the first failure, in milliseconds. Default 5. */
  readonly baseDelayMs?: number;
  /** Longest wait of one key, in milliseconds. Default 300,000. */
  readonly maxDelayMs?: number;
  /** Share by which a wait is jittered, both ways. Default 0.1. */
  readonly jitter?: number;
  /** Retries per second over all keys. Default 100. */
  readonly retriesPerSecond?: number;
  /** Retries that need no token at the start. Default 500. */
  readonly burst?: number;
  /** Uniform in [0, 1). Default Math.random. */
  readonly random?: () => number;
}

/** Decides the wait of retries. Holds one number per key that is failing now. */
export interface RateLimiter {
  /** Counts a failure of `key` and says how many milliseconds its retry must wait. */
  delayMs(key: string): number;
  /** The key succeeded, or is gone. */
  forget(key: string): void;
  /** Failures in a row. */
  failures(key: string): number;
}

/** Makes a rate limiter (see the top of this file for the arithmetic). */
export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  const {clock, baseDelayMs = 5, maxDelayMs = 300_000, jitter = 0.1, retriesPerSecond = 100, burst = 500, random = Math.random} = options;
  const failures = new Map<string, number>();
  let tokens = burst;
  let refilledAt = clock.monotonicMs();

  /** Takes a token, into debt when there is none: debt is what makes later callers wait longer. */
  const reserveMs = (): number => {
    const now = clock.monotonicMs();
    tokens = Math.min(burst, tokens + ((now - refilledAt) / 1000) * retriesPerSecond);
    refilledAt = now;
    tokens -= 1;
    return tokens >= 0 ? 0 : (-tokens / retriesPerSecond) * 1000;
  };

  return {
    delayMs(key) {
      const before = failures.get(key) ?? 0;
      failures.set(key, before + 1);
      const exponential = Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(before, 30));
      return Math.max(exponential * (1 + jitter * (2 * random() - 1)), reserveMs());
    },
    forget: (key) => void failures.delete(key),
    failures: (key) => failures.get(key) ?? 0,
  };
}
