/**
 * Which changes of a status are worth a write at once, and which may wait for company. While a server is built, a dozen conditions come
 * true within a second; each alone would be a write, an event for every watcher, and news to nobody.
 */
import {sameJson} from './same-json.ts';

/** How long a change that can wait waits at most, in milliseconds. */
export const PATIENCE_MS = 2_000;

/** Remembers since when the status of an object differs from what is stored. One per controller. */
export class Pace<S> {
  readonly #since = new Map<string, number>();
  readonly #isPressing: (before: S | undefined, after: S) => boolean;

  /** `isPressing`: what clients wait for, or what must survive a crash of ours. */
  constructor(isPressing: (before: S | undefined, after: S) => boolean) {
    this.#isPressing = isPressing;
  }

  /** 0: write now. Else: look again after so many milliseconds. `monotonicMs` is a clock that only grows. */
  delayMs(key: string, before: S | undefined, after: S, monotonicMs: number): number {
    if (this.#isPressing(before, after) || sameJson(before, after)) {
      this.#since.delete(key);
      return 0;
    }
    const since = this.#since.get(key) ?? monotonicMs;
    this.#since.set(key, since);
    const left = since + PATIENCE_MS - monotonicMs;
    if (left > 0) return left;
    this.#since.delete(key);
    return 0;
  }

  /** Forgets an object that is gone. */
  forget(key: string): void {
    this.#since.delete(key);
  }
}
