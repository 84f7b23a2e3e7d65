/** Lets a few guests boot at a time: a boot is all CPU, and ten at once would each take ten times as long and starve the API server. */

/** A place in the queue; `leave` may be called any number of times. */
export interface BootTurn {
  leave(): void;
}

/** See the top of this file. */
export interface BootQueue {
  /** Resolves when it is this guest's turn; rejects with the signal's reason when it aborts first. */
  enter(signal: AbortSignal): Promise<BootTurn>;
  readonly waiting: number;
}

/** Creates a queue with room for `width` boots at a time. First come, first served. */
export function createBootQueue(width: number): BootQueue {
  let free = width;
  const line: (() => void)[] = [];
  const next = (): void => {
    const first = line.shift();
    if (first === undefined) free++;
    else first();
  };
  const turn = (): BootTurn => {
    let over = false;
    return {
      leave() {
        if (over) return;
        over = true;
        next();
      },
    };
  };
  return {
    get waiting() {
      return line.length;
    },
    enter(signal) {
      if (signal.aborted) return Promise.reject(signal.reason as Error);
      if (free > 0) {
        free--;
        return Promise.resolve(turn());
      }
      return new Promise((resolve, reject) => {
        const admit = (): void => {
          signal.removeEventListener('abort', give);
          resolve(turn());
        };
        const give = (): void => {
          line.splice(line.indexOf(admit), 1);
          reject(signal.reason as Error);
        };
        line.push(admit);
        signal.addEventListener('abort', give, {once: true});
      });
    },
  };
}
