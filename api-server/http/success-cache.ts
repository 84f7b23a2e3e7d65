/**
 * Remembers successful password checks, because one costs tens of milliseconds of CPU by design. Keys are HMACs under a key that never
 * leaves the process, so a heap dump shows no password; an entry holds only as long as the stored hash it was checked against.
 */
import {createHmac, randomBytes} from 'node:crypto';
import type {Clock} from '../../kube/clock.ts';

/** Bounds of a {@link SuccessCache}. */
export interface SuccessCacheLimits {
  readonly ttlMs: number;
  readonly maxEntries: number;
}

/** Bounded least-recently-used cache of (user, password) that matched a stored hash. */
export class SuccessCache {
  readonly #clock: Clock;
  readonly #limits: SuccessCacheLimits;
  readonly #key = randomBytes(32);
  readonly #entries = new Map<string, {readonly storedHash: string; readonly expiresMs: number}>();

  constructor(clock: Clock, limits: SuccessCacheLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Key of a pair of credentials. */
  keyOf(user: string, password: string): string {
    return createHmac('sha256', this.#key).update(user).update('\0').update(password).digest('base64');
  }

  /** Whether the pair was found to match exactly this stored hash, not too long ago. */
  has(key: string, storedHash: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#entries.delete(key);
    if (entry.storedHash !== storedHash || entry.expiresMs <= this.#clock.monotonicMs()) return false;
    this.#entries.set(key, entry);
    return true;
  }

  /** Remembers a match. */
  add(key: string, storedHash: string): void {
    this.#entries.delete(key);
    this.#entries.set(key, {storedHash, expiresMs: this.#clock.monotonicMs() + this.#limits.ttlMs});
    const oldest = this.#entries.keys().next().value;
    if (this.#entries.size > this.#limits.maxEntries && oldest !== undefined) this.#entries.delete(oldest);
  }

  /** Entries now. */
  get size(): number {
    return this.#entries.size;
  }
}
