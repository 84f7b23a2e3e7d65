/** A clock that stands still until a test advances it. */
import {sleepWith} from '../clock.ts';
import type {Clock} from '../clock.ts';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly fn: () => void;
}

/** See the top of this file. `now()` starts at 2026-01-01T00:00:00Z unless told otherwise, `monotonicMs()` at 0. */
export class FakeClock implements Clock {
  #elapsedMs = 0;
  #order = 0;
  readonly #startMs: number;
  readonly #timers = new Set<Timer>();

  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#startMs = startMs;
  }

  now(): number {
    return this.#startMs + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepWith((delay, fn) => this.setTimer(delay, fn), ms, signal);
  }

  setTimer(ms: number, fn: () => void): () => void {
    const timer = {atMs: this.#elapsedMs + Math.max(0, ms), order: this.#order++, fn};
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** How many timers and sleeps wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer fires; undefined when none waits. */
  get nextMs(): number | undefined {
    const next = this.#next();
    return next === undefined ? undefined : next.atMs - this.#elapsedMs;
  }

  /** Moves time on by `ms` and fires what falls due, in order of time; timers set meanwhile by those callbacks included. */
  advance(ms: number): void {
    const untilMs = this.#elapsedMs + ms;
    for (let next = this.#next(); next !== undefined && next.atMs <= untilMs; next = this.#next()) this.#fire(next);
    this.#elapsedMs = untilMs;
  }

  /** As {@link advance}, but lets promises and sockets make progress after each timer, so that code which sleeps again is followed. */
  async advanceAndSettle(ms: number): Promise<void> {
    const untilMs = this.#elapsedMs + ms;
    await settle();
    for (let next = this.#next(); next !== undefined && next.atMs <= untilMs; next = this.#next()) {
      this.#fire(next);
      await settle();
    }
    this.#elapsedMs = untilMs;
    await settle();
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (first === undefined || timer.atMs < first.atMs || (timer.atMs === first.atMs && timer.order < first.order)) first = timer;
    }
    return first;
  }

  #fire(timer: Timer): void {
    this.#timers.delete(timer);
    this.#elapsedMs = Math.max(this.#elapsedMs, timer.atMs);
    timer.fn();
  }
}

/** Lets everything that is ready run: promise callbacks and one turn of the event loop. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
