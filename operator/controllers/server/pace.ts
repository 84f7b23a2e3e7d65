/**
 * Which changes of a status are worth a write at once, and which may wait for company. While a server is built, a dozen conditions come
 * true within a second; each alone would be a write, an event for every watcher, and news to nobody.
 */
import type {ServerStatus} from '../../../crds/index.ts';
import {sameJson} from '../shared/same-json.ts';

/** How long a change that can wait waits at most, in milliseconds. */
export const PATIENCE_MS = 2_000;

const condition = (status: ServerStatus | undefined, type: string) => status?.conditions?.find((candidate) => candidate.type === type);

/** What clients wait for, and what must survive a crash of ours. */
const pressing = (status: ServerStatus | undefined) => ({
  phase: status?.phase,
  taskState: status?.taskState,
  fault: status?.fault?.reason,
  generation: status?.observedGeneration,
  ip: status?.ip,
  nics: status?.nics,
  resources: status?.resources,
  pendingChanges: status?.pendingChanges,
  ready: condition(status, 'Ready')?.status,
  // Their messages are also the memory of an eviction.
  running: condition(status, 'Running')?.status === 'True' ? condition(status, 'Running')?.message : undefined,
  power: condition(status, 'PowerStateSynced')?.reason === 'Starting' ? condition(status, 'PowerStateSynced')?.message : undefined,
  deleting: condition(status, 'Deleting')?.reason,
  paused: condition(status, 'Paused')?.status,
});

/** Whether `after` must be written at once. */
export const isPressing = (before: ServerStatus | undefined, after: ServerStatus): boolean =>
  before === undefined || !sameJson(pressing(before), pressing(after));

/** Remembers since when the status of a server differs from what is stored. One per controller. */
export class Pace {
  readonly #since = new Map<string, number>();

  /** 0: write now. Else: look again after so many milliseconds. `monotonicMs` is a clock that only grows. */
  delayMs(key: string, before: ServerStatus | undefined, after: ServerStatus, monotonicMs: number): number {
    if (isPressing(before, after) || sameJson(before, after)) {
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

  /** Forgets a server that is gone. */
  forget(key: string): void {
    this.#since.delete(key);
  }
}
