/** An informer for unit tests: a map that a test fills by hand, with the handlers and indexes of the real one. */
import type {Change, IndexFunction, Informer} from '../../kube/informer.ts';
import {keyOf, refOfObject} from '../../kube/objects.ts';
import type {KubeObject} from '../../kube/objects.ts';

/** See the top of this file. Starts synced unless told otherwise. */
export class FakeInformer<T extends KubeObject> implements Informer<T> {
  readonly #objects = new Map<string, T>();
  readonly #handlers = new Set<(change: Change<T>) => void>();
  readonly #indexes: Readonly<Record<string, IndexFunction<T>>>;
  readonly #syncWaiters: (() => void)[] = [];
  hasSynced: boolean;
  revision = 0;
  started = 0;

  constructor(options: {readonly indexes?: Readonly<Record<string, IndexFunction<T>>>; readonly synced?: boolean} = {}) {
    this.#indexes = options.indexes ?? {};
    this.hasSynced = options.synced ?? true;
  }

  /** As a watch event would: adds or changes an object. */
  set(object: T): void {
    const key = keyOf(refOfObject(object));
    const oldObject = this.#objects.get(key);
    this.#objects.set(key, object);
    this.#tell(oldObject === undefined ? {kind: 'added', object} : {kind: 'modified', object, oldObject});
  }

  /** As a watch event would: deletes an object. */
  remove(key: string): void {
    const object = this.#objects.get(key);
    if (object === undefined) return;
    this.#objects.delete(key);
    this.#tell({kind: 'deleted', object});
  }

  /** The first list has arrived. */
  sync(): void {
    this.hasSynced = true;
    for (const resolve of this.#syncWaiters.splice(0)) resolve();
  }

  #tell(change: Change<T>): void {
    this.revision += 1;
    for (const handler of this.#handlers) handler(change);
  }

  start(): void {
    this.started += 1;
  }

  waitForSync(signal?: AbortSignal): Promise<void> {
    if (this.hasSynced) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#syncWaiters.push(resolve);
      signal?.addEventListener('abort', () => reject(signal.reason as Error), {once: true});
    });
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(namespace?: string): readonly T[] {
    return [...this.#objects.values()].filter((object) => namespace === undefined || object.metadata.namespace === namespace);
  }

  byIndex(name: string, value: string): readonly T[] {
    const index = this.#indexes[name];
    if (index === undefined) throw new Error(`no index ${name}`);
    return this.list().filter((object) => index(object).includes(value));
  }

  get size(): number {
    return this.#objects.size;
  }

  observe(object: T): void {
    if (this.get(keyOf(refOfObject(object)))?.metadata.resourceVersion !== object.metadata.resourceVersion) this.set(object);
  }

  waitForVersion(): Promise<void> {
    return Promise.resolve();
  }

  waitFor(key: string, predicate: (object: T | undefined) => boolean): Promise<T | undefined> {
    const object = this.get(key);
    return predicate(object) ? Promise.resolve(object) : Promise.reject(new Error(`FakeInformer does not wait (${key})`));
  }

  onChange(handler: (change: Change<T>) => void): () => void {
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }
}
