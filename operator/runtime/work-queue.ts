/**
 * A queue of keys with client-go's semantics: a key is in it at most once; a key is worked on by one worker at a time, ever; a key
 * added while it is worked on is worked on once more afterwards. On top of that, two priorities: a person's change overtakes the
 * start-up list and resyncs.
 */
import type {Clock} from '../../kube/clock.ts';
import type {RateLimiter} from './rate-limiter.ts';

/** `high`: something changed; `low`: the start-up list, a resync. */
export type Priority = 'high' | 'low';

/** What the queue reports; see metrics.ts. Times in milliseconds. */
export interface QueueMetrics {
  added(): void;
  /** A worker took a key that waited for so long. */
  taken(waitedMs: number): void;
  /** A worker finished a key after so long. */
  finished(workedMs: number): void;
  retried(): void;
}

/** Options of {@link createWorkQueue}. */
export interface WorkQueueOptions {
  readonly clock: Clock;
  readonly limiter: RateLimiter;
  readonly metrics?: QueueMetrics;
}

/** A queue of keys. All methods but `get` are synchronous and never throw. */
export interface WorkQueue {
  add(key: string, priority?: Priority): void;
  /** Adds the key after `delayMs`; of several pending requests for a key the earliest stands. */
  addAfter(key: string, delayMs: number, priority?: Priority): void;
  /** Adds the key after the wait that its failures have earned. Returns that wait in milliseconds. */
  addRateLimited(key: string): number;
  /** The key succeeded or is gone: its next failure starts from the shortest wait. */
  forget(key: string): void;
  /** The next key, oldest first within a priority; `undefined` once the queue is closed. Every key must be given back by `done`. */
  get(): Promise<string | undefined>;
  done(key: string): void;
  /** Hands out no more keys and drops what waits. Keys being worked on may still be given back. */
  close(): void;
  /** Keys ready to be taken. */
  readonly depth: number;
  /** Keys being worked on, each with the monotonic time in milliseconds at which it was taken. */
  readonly active: ReadonlyMap<string, number>;
}

/** Makes an empty, open queue. */
export function createWorkQueue({clock, limiter, metrics}: WorkQueueOptions): WorkQueue {
  // Sets keep insertion order, so each is a FIFO from which any key can be taken out in constant time.
  const ready: Record<Priority, Map<string, number>> = {high: new Map(), low: new Map()};
  const active = new Map<string, number>();
  const dirty = new Map<string, Priority>(); // added while active
  const delayed = new Map<string, {readonly at: number; readonly cancel: () => void; readonly priority: Priority}>();
  const waiting: ((key: string | undefined) => void)[] = [];
  let closed = false;

  const take = (): string | undefined => {
    for (const queue of [ready.high, ready.low]) {
      const first = queue.entries().next();
      if (first.done === true) continue;
      const [key, addedAt] = first.value;
      queue.delete(key);
      const now = clock.monotonicMs();
      active.set(key, now);
      metrics?.taken(now - addedAt);
      return key;
    }
    return undefined;
  };

  const wake = (): void => {
    const worker = waiting.shift();
    if (worker === undefined) return;
    const key = take();
    if (key === undefined) waiting.unshift(worker);
    else worker(key);
  };

  const enqueue = (key: string, priority: Priority): void => {
    if (ready.high.has(key)) return;
    if (ready.low.has(key)) {
      if (priority === 'low') return;
      const addedAt = ready.low.get(key) ?? clock.monotonicMs();
      ready.low.delete(key); // promoted; it keeps its age
      ready.high.set(key, addedAt);
      return;
    }
    ready[priority].set(key, clock.monotonicMs());
    wake();
  };

  const add = (key: string, priority: Priority = 'high'): void => {
    if (closed) return;
    if (active.has(key)) {
      if (!dirty.has(key)) metrics?.added();
      if (dirty.get(key) !== 'high') dirty.set(key, priority);
      return;
    }
    if (!ready.high.has(key) && !ready.low.has(key)) metrics?.added();
    enqueue(key, priority);
  };

  const addAfter = (key: string, delayMs: number, priority: Priority = 'high'): void => {
    if (closed) return;
    if (delayMs <= 0) return add(key, priority);
    const at = clock.monotonicMs() + delayMs;
    const pending = delayed.get(key);
    if (pending !== undefined) {
      if (pending.at <= at) return;
      pending.cancel();
    }
    const cancel = clock.setTimer(delayMs, () => {
      delayed.delete(key);
      add(key, priority);
    });
    delayed.set(key, {at, cancel, priority});
  };

  return {
    add,
    addAfter,
    addRateLimited(key) {
      const delayMs = limiter.delayMs(key);
      metrics?.retried();
      addAfter(key, delayMs);
      return delayMs;
    },
    forget: (key) => limiter.forget(key),
    get() {
      if (closed) return Promise.resolve(undefined);
      const key = take();
      if (key !== undefined) return Promise.resolve(key);
      return new Promise((resolve) => waiting.push(resolve));
    },
    done(key) {
      const takenAt = active.get(key);
      if (takenAt === undefined) return;
      active.delete(key);
      metrics?.finished(clock.monotonicMs() - takenAt);
      const priority = dirty.get(key);
      dirty.delete(key);
      if (priority !== undefined && !closed) enqueue(key, priority);
    },
    close() {
      closed = true;
      for (const {cancel} of delayed.values()) cancel();
      delayed.clear();
      ready.high.clear();
      ready.low.clear();
      dirty.clear();
      for (const worker of waiting.splice(0)) worker(undefined);
    },
    get depth() {
      return ready.high.size + ready.low.size;
    },
    get active() {
      return active;
    },
  };
}
