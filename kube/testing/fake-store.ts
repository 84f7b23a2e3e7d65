/** The state of the fake API server: objects of any kind, one resourceVersion for all, and the history that watches read. */
import {randomUUID} from 'node:crypto';
import {FakeStatusError, notFound, sameJson} from './fake-objects.ts';
import type {FakeObject} from './fake-objects.ts';
import type {Selector} from './fake-selectors.ts';

/** A collection: `group/plural`, whatever the version. */
export type CollectionName = string;

/** A change as watches see it. `before` is the state it replaced. */
export interface StoredEvent {
  readonly version: number;
  readonly collection: CollectionName;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: FakeObject;
  readonly before: FakeObject | undefined;
}

/** What a write wants of the object it changes. */
export interface Preconditions {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

const keyOf = (namespace: string | undefined, name: string): string => (namespace === undefined ? name : `${namespace}/${name}`);

/** See the top of this file. Objects handed out are frozen snapshots. */
export class FakeStore {
  #version = 1;
  #compacted = 0;
  #events: StoredEvent[] = [];
  readonly #collections = new Map<CollectionName, Map<string, FakeObject>>();
  readonly #listeners = new Set<(event: StoredEvent) => void>();
  readonly #collectGarbage: boolean;
  readonly #now: () => number;

  constructor(options: {readonly collectGarbage: boolean; readonly now: () => number}) {
    this.#collectGarbage = options.collectGarbage;
    this.#now = options.now;
  }

  get version(): number {
    return this.#version;
  }

  /** Events up to here are forgotten: a watch or a continue token from before gets 410. */
  get compacted(): number {
    return this.#compacted;
  }

  compact(): void {
    this.#compacted = this.#version;
    this.#events = [];
  }

