/** Bounds how many calls run at once; the rest wait in line, first come first served. */

/** See the top of this file. */
export class Semaphore {
  #free: number;
  readonly #longestLine: number;
  readonly #line = new Set<() => void>();

  /** `places` run at once; beyond `longestLine` waiting ones, `acquire` rejects. */
  constructor(places: number, longestLine: number) {
    this.#free = places;
    this.#longestLine = longestLine;
  }

  get waiting(): number {
    return this.#line.size;
  }

  /** Resolves when there is a place; give it back with {@link release}. Rejects with the signal's reason, or a RangeError when the line is full. */
  acquire(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    if (this.#line.size >= this.#longestLine) return Promise.reject(new RangeError(`${this.#line.size} calls wait already`));
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#line.delete(enter);
        reject(signal.reason as Error);
      };
      const enter = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      this.#line.add(enter);
      signal.addEventListener('abort', onAbort, {once: true});
    });
  }

  /** Gives a place back: to the first in line, if there is one. */
  release(): void {
    for (const enter of this.#line) {
      this.#line.delete(enter);
      enter();
      return;
    }
    this.#free++;
  }
}
