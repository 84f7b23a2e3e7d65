/** Objects of one kind in memory, with indexes. Knows nothing of where they come from. */
import type {IndexFunction} from './informer.ts';
import {keyOf, refOfObject} from './objects.ts';
import type {KubeObject} from './objects.ts';

interface Index<T> {
  readonly valuesOf: IndexFunction<T>;
  readonly entries: Map<string, Map<string, T>>;
}

/** See the top of this file. */
export class ObjectCache<T extends KubeObject> {
  #revision = 0;
  /** The answer of `list()`, until something changes. */
  #all: readonly T[] | undefined;
  readonly #objects = new Map<string, T>();
  readonly #namespaces: Index<T> = {valuesOf: (object) => [object.metadata.namespace ?? ''], entries: new Map()};
  readonly #indexes: ReadonlyMap<string, Index<T>>;

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>> = {}) {
    this.#indexes = new Map(
      Object.entries(indexes).map(([name, valuesOf]) => [name, {valuesOf, entries: new Map<string, Map<string, T>>()}]),
    );
  }

  get size(): number {
    return this.#objects.size;
  }

  get revision(): number {
    return this.#revision;
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(namespace?: string): readonly T[] {
    if (namespace !== undefined) return [...(this.#namespaces.entries.get(namespace)?.values() ?? [])];
    return (this.#all ??= Object.freeze([...this.#objects.values()]));
  }

  byIndex(name: string, value: string): readonly T[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new Error(`no index ${name}; there are: ${[...this.#indexes.keys()].join(', ')}`);
    return [...(index.entries.get(value)?.values() ?? [])];
  }

  /** Puts an object in its place; returns what was there. */
  set(object: T): T | undefined {
    const key = keyOf(refOfObject(object));
    const before = this.#objects.get(key);
    // First the functions that may throw, then the changes, so that a bad index function leaves the cache consistent.
    const values = this.#eachIndex().map((index) => [index, new Set(index.valuesOf(object))] as const);
    if (before !== undefined) this.#unindex(key, before);
    for (const [{entries}, indexed] of values) {
      for (const value of indexed) {
        const bucket = entries.get(value);
        if (bucket === undefined) entries.set(value, new Map([[key, object]]));
        else bucket.set(key, object);
      }
    }
    this.#objects.set(key, object);
    this.#changed();
    return before;
  }

  /** Takes an object out; returns it. */
  delete(key: string): T | undefined {
    const object = this.#objects.get(key);
    if (object === undefined) return undefined;
    this.#unindex(key, object);
    this.#objects.delete(key);
    this.#changed();
    return object;
  }

  #unindex(key: string, object: T): void {
    for (const {valuesOf, entries} of this.#eachIndex()) {
      for (const value of new Set(valuesOf(object))) {
        const bucket = entries.get(value);
        bucket?.delete(key);
        if (bucket?.size === 0) entries.delete(value);
      }
    }
  }

  #eachIndex(): readonly Index<T>[] {
    return [this.#namespaces, ...this.#indexes.values()];
  }

  #changed(): void {
    this.#revision++;
    this.#all = undefined;
  }
}
