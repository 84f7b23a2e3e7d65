/**
 * What readers see of a watched kind: an always-current, indexed, read-only cache with read-your-writes waits. `kube/reflector.ts`
 * fills it (`createInformer`).
 */
import type {KubeObject} from './objects.ts';

/** A change as handlers get it. `oldObject` is absent for `added`; for `deleted`, `object` is the last state seen. */
export interface Change<T> {
  readonly kind: 'added' | 'modified' | 'deleted';
  readonly object: T;
  readonly oldObject?: T;
}

/** Maps an object to the values under which an index finds it. */
export type IndexFunction<T> = (object: T) => readonly string[];

/** The read side. Objects are shared and must not be changed: clone the one you will write. */
export interface Lister<T extends KubeObject> {
  /** By `namespace/name` (or `name`). */
  get(key: string): T | undefined;
  /** All objects, or those of a namespace, in no particular order. */
  list(namespace?: string): readonly T[];
  /** Objects for which the index `name` (declared at creation) yields `value`. Throws on an undeclared index. */
  byIndex(name: string, value: string): readonly T[];
  readonly size: number;
  /** Counts every change, for memoised answers: equal numbers mean an unchanged cache. */
  readonly revision: number;
}

/** A running informer. */
export interface Informer<T extends KubeObject> extends Lister<T> {
  /** Starts list and watch; returns at once. Stops for good when the signal aborts. */
  start(signal: AbortSignal): void;
  readonly hasSynced: boolean;
  /** Resolves once the first list is in the cache; rejects when the signal aborts. */
  waitForSync(signal?: AbortSignal): Promise<void>;
  /**
   * Read-your-writes: resolves once the cache has seen the object at `resourceVersion` or a newer one (or its deletion).
   * Rejects with the signal's reason, so give it a deadline.
   */
  waitForVersion(key: string, resourceVersion: string, signal: AbortSignal): Promise<void>;
  /** Puts the answer of an own write into the cache at once, unless the cache already has a newer version. */
  observe(object: T): void;
  /** Resolves with the first state (undefined = absent) that satisfies `predicate`, looking at the present one first. */
  waitFor(key: string, predicate: (object: T | undefined) => boolean, signal: AbortSignal): Promise<T | undefined>;
  /** Handlers only enqueue: they must not throw and are called synchronously. Returns the function that removes it. */
  onChange(handler: (change: Change<T>) => void): () => void;
}