  onEvent(listener: (event: StoredEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  since(version: number): readonly StoredEvent[] {
    return this.#events.filter((event) => event.version > version);
  }

  find(collection: CollectionName, namespace: string | undefined, name: string): FakeObject | undefined {
    return this.#collections.get(collection)?.get(keyOf(namespace, name));
  }

  /** Sorted by key, as etcd is. */
  list(collection: CollectionName, namespace: string | undefined, selected: Selector): readonly FakeObject[] {
    const entries = [...(this.#collections.get(collection) ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return entries
      .map(([, object]) => object)
      .filter((object) => (namespace === undefined || object.metadata.namespace === namespace) && selected(object));
  }

  create(collection: CollectionName, object: FakeObject): FakeObject {
    const {namespace, generateName} = object.metadata;
    const name = object.metadata.name ?? `${generateName}${randomUUID().slice(0, 5)}`;
    if (this.find(collection, namespace, name) !== undefined) {
      throw new FakeStatusError(409, 'AlreadyExists', `${collection} "${name}" already exists`);
    }
    const metadata = {...object.metadata, name, uid: randomUUID(), generation: 1, creationTimestamp: this.#timestamp()};
    delete metadata.deletionTimestamp;
    return this.#store(collection, {...object, metadata}, 'ADDED', undefined);
  }

  /** Stores a new state of an existing object. `ignoreGeneration`: only the status changed. A write that changes nothing is no event. */
  update(collection: CollectionName, before: FakeObject, after: FakeObject, preconditions: Preconditions): FakeObject {
    this.check(collection, before, preconditions);
    const kept = before.metadata;
    const metadata = {...after.metadata};
    for (const field of ['uid', 'creationTimestamp', 'deletionTimestamp', 'generation', 'resourceVersion', 'name', 'namespace'] as const) {
      if (kept[field] === undefined) delete metadata[field];
      else Object.assign(metadata, {[field]: kept[field]});
    }
    const next: FakeObject = {...after, apiVersion: before.apiVersion, kind: before.kind, metadata};
    if (sameJson(next, before)) return before;
    if (!sameJson(withoutMetadataAndStatus(next), withoutMetadataAndStatus(before))) metadata.generation = (kept.generation ?? 1) + 1;
    if (metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0) return this.#remove(collection, next);
    return this.#store(collection, next, 'MODIFIED', before);
  }

  /** Removes, or marks as deleted while finalizers hold the object. Returns what is left (or was). */
  delete(collection: CollectionName, object: FakeObject, preconditions: Preconditions): FakeObject {
    this.check(collection, object, preconditions);
    if ((object.metadata.finalizers ?? []).length === 0) return this.#remove(collection, object);
    if (object.metadata.deletionTimestamp !== undefined) return object;
    const metadata = {...object.metadata, deletionTimestamp: this.#timestamp(), generation: (object.metadata.generation ?? 1) + 1};
    return this.#store(collection, {...object, metadata}, 'MODIFIED', object);
  }

  /** Puts an object as it is, creating or replacing it, past all rules: for a test's starting state. */
  put(collection: CollectionName, object: FakeObject): FakeObject {
    const before = this.find(collection, object.metadata.namespace, object.metadata.name);
    const defaults = {uid: before?.metadata.uid ?? randomUUID(), generation: 1, creationTimestamp: this.#timestamp()};
    return this.#store(
      collection,
      {...object, metadata: {...defaults, ...object.metadata}},
      before === undefined ? 'ADDED' : 'MODIFIED',
      before,
    );
  }

  check(collection: CollectionName, object: FakeObject, preconditions: Preconditions): void {
    const {uid, resourceVersion, name} = object.metadata;
    if (preconditions.uid !== undefined && preconditions.uid !== uid) {
      throw new FakeStatusError(
        409,
        'Conflict',
        `${collection} "${name}": the UID in the precondition (${preconditions.uid}) does not match (${uid})`,
      );
    }
    if (preconditions.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion) {
      throw new FakeStatusError(
        409,
        'Conflict',
        `${collection} "${name}": the object has been modified; please apply your changes to the latest version`,
      );
    }
  }

  require(collection: CollectionName, namespace: string | undefined, name: string): FakeObject {
    const object = this.find(collection, namespace, name);
    if (object === undefined) throw notFound(collection, name);
    return object;
  }

  #remove(collection: CollectionName, object: FakeObject): FakeObject {
    this.#collections.get(collection)?.delete(keyOf(object.metadata.namespace, object.metadata.name));
    const gone = this.#publish(collection, object, 'DELETED', object);
    if (this.#collectGarbage) this.#removeDependents(gone.metadata.uid);
    return gone;
  }

  #removeDependents(uid: string | undefined): void {
    for (const [collection, objects] of this.#collections) {
      for (const object of [...objects.values()]) {
        if (object.metadata.ownerReferences?.some((owner) => owner.uid === uid) === true) this.delete(collection, object, {});
      }
    }
  }

  #store(collection: CollectionName, object: FakeObject, type: 'ADDED' | 'MODIFIED', before: FakeObject | undefined): FakeObject {
    const stored = this.#publish(collection, object, type, before);
    let objects = this.#collections.get(collection);
    if (objects === undefined) this.#collections.set(collection, (objects = new Map<string, FakeObject>()));
    objects.set(keyOf(stored.metadata.namespace, stored.metadata.name), stored);
    return stored;
  }

  #publish(collection: CollectionName, object: FakeObject, type: StoredEvent['type'], before: FakeObject | undefined): FakeObject {
    const version = ++this.#version;
    const snapshot: FakeObject = {...object, metadata: {...object.metadata, resourceVersion: String(version)}};
    const event = {version, collection, type, object: snapshot, before};
    this.#events.push(event);
    // Listeners are told in a microtask, when the store is consistent; the order is that of the versions.
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener(event);
    });
    return snapshot;
  }

  #timestamp(): string {
    return new Date(this.#now()).toISOString().replace(/\.\d+Z$/, 'Z');
  }
}

function withoutMetadataAndStatus(object: FakeObject): object {
  const {metadata: _metadata, status: _status, ...rest} = object;
  return rest;
}
