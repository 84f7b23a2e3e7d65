/**
 * The state of an informer: a cache that follows a list and a watch, tells what changed, and lets others wait. Pure of I/O; the
 * reflector feeds it.
 */
import {ObjectCache} from './cache.ts';
import type {Change, IndexFunction} from './informer.ts';
import type {Logger} from './log.ts';
import {keyOf, refOfObject} from './objects.ts';
import type {KubeObject, WatchEvent} from './objects.ts';
import {compareVersions, reaches} from './resource-version.ts';
import {Waiters} from './waiters.ts';

/** Options of {@link Mirror}. */
export interface MirrorOptions<T extends KubeObject> {
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>> | undefined;
  /** Called on every object before it is kept (after managedFields are gone); must keep name, uid and resourceVersion. */
  readonly transform?: ((object: T) => T) | undefined;
  /** Whether an object that was not listed may be added by `observe`: not where a selector decides what belongs. */
  readonly adoptsUnseen: (object: T) => boolean;
  readonly log: Logger;
  /** Deep-freezes what is kept, so that a test sees who changes it. */
  readonly freeze?: boolean | undefined;
}

/** See the top of this file. */
export class Mirror<T extends KubeObject> {
  readonly cache: ObjectCache<T>;
  #synced = false;
  /** Everything up to here has been seen. */
  #version: string | undefined;
  /** Keys whose cached state comes from `observe` and is ahead of the watch. */
  readonly #ahead = new Set<string>();
  readonly #handlers = new Set<(change: Change<T>) => void>();
  readonly #syncWaiters = new Waiters();
  readonly #versionWaiters = new Waiters();
  readonly #keyWaiters = new Map<string, Waiters>();
  readonly #options: MirrorOptions<T>;

  constructor(options: MirrorOptions<T>) {
    this.#options = options;
    this.cache = new ObjectCache<T>(options.indexes);
  }

  get synced(): boolean {
    return this.#synced;
  }

  /** Where a watch may resume; undefined before the first list. */
  get version(): string | undefined {
    return this.#version;
  }

  /** Prepares a raw object for keeping. Lists call it page by page, so that a page's waste can be collected. */
  ingest(raw: T): T {
    const {managedFields: _managedFields, ...metadata} = raw.metadata as T['metadata'] & {managedFields?: unknown};
    const {annotations} = metadata;
    if (annotations !== undefined && LAST_APPLIED in annotations) {
      const {[LAST_APPLIED]: _lastApplied, ...rest} = annotations;
      Object.assign(metadata, {annotations: rest});
    }
    const trimmed = {...raw, metadata} as T;
    const kept = this.#options.transform === undefined ? trimmed : this.#options.transform(trimmed);
    return this.#options.freeze === true ? deepFreeze(kept) : kept;
  }

  /** The result of a whole list, objects ingested. What vanished meanwhile is told as deleted. */
  replaceAll(objects: readonly T[], version: string): void {
    this.#version = version;
    const listed = new Set<string>();
    for (const object of objects) {
      const key = keyOf(refOfObject(object));
      listed.add(key);
      this.#upsert(key, object);
    }
    for (const key of [...this.cache.keys()]) {
      if (!listed.has(key) && !this.#isAheadOf(key, version)) this.#remove(key, undefined);
    }
    this.#synced = true;
    this.#syncWaiters.check();
    this.#versionWaiters.check();
  }

  /** One event of a watch, raw. */
  apply(event: WatchEvent<T>): void {
    const version = event.object.metadata.resourceVersion;
    if (event.type !== 'BOOKMARK') {
      const object = this.ingest(event.object);
      const key = keyOf(refOfObject(object));
      if (event.type !== 'DELETED') this.#upsert(key, object);
      else if (!this.#isAheadOf(key, version ?? '')) this.#remove(key, object);
    }
    if (version !== undefined && version !== '') this.#version = version;
    this.#versionWaiters.check();
  }

  /** See `Informer.observe`. */
  observe(raw: T): void {
    const version = raw.metadata.resourceVersion;
    const key = keyOf(refOfObject(raw));
    // What the watch has passed already is in the cache, or was deleted since: putting it back would raise a ghost.
    if (version === undefined || reaches(this.#version, version)) return;
    const cached = this.cache.get(key);
    if (
      cached === undefined ? !this.#options.adoptsUnseen(raw) : (compareVersions(version, cached.metadata.resourceVersion ?? '') ?? 1) <= 0
    )
      return;
    this.#upsert(key, this.ingest(raw));
    this.#ahead.add(key);
    this.#versionWaiters.check();
  }

  onChange(handler: (change: Change<T>) => void): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  waitForSync(signal: AbortSignal | undefined): Promise<void> {
    return this.#syncWaiters.wait(() => (this.#synced ? {result: undefined} : undefined), signal);
  }

  waitForVersion(key: string, version: string, signal: AbortSignal): Promise<void> {
    const seen = (): boolean => reaches(this.cache.get(key)?.metadata.resourceVersion, version) || reaches(this.#version, version);
    return this.#versionWaiters.wait(() => (seen() ? {result: undefined} : undefined), signal);
  }

  async waitFor(key: string, predicate: (object: T | undefined) => boolean, signal: AbortSignal): Promise<T | undefined> {
    await this.waitForSync(signal); // before that, absence means nothing
    let waiters = this.#keyWaiters.get(key);
    if (waiters === undefined) this.#keyWaiters.set(key, (waiters = new Waiters()));
    try {
      return await waiters.wait(() => {
        const object = this.cache.get(key);
        return predicate(object) ? {result: object} : undefined;
      }, signal);
    } finally {
      if (waiters.size === 0 && this.#keyWaiters.get(key) === waiters) this.#keyWaiters.delete(key);
    }
  }

  #isAheadOf(key: string, version: string): boolean {
    if (!this.#ahead.has(key)) return false;
    const cached = this.cache.get(key)?.metadata.resourceVersion;
    return cached !== undefined && (compareVersions(cached, version) ?? -1) > 0;
  }

  #upsert(key: string, object: T): void {
    const before = this.cache.get(key);
    if (this.#isAheadOf(key, object.metadata.resourceVersion ?? '')) return;
    this.#ahead.delete(key);
    if (
      before !== undefined &&
      before.metadata.uid === object.metadata.uid &&
      before.metadata.resourceVersion === object.metadata.resourceVersion
    )
      return;
    if (before !== undefined && before.metadata.uid !== object.metadata.uid) {
      this.#remove(key, undefined); // a namesake: the old one is gone, whoever holds things for it must hear so
      this.cache.set(object);
      this.#tell(key, {kind: 'added', object});
      return;
    }
    this.cache.set(object);
    this.#tell(key, before === undefined ? {kind: 'added', object} : {kind: 'modified', object, oldObject: before});
  }

  /** `last`: the last state, when the watch told it. */
  #remove(key: string, last: T | undefined): void {
    this.#ahead.delete(key);
    const before = this.cache.delete(key);
    if (before !== undefined) this.#tell(key, {kind: 'deleted', object: last ?? before, oldObject: before});
  }

  #tell(key: string, change: Change<T>): void {
    this.#keyWaiters.get(key)?.check();
    for (const handler of this.#handlers) {
      try {
        handler(change);
      } catch (error) {
        // The other handlers, and the watch, must not suffer from one that breaks its promise.
        this.#options.log.error({err: error, key, change: change.kind}, 'a change handler threw');
      }
    }
  }
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const each of Object.values(value)) deepFreeze(each);
  }
  return value;
}
