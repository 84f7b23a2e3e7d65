/**
 * Keeps a cache equal to what the API server has: paged list, then watch; resumes where it can and lists anew only where it must. It runs
 * until its signal aborts, whatever the server does.
 */
import type {KubeClient} from './client.ts';
import type {Clock} from './clock.ts';
import type {IndexFunction, Informer} from './informer.ts';
import type {Logger} from './log.ts';
import {Mirror} from './mirror.ts';
import type {KubeObject, ResourceType} from './objects.ts';
import {reactionTo} from './reflector-policy.ts';
import type {EndReason, Reaction} from './reflector-policy.ts';
import {backoffMs} from './retry.ts';

/** What the gauges of a reflector read when they are scraped. */
export interface ReflectorState {
  readonly size: number;
  /** Since the last event or bookmark, in milliseconds; undefined before the first list. */
  readonly lastEventAgeMs: number | undefined;
}

/** Where one reflector reports its life. */
export interface ReflectorRecorder {
  /** A whole list begins; `start` is the first one. */
  relisted(reason: EndReason | 'start'): void;
  /** A watch ended or a list failed. */
  ended(reason: EndReason): void;
}

/** What reflectors report; `kube/metrics.ts` has the Prometheus implementation. */
export interface ReflectorMetrics {
  /** Registers one; `kind` is `plural` or `plural.group`. */
  reflector(kind: string, state: ReflectorState): ReflectorRecorder;
}

/** Options of {@link createInformer}. */
export interface InformerOptions<T extends KubeObject> {
  readonly client: KubeClient;
  readonly type: ResourceType<T>;
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Names under which objects are found by `byIndex`. */
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
  /** Called on every object before it is kept; must keep name, namespace, uid and resourceVersion. */
  readonly transform?: (object: T) => T;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics?: ReflectorMetrics;
  readonly random?: () => number;
  /** Deep-freezes cached objects (tests). Default false. */
  readonly freeze?: boolean;
  /** Objects per page of a list. Default 500: 10-15 ms of parsing at a time. */
  readonly pageSize?: number;
  /** A watch that stays silent so long is cut and resumed, in milliseconds. Default 90,000; bookmarks come about once a minute. */
  readonly idleTimeoutMs?: number;
  /** Waits after failures. Default 0.8 s doubled to 30 s, jittered. */
  readonly backoff?: {readonly baseMs: number; readonly capMs: number};
}

/** An informer that also tells how it fares. */
export interface RunningInformer<T extends KubeObject> extends Informer<T>, ReflectorState {
  /** What a person must mend (RBAC, a missing CRD); undefined while the reflector works or helps itself. */
  readonly problem: string | undefined;
}

const BACKOFF = {baseMs: 800, capMs: 30_000};
/** The server ends a watch after about so many seconds, spread so that not all come back at once. */
const WATCH_SECONDS = {least: 240, spread: 60};
/** A stream that lived so long was not a failure, even if nothing came. */
const HEALTHY_WATCH_MS = 5_000;

/** Makes an informer; nothing happens before `start`. */
export function createInformer<T extends KubeObject>(options: InformerOptions<T>): RunningInformer<T> {
  return new Reflector(options);
}

class Reflector<T extends KubeObject> implements RunningInformer<T> {
  readonly #options: InformerOptions<T>;
  readonly #mirror: Mirror<T>;
  readonly #recorder: ReflectorRecorder | undefined;
  readonly #log: Logger;
  /** Aborts with the start signal; ends what waits for the first list. */
  readonly #stopped = new AbortController();
  #started = false;
  #relistFor: EndReason | 'start' | undefined = 'start';
  #failures = 0;
  #lastEventMs: number | undefined;
  #problem: string | undefined;

  constructor(options: InformerOptions<T>) {
    this.#options = options;
    const {type, namespace, labelSelector, fieldSelector, indexes, transform, freeze} = options;
    const kind = type.group === '' ? type.plural : `${type.plural}.${type.group}`;
    this.#log = options.log.child({reflector: kind});
    const selects = labelSelector !== undefined || fieldSelector !== undefined;
    const adoptsUnseen = (object: T): boolean => !selects && (namespace === undefined || object.metadata.namespace === namespace);
    this.#mirror = new Mirror<T>({indexes, transform, freeze, adoptsUnseen, log: this.#log});
    this.#recorder = options.metrics?.reflector(kind, this);
  }

  get(key: string): T | undefined {
    return this.#mirror.cache.get(key);
  }

  list(namespace?: string): readonly T[] {
    return this.#mirror.cache.list(namespace);
  }

  byIndex(name: string, value: string): readonly T[] {
    return this.#mirror.cache.byIndex(name, value);
  }

  get size(): number {
    return this.#mirror.cache.size;
  }

  get revision(): number {
    return this.#mirror.cache.revision;
  }

  get hasSynced(): boolean {
    return this.#mirror.synced;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  get lastEventAgeMs(): number | undefined {
    return this.#lastEventMs === undefined ? undefined : this.#options.clock.monotonicMs() - this.#lastEventMs;
  }

  observe(object: T): void {
    this.#mirror.observe(object);
  }

