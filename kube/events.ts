/**
 * Events on objects (`events.k8s.io/v1`), for `kubectl describe`. Recording never fails and never waits: events are queued, repetitions
 * become a series of one Event, and when the queue is full the oldest go. Events yield to work that somebody waits for (`busy`), in bounds.
 */
import {createHash} from 'node:crypto';
import type {KubeClient} from './client.ts';
import type {Clock} from './clock.ts';
import {isForbidden, isNotFound} from './errors.ts';
import type {Logger} from './log.ts';
import {microTime} from './micro-time.ts';
import type {KubeObject} from './objects.ts';
import {EVENT} from './types.ts';
import type {Event} from './types.ts';
import {Waiters} from './waiters.ts';

/** What happened. */
export interface EventInput {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, from a catalogue. */
  readonly reason: string;
  /** The verb: what was being done. */
  readonly action: string;
  /** For a person; cut at 1,024 characters. Never a secret. */
  readonly message: string;
}

/** See the top of this file. */
export interface EventRecorder {
  event(object: KubeObject, event: EventInput): void;
  /** Resolves when everything recorded so far was sent (or given up); rejects with the signal's reason. Also sends what series hold back. */
  flush(signal: AbortSignal): Promise<void>;
}

/** Options of {@link createEventRecorder}. */
export interface EventRecorderOptions {
  readonly client: KubeClient;
  /** `reportingController`. */
  readonly component: string;
  /** `reportingInstance`, at most 128 characters. Default: the component. */
  readonly instance?: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Events that may wait. Default 2,000. */
  readonly queueSize?: number;
  /**
   * Whether there is work that goes first: events then wait, at most {@link LONGEST_YIELD_MS} and while the queue is less than half full, so
   * that none is lost by waiting. Default: never.
   */
  readonly busy?: () => boolean;
}

/** How long events yield to other work at most, in milliseconds. */
export const LONGEST_YIELD_MS = 30_000;
/** How often it is looked whether that work is done, in milliseconds. */
const LOOK_AGAIN_MS = 100;
const QUEUE_SIZE = 2_000;

/** Between two writes to the same series; what comes meanwhile is counted. */
const SERIES_WRITE_MS = 10_000;
/** After so long a silence the same thing is a new event. */
const SERIES_END_MS = 360_000;
const SENDERS = 4;
const SEND_TIMEOUT_MS = 10_000;
const LONGEST_MESSAGE = 1024;
/** Series remembered; beyond that the oldest end. */
const MOST_SERIES = 5_000;

/** One thing that happened, once or several times. */
interface Series {
  readonly key: string;
  readonly first: Event;
  count: number;
  lastMs: number;
  /** Since when it waits to be sent; of no meaning while it does not. */
  queuedMs: number;
  /** How often the server knows of; 0 before the Event is there. */
  sentCount: number;
  sentMs: number;
  sending: boolean;
}

