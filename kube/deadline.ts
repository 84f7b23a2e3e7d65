/** A signal that aborts when a caller's does or when time is up, and leaves nothing behind when the work is done. */
import type {Clock} from './clock.ts';

/** A running deadline. Call `done` when the work has ended. */
export interface Deadline {
  readonly signal: AbortSignal;
  done(): void;
}

/**
 * Like `AbortSignal.any([signal, AbortSignal.timeout(ms)])`, but over the injected clock, with a reason of one's own for the timeout,
 * and without anything that stays registered on a long-lived signal.
 */
export function startDeadline(clock: Clock, timeoutMs: number, signal: AbortSignal | undefined, reason: () => Error): Deadline {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal?.reason);
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener('abort', onAbort, {once: true});
  const cancel = clock.setTimer(timeoutMs, () => controller.abort(reason()));
  return {
    signal: controller.signal,
    done() {
      cancel();
      signal?.removeEventListener('abort', onAbort);
    },
  };
}
