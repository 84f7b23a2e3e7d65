/**
 * Per-object serialised work: any number of keys in parallel (up to `workers`), one worker per key. A key that is added while it is
 * worked on runs once more afterwards, so the newest state is always looked at.
 */
import type {Clock} from '../../../kube/clock.ts';
import type {Logger} from '../../../kube/log.ts';

/** What a run asks for: nothing, or to be run again after some milliseconds even if nothing happens. */
export type RunResult = void | {readonly againInMs: number};

/** Options of {@link createKeyedQueue}. */
export interface KeyedQueueOptions {
  readonly name: string;
  /** Keys worked on at once. */
  readonly workers: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Looks at one key. A rejection is logged and retried: 50 ms, doubled each time, 10 s at most, reset by a success. */
  readonly run: (key: string, signal: AbortSignal) => Promise<RunResult>;
}

/** A running queue. */
export interface KeyedQueue {
  add(key: string): void;
  /** Adds the key later; the earliest of several times counts. */
  addAfter(key: string, ms: number): void;
  /** Takes no more work, aborts what runs through its signal and resolves when all of it has ended. */
  stop(): Promise<void>;
  /** Keys waiting or being worked on. */
  readonly depth: number;
}

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 10_000;

/** Creates a queue that works at once. */
export function createKeyedQueue(options: KeyedQueueOptions): KeyedQueue {
  const {clock, log, name} = options;
  const waiting = new Set<string>(); // insertion order is the queue
  const active = new Map<string, Promise<void>>();
  const dirty = new Set<string>();
  const failures = new Map<string, number>();
  const timers = new Map<string, {readonly at: number; readonly cancel: () => void}>();
  const abort = new AbortController();

  const add = (key: string): void => {
    if (abort.signal.aborted) return;
    if (active.has(key)) {
      dirty.add(key);
      return;
    }
    waiting.add(key);
    pump();
  };

  const addAfter = (key: string, ms: number): void => {
    if (abort.signal.aborted) return;
    const at = clock.monotonicMs() + ms;
    const present = timers.get(key);
    if (present !== undefined) {
      if (present.at <= at) return;
      present.cancel();
    }
    const cancel = clock.setTimer(ms, () => {
      timers.delete(key);
      add(key);
    });
    timers.set(key, {at, cancel});
  };

  const pump = (): void => {
    for (const key of waiting) {
      if (active.size >= options.workers) return;
      waiting.delete(key);
      active.set(key, work(key));
    }
  };

  const work = async (key: string): Promise<void> => {
    await Promise.resolve(); // `active` has the key before the run can add it again
    try {
      const result = await options.run(key, abort.signal);
      failures.delete(key);
      if (result !== undefined) addAfter(key, result.againInMs);
    } catch (error) {
      if (!abort.signal.aborted) {
        const count = failures.get(key) ?? 0;
        failures.set(key, count + 1);
        const waitMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(count, 16));
        log.warn({queue: name, key, waitMs, err: error}, 'will be tried again');
        addAfter(key, waitMs);
      }
    } finally {
      active.delete(key);
      if (dirty.delete(key)) add(key);
      if (!abort.signal.aborted) pump();
    }
  };

  return {
    add,
    addAfter,
    async stop() {
      abort.abort(new Error(`queue ${name} is stopping`));
      for (const timer of timers.values()) timer.cancel();
      timers.clear();
      waiting.clear();
      await Promise.all(active.values());
    },
    get depth() {
      return waiting.size + active.size;
    },
  };
}