/** Makes a recorder. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new Recorder(options);
}

class Recorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #series = new Map<string, Series>();
  readonly #queue = new Set<Series>();
  readonly #flushes = new Waiters();
  #senders = 0;
  /** Whether a timer runs that looks again whether events may go. */
  #looking = false;
  #dropped = 0;
  #failing = false;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  event(object: KubeObject, input: EventInput): void {
    const nowMs = this.#options.clock.monotonicMs();
    const key = createHash('sha256')
      .update([object.metadata.uid, object.kind, object.metadata.namespace, object.metadata.name, ...Object.values(input)].join('\u0000'))
      .digest('hex');
    const known = this.#series.get(key);
    if (known === undefined || nowMs - known.lastMs > SERIES_END_MS) {
      const first = eventOf(object, input, key, this.#options);
      const series = {key, first, count: 1, lastMs: nowMs, queuedMs: nowMs, sentCount: 0, sentMs: 0, sending: false};
      this.#series.delete(key);
      this.#series.set(key, series);
      this.#forgetOldest();
      this.#enqueue(series);
      return;
    }
    known.count++;
    known.lastMs = nowMs;
    if (known.sentCount === 0 || nowMs - known.sentMs >= SERIES_WRITE_MS) this.#enqueue(known);
  }

  async flush(signal: AbortSignal): Promise<void> {
    for (const series of this.#series.values()) {
      if (series.count > series.sentCount) this.#enqueue(series);
    }
    const flushed = this.#flushes.wait(() => (this.#queue.size === 0 && this.#senders === 0 ? {result: undefined} : undefined), signal);
    this.#wake(); // whoever waits ends the yielding
    await flushed;
  }

  #enqueue(series: Series): void {
    const {queueSize = QUEUE_SIZE, log} = this.#options;
    if (series.sending || this.#queue.has(series)) return; // looked at again when the sender is done with it
    series.queuedMs = this.#options.clock.monotonicMs();
    this.#queue.add(series);
    if (this.#queue.size > queueSize) {
      const [oldest] = this.#queue;
      if (oldest !== undefined) this.#drop(oldest);
      if (this.#dropped++ === 0) log.warn({queueSize}, 'events come faster than they can be sent; dropping the oldest');
    }
    this.#wake();
  }

  #wake(): void {
    if (this.#mustYield()) {
      if (this.#looking) return;
      this.#looking = true;
      this.#options.clock.setTimer(LOOK_AGAIN_MS, () => {
        this.#looking = false;
        this.#wake();
      });
      return;
    }
    // One sender for each event, until all are at work; each ends when nothing waits, or what waits has to yield again.
    for (let more = Math.min(SENDERS - this.#senders, this.#queue.size); more > 0; more--) {
      this.#senders++;
      void this.#sendAll();
    }
  }

  #mustYield(): boolean {
    const {busy, queueSize = QUEUE_SIZE, clock} = this.#options;
    const [oldest] = this.#queue;
    if (busy === undefined || oldest === undefined || this.#flushes.size > 0 || this.#queue.size * 2 >= queueSize) return false;
    return clock.monotonicMs() - oldest.queuedMs < LONGEST_YIELD_MS && busy();
  }

  /** Never rejects. */
  async #sendAll(): Promise<void> {
    await Promise.resolve(); // record first, send later: `event` returns before anything is serialised
    for (const series of this.#queue) {
      if (this.#mustYield()) break;
      this.#queue.delete(series);
      series.sending = true;
      const count = series.count;
      try {
        await this.#send(series, count);
        series.sentCount = count;
        series.sentMs = this.#options.clock.monotonicMs();
        this.#failing = false;
      } catch (error) {
        this.#fail(series, error);
      }
      series.sending = false;
      // Counted while it was being sent, and somebody waits for all to be told.
      if (this.#flushes.size > 0 && this.#series.has(series.key) && series.count > series.sentCount) this.#queue.add(series);
    }
    this.#senders--;
    if (this.#queue.size === 0) this.#dropped = 0;
    else this.#wake();
    this.#flushes.check();
  }

  async #send(series: Series, count: number): Promise<void> {
    const {client, clock} = this.#options;
    const {first} = series;
    const callOptions = {timeoutMs: SEND_TIMEOUT_MS};
    const repetition = count > 1 ? {series: {count, lastObservedTime: microTime(clock.now())}} : {};
    if (series.sentCount > 0) {
      const {name, namespace = ''} = first.metadata;
      try {
        await client.mergePatch(EVENT, {name, namespace}, repetition, callOptions);
        return;
      } catch (error) {
        if (!isNotFound(error)) throw error; // it went after its hour: make it anew
      }
    }
    await client.create(EVENT, {...first, ...repetition}, callOptions);
  }

  #fail(series: Series, error: unknown): void {
    this.#drop(series);
    // An account's namespace on its way out takes no new objects: nothing is wrong, and nobody will look there.
    if (isForbidden(error) || isNotFound(error)) this.#options.log.debug({err: error, reason: series.first.reason}, 'an event was refused');
    else if (!this.#failing)
      this.#options.log.warn({err: error, reason: series.first.reason}, 'events cannot be sent; dropping them until they can');
    if (!isForbidden(error) && !isNotFound(error)) this.#failing = true;
  }

  #drop(series: Series): void {
    this.#queue.delete(series);
    this.#series.delete(series.key);
  }

  #forgetOldest(): void {
    if (this.#series.size <= MOST_SERIES) return;
    for (const series of this.#series.values()) {
      if (series.sending || this.#queue.has(series)) continue;
      this.#series.delete(series.key);
      return;
    }
  }
}

function eventOf(object: KubeObject, input: EventInput, key: string, options: EventRecorderOptions): Event {
  const {component, instance = component, clock} = options;
  const {name, namespace, uid, resourceVersion} = object.metadata;
  const nowMs = clock.now();
  // Events of cluster-scoped objects live in `default`: the API server insists.
  const home = namespace ?? 'default';
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    // Derived from the thing and the millisecond: a repeated create of a lost answer meets itself.
    metadata: {name: `${name.slice(0, 220)}.${nowMs.toString(16)}${key.slice(0, 8)}`, namespace: home},
    eventTime: microTime(nowMs),
    reportingController: component,
    reportingInstance: instance.slice(0, 128),
    action: input.action.slice(0, 128),
    reason: input.reason.slice(0, 128),
    regarding: {
      apiVersion: object.apiVersion,
      kind: object.kind,
      name,
      ...(namespace === undefined ? {} : {namespace}),
      ...(uid === undefined ? {} : {uid}),
      ...(resourceVersion === undefined ? {} : {resourceVersion}),
    },
    note: cut(input.message),
    type: input.type,
  };
}

/** The API server counts bytes. */
function cut(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= LONGEST_MESSAGE) return message;
  return `${bytes
    .subarray(0, LONGEST_MESSAGE - 4)
    .toString()
    .replace(/\uFFFD+$/, '')}…`;
}
