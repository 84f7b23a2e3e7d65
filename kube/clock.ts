/** Time as a dependency: logic never reads the system's clock or sets a timer itself, so tests advance time instead of waiting. */

/** A source of time. `kube/testing/fake-clock.ts` has the one for tests. */
export interface Clock {
  /** Wall clock in milliseconds since the epoch: for stamps that leave the process, never for durations. */
  now(): number;
  /** Milliseconds that only grow: for durations and deadlines. */
  monotonicMs(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `fn` once after `ms` milliseconds. Returns the function that cancels it. */
  setTimer(ms: number, fn: () => void): () => void;
}

/** setTimeout fires at once above this, about 24.8 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Builds `sleep` from `setTimer`, for implementations of {@link Clock}. */
export function sleepWith(setTimer: Clock['setTimer'], ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason as Error);
    };
    const cancel = setTimer(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, {once: true});
  });
}

const setTimer = (ms: number, fn: () => void): (() => void) => {
  const timer = setTimeout(fn, Math.min(Math.max(0, ms), LONGEST_TIMER_MS));
  return () => clearTimeout(timer);
};

/** The machine's clock. Its timers keep the process alive until they fire or are cancelled. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => sleepWith(setTimer, ms, signal),
  setTimer,
};
