/** Promises that wait for a cache to reach a state. */

interface Waiter {
  /** Tries to settle; true when it is done. */
  readonly check: () => boolean;
}

/** Waits, each looked at again when told so. A waiting signal's abort removes it. */
export class Waiters {
  readonly #waiting = new Set<Waiter>();

  get size(): number {
    return this.#waiting.size;
  }

  /** Resolves with the first value of `probe` that is a result, asking now and at every {@link check}. Rejects with the signal's reason. */
  wait<R>(probe: () => {readonly result: R} | undefined, signal: AbortSignal | undefined): Promise<R> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        this.#waiting.delete(waiter);
        reject(signal?.reason as Error);
      };
      const check = (): boolean => {
        try {
          const found = probe();
          if (found === undefined) return false;
          resolve(found.result);
        } catch (error) {
          reject(error as Error); // the probe's own mistake belongs to whoever brought it
        }
        signal?.removeEventListener('abort', onAbort);
        return true;
      };
      const waiter: Waiter = {check};
      if (check()) return;
      this.#waiting.add(waiter);
      signal?.addEventListener('abort', onAbort, {once: true});
    });
  }

  /** Looks at every waiting one. */
  check(): void {
    for (const waiter of this.#waiting) {
      if (waiter.check()) this.#waiting.delete(waiter);
    }
  }
}
