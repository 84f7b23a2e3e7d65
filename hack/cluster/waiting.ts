/** Waiting with a deadline. Every wait of the local cluster goes through here, so every one has an end and a name. */
import {setTimeout as sleep} from 'node:timers/promises';

/** A wait that reached its deadline; `what` was waited for, `last` is the last reason why not yet. */
export class DeadlineError extends Error {
  readonly what: string;

  constructor(what: string, deadlineMs: number, last: string) {
    super(`${what}: not there after ${Math.round(deadlineMs / 1000)} s${last === '' ? '' : ` (${last})`}`);
    this.name = 'DeadlineError';
    this.what = what;
  }
}

/** Options of {@link waitFor}. */
export interface WaitOptions {
  /** Words for the error: "kube-apiserver ready". */
  readonly what: string;
  /** @default 60_000 */
  readonly deadlineMs?: number;
  /** Pause between two looks. @default 50 */
  readonly intervalMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Looks until the probe returns undefined (there); a string is the reason why not yet. An error thrown by the probe ends the wait: what
 * should be retried is returned as a reason.
 * @throws DeadlineError past the deadline; the signal's reason when aborted.
 */
export async function waitFor(probe: () => Promise<string | undefined>, options: WaitOptions): Promise<void> {
  const deadlineMs = options.deadlineMs ?? 60_000;
  const end = performance.now() + deadlineMs;
  let last = '';
  while (performance.now() < end) {
    options.signal?.throwIfAborted();
    const reason = await probe();
    if (reason === undefined) return;
    last = reason;
    await sleep(options.intervalMs ?? 50, undefined, options.signal === undefined ? {} : {signal: options.signal});
  }
  throw new DeadlineError(options.what, deadlineMs, last);
}

/** Runs the function over all items, at most `limit` at a time; the first error ends it once running calls are done. */
export async function forEachLimited<T>(items: readonly T[], limit: number, run: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  let failed = false;
  const worker = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const item = items[next++] as T;
      try {
        await run(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled(Array.from({length: Math.min(limit, items.length)}, worker));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
