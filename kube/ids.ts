/**
 * Sequences of integers that never repeat, whoever asks and whatever crashes: a ConfigMap holds the next free number, and is moved on by
 * compare-and-swap before a number is given out. Gaps are normal (the rest of a block is lost when a process ends).
 */
import type {KubeClient} from './client.ts';
import type {Clock} from './clock.ts';
import {startDeadline} from './deadline.ts';
import {isAlreadyExists, isConflict, isNotFound} from './errors.ts';
import {backoffMs} from './retry.ts';
import {CONFIG_MAP} from './types.ts';
import type {ConfigMap} from './types.ts';

/** A persistent sequence. */
export interface Sequence {
  /** The next number, from 1 up. Rejects with the signal's reason, an `ApiError`, or {@link SequenceError}. */
  next(signal?: AbortSignal): Promise<number>;
}

/** Options of {@link createSequence}. */
export interface SequenceOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** Of the ConfigMap; it is created when absent. */
  readonly name: string;
  /** Numbers taken at once, so that creates do not queue on the counter. Default 1. */
  readonly blockSize?: number;
  readonly clock: Clock;
  /**
   * No number below this is given out: the highest one known to be in use plus one. Guards against a counter that was deleted or restored
   * from an old backup. Asked at each reservation. Default: no guard.
   */
  readonly floor?: () => number;
  readonly random?: () => number;
}

/** The counter is unusable; a person has to look at it. Guessing could give out a number twice. */
export class SequenceError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SequenceError';
  }
}

/** A reservation may meet others; each meeting costs two calls and a few milliseconds, and one of them always wins. */
const RESERVATION_TIMEOUT_MS = 30_000;
const BACKOFF = {baseMs: 5, capMs: 500};

/** Makes a sequence; nothing is read before the first `next`. Several processes, and several sequences of one name, share the counter. */
export function createSequence(options: SequenceOptions): Sequence {
  const {clock, blockSize = 1} = options;
  if (!Number.isSafeInteger(blockSize) || blockSize < 1) throw new RangeError(`blockSize ${blockSize}: not a positive integer`);
  let next = 0;
  let end = 0;
  /** Shared by all who wait: one caller that gives up must not take the block from the others. */
  let reservation: Promise<void> | undefined;

  const reserve = async (): Promise<void> => {
    const deadline = startDeadline(
      clock,
      RESERVATION_TIMEOUT_MS,
      undefined,
      () => new SequenceError(`${options.name}: no block within ${RESERVATION_TIMEOUT_MS} ms`),
    );
    try {
      const start = await takeBlock(options, blockSize, deadline.signal);
      [next, end] = [start, start + blockSize];
    } finally {
      deadline.done();
      reservation = undefined;
    }
  };

  return {
    async next(signal) {
      for (;;) {
        signal?.throwIfAborted();
        if (next < end) return next++;
        reservation ??= reserve();
        await orAborted(reservation, signal);
      }
    },
  };
}

/** Moves the counter on by a block and returns the block's first number. */
async function takeBlock(options: SequenceOptions, size: number, signal: AbortSignal): Promise<number> {
  const {client, namespace, name, clock, floor, random = Math.random} = options;
  for (let attempt = 0; ; attempt++) {
    try {
      const counter = await find(client, {namespace, name}, signal);
      const start = Math.max(counter === undefined ? 1 : readNext(counter, name), floor?.() ?? 1);
      const data = {next: String(start + size)};
      if (counter === undefined) {
        await client.create(CONFIG_MAP, {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name, namespace}, data}, {signal});
      } else {
        await client.replace(CONFIG_MAP, {...counter, data: {...counter.data, ...data}}, {signal});
      }
      return start;
    } catch (error) {
      if (!isConflict(error) && !isAlreadyExists(error)) throw error;
      await clock.sleep(backoffMs(attempt, BACKOFF, random), signal);
    }
  }
}

async function find(
  client: KubeClient,
  ref: {readonly namespace: string; readonly name: string},
  signal: AbortSignal,
): Promise<ConfigMap | undefined> {
  try {
    return await client.get(CONFIG_MAP, ref, {signal});
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function readNext(counter: ConfigMap, name: string): number {
  const text = counter.data?.['next'] ?? '';
  const value = Number(text);
  if (!/^[1-9]\d*$/.test(text) || !Number.isSafeInteger(value))
    throw new SequenceError(`ConfigMap ${name}: data.next is ${JSON.stringify(text)}, not a positive integer`);
  return value;
}

function orAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, {once: true});
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
