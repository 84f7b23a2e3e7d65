/** Slows down guessing: counts wrong credentials per key in fixed windows, in bounded memory. */
import type {Clock} from '../../kube/clock.ts';

/** Limits of a {@link FailureLimiter}. */
export interface FailureLimits {
  /** So many failures in a window are answered; further attempts are refused until it ends. */
  readonly failures: number;
  readonly windowMs: number;
  /** Keys remembered; past it the oldest is forgotten. */
  readonly maxKeys: number;
}

/** Counts failures per key. */
export class FailureLimiter {
  readonly #clock: Clock;
  readonly #limits: FailureLimits;
  /** In order of window start, because a window is only ever inserted at the end. */
  readonly #windows = new Map<string, {readonly endsMs: number; count: number}>();

  constructor(clock: Clock, limits: FailureLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Seconds until the key may try again (at least 1); undefined when it may now. */
  blockedForSeconds(key: string): number | undefined {
    const window = this.#windows.get(key);
    if (window === undefined || window.count < this.#limits.failures) return undefined;
    const leftMs = window.endsMs - this.#clock.monotonicMs();
    return leftMs <= 0 ? undefined : Math.max(1, Math.ceil(leftMs / 1000));
  }

  /** Records one failure. */
  record(key: string): void {
    const nowMs = this.#clock.monotonicMs();
    const window = this.#windows.get(key);
    if (window !== undefined && window.endsMs > nowMs) {
      window.count += 1;
      return;
    }
    this.#windows.delete(key);
    this.#windows.set(key, {endsMs: nowMs + this.#limits.windowMs, count: 1});
    for (const [oldest, {endsMs}] of this.#windows) {
      if (endsMs > nowMs && this.#windows.size <= this.#limits.maxKeys) break;
      this.#windows.delete(oldest);
    }
  }

  /** Keys remembered now. */
  get size(): number {
    return this.#windows.size;
  }
}
