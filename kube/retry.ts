/** Which failed calls are worth sending again, and when. Pure. */
import type {ApiError} from './errors.ts';
import {neverSent} from './status-error.ts';

/** How often and how patiently. */
export interface RetryPolicy {
  /** Tries after the first one. */
  readonly maxRetries: number;
  /** Wait before the first of them, in milliseconds; doubled each time. */
  readonly baseMs: number;
  /** No wait is longer, in milliseconds; a server that asks for more gets its error handed to the caller. */
  readonly capMs: number;
}

/** Waits of about 0.1, 0.2, 0.4, 0.8 s without `Retry-After`: 1.5 s in all at most; with it at most 5 × 10 s, and never beyond the call's deadline. */
export const DEFAULT_RETRY: RetryPolicy = {maxRetries: 4, baseMs: 100, capMs: 10_000};

/** Why a call is sent again. */
export type RetryCause = '429' | '503' | 'connection';

/**
 * The wait before the next try, or undefined when the error belongs to the caller. 429 is retried for any verb (the server did nothing),
 * 503 where it says when to come back, a lost connection for idempotent calls or where the request cannot have left.
 * `retriesDone` counts from 0; `random` yields [0, 1).
 */
export function retryDelay(
  error: ApiError,
  idempotent: boolean,
  retriesDone: number,
  policy: RetryPolicy,
  random: () => number,
): {readonly delayMs: number; readonly cause: RetryCause} | undefined {
  if (retriesDone >= policy.maxRetries) return undefined;
  const cause = causeOf(error, idempotent);
  if (cause === undefined) return undefined;
  if (error.retryAfterMs !== undefined) {
    if (error.retryAfterMs > policy.capMs) return undefined;
    // Up to a tenth later than told, so that those who were turned away together do not come back together.
    return {delayMs: error.retryAfterMs * (1 + random() / 10), cause};
  }
  return {delayMs: backoffMs(retriesDone, policy, random), cause};
}

/** Half to all of `base · 2^retries`, capped. */
export function backoffMs(retriesDone: number, policy: Pick<RetryPolicy, 'baseMs' | 'capMs'>, random: () => number): number {
  return Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(retriesDone, 40)) * (0.5 + random() / 2);
}

function causeOf(error: ApiError, idempotent: boolean): RetryCause | undefined {
  if (error.status === 429) return '429';
  if (error.status === 503 && error.retryAfterMs !== undefined) return '503';
  if (error.status === 0 && error.reason === 'ConnectionError' && (idempotent || neverSent(error))) return 'connection';
  return undefined;
}
