/** Lets a few guests boot at a time: a boot is all CPU, and ten at once would each take ten times as long and starve the API server. */
import {stat} from 'node:fs/promises';
import type {Clock} from '../../../../kube/clock.ts';
import type {QemuInstance} from './instance.ts';

/** A guest whose firmware or kernel says nothing on its serial port is taken to be past the worst after this. */
const BOOT_TURN_MS = 10_000;
const FIRST_OUTPUT_POLL_MS = 100;

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

/** Leaves the queue when the guest is past the worst of its boot: its first serial output, its end, or {@link BOOT_TURN_MS}. */
export async function holdTurn(turn: BootTurn, instance: Pick<QemuInstance, 'ended' | 'files'>, clock: Clock): Promise<void> {
  const end = clock.monotonicMs() + BOOT_TURN_MS;
  let ended = false;
  void instance.ended.then(() => {
    ended = true;
  });
  while (!ended && clock.monotonicMs() < end) {
    const size = await stat(instance.files.serialLog).then(
      (found) => found.size,
      () => 0,
    );
    if (size > 0) break;
    await clock.sleep(FIRST_OUTPUT_POLL_MS);
  }
  turn.leave();
}