  onChange(handler: Parameters<Mirror<T>['onChange']>[0]): () => void {
    return this.#mirror.onChange(handler);
  }

  async waitForSync(signal?: AbortSignal): Promise<void> {
    const both = signal === undefined ? this.#stopped.signal : AbortSignal.any([signal, this.#stopped.signal]);
    await this.#mirror.waitForSync(both);
  }

  waitForVersion(key: string, resourceVersion: string, signal: AbortSignal): Promise<void> {
    return this.#mirror.waitForVersion(key, resourceVersion, signal);
  }

  waitFor(key: string, predicate: (object: T | undefined) => boolean, signal: AbortSignal): Promise<T | undefined> {
    return this.#mirror.waitFor(key, predicate, signal);
  }

  start(signal: AbortSignal): void {
    if (this.#started) throw new Error(`the informer of ${this.#options.type.plural} was started before`);
    this.#started = true;
    const onAbort = (): void => this.#stopped.abort(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, {once: true});
    void this.#run(signal);
  }

  /** Never rejects: every failure leads to another try. */
  async #run(signal: AbortSignal): Promise<void> {
    const {clock, random = Math.random, backoff = BACKOFF} = this.#options;
    while (!signal.aborted) {
      const reaction = await this.#cycle(signal);
      if (signal.aborted) return;
      this.#recorder?.ended(reaction.reason);
      if (reaction.relist) this.#relistFor = reaction.reason;
      this.#report(reaction);
      const waitMs = this.#failures === 0 ? 0 : backoffMs(this.#failures - 1, backoff, random);
      // Told times get a little on top, so that those who were told the same do not come back together.
      const toldMs = reaction.waitMs === undefined ? 0 : reaction.waitMs * (1 + random() / 10);
      if (Math.max(waitMs, toldMs) > 0) await clock.sleep(Math.max(waitMs, toldMs), signal).catch(() => undefined); // aborted: the loop ends
    }
  }

  /** Lists if need be, then watches until the stream ends, well or badly. */
  async #cycle(signal: AbortSignal): Promise<Reaction> {
    this.#failures++; // until there is progress
    try {
      if (this.#relistFor !== undefined) await this.#relist(this.#relistFor, signal);
      await this.#watch(signal);
      return {reason: 'closed', relist: false};
    } catch (error) {
      const reaction = reactionTo(error);
      if (!signal.aborted) this.#log.debug({err: error, ...reaction, failures: this.#failures}, 'list or watch failed');
      if (reaction.reason === 'internal' && !signal.aborted)
        this.#log.error({err: error}, 'a reflector met an error of our own; listing anew');
      return reaction;
    }
  }

  async #relist(reason: EndReason | 'start', signal: AbortSignal): Promise<void> {
    this.#recorder?.relisted(reason);
    const {client, type, namespace, labelSelector, fieldSelector, pageSize = 500} = this.#options;
    const selection = {
      ...(namespace === undefined ? {} : {namespace}),
      ...(labelSelector === undefined ? {} : {labelSelector}),
      ...(fieldSelector === undefined ? {} : {fieldSelector}),
    };
    const objects: T[] = [];
    let next: string | undefined;
    do {
      const page = await client.list(type, {...selection, limit: pageSize, ...(next === undefined ? {} : {continue: next}), signal});
      for (const item of page.items) objects.push(this.#mirror.ingest(item));
      next = page.continue;
      if (next === undefined) this.#mirror.replaceAll(objects, page.resourceVersion);
    } while (next !== undefined);
    this.#relistFor = undefined;
    this.#lastEventMs = this.#options.clock.monotonicMs();
    this.#working();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const {client, clock, type, random = Math.random, idleTimeoutMs = 90_000, namespace, labelSelector, fieldSelector} = this.#options;
    const resourceVersion = this.#mirror.version;
    const startedMs = clock.monotonicMs();
    const events = client.watch(type, {
      ...(namespace === undefined ? {} : {namespace}),
      ...(labelSelector === undefined ? {} : {labelSelector}),
      ...(fieldSelector === undefined ? {} : {fieldSelector}),
      ...(resourceVersion === undefined ? {} : {resourceVersion}),
      timeoutSeconds: Math.round(WATCH_SECONDS.least + random() * WATCH_SECONDS.spread),
      idleTimeoutMs,
      signal,
    });
    try {
      for await (const event of events) {
        this.#mirror.apply(event);
        this.#lastEventMs = clock.monotonicMs();
        this.#failures = 0;
        this.#working();
      }
    } finally {
      if (clock.monotonicMs() - startedMs >= HEALTHY_WATCH_MS) this.#failures = 0;
    }
  }

  #working(): void {
    if (this.#problem !== undefined) this.#log.info({}, 'list and watch work again');
    this.#problem = undefined;
  }

  /** Log transitions, not loops: a problem when it changes, a failure when it persists. */
  #report({reason, problem}: Reaction): void {
    if (problem !== undefined && problem !== this.#problem) this.#log.warn({reason, problem}, 'cannot list or watch; trying on');
    else if (this.#failures === 5) this.#log.warn({reason, failures: this.#failures}, 'list or watch keeps failing; trying on');
    if (problem !== undefined) this.#problem = problem;
  }
}
