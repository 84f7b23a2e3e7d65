/**
 * What was deleted a while ago: the API still answers for it by id and in lists with changes-since, while the cluster has forgotten it.
 * Kept in memory, bounded in time and number; a restart forgets earlier.
 */
import {idOf} from '../../crds/rules/ids.ts';
import type {Clock} from '../../kube/clock.ts';
import type {Collection, Stored} from '../store/types.ts';

/** Bounds of {@link createTombstones}. */
export interface TombstoneLimits {
  /** Default: for ever, within the number. */
  readonly keepMs?: number;
  readonly max: number;
}

/** Last states of deleted objects. */
export interface Tombstones<T extends Stored> {
  byId(id: number, namespace?: string): T | undefined;
  byKey(key: string): T | undefined;
  /** Those of a namespace, deleted at `sinceMs` or later. */
  since(namespace: string, sinceMs: number): readonly T[];
}

/** Watches a collection for deletions. The last state carries a `deletionTimestamp`, made up when the object went without one. */
export function createTombstones<T extends Stored>(
  collection: Collection<T>,
  clock: Clock,
  {keepMs = Number.POSITIVE_INFINITY, max}: TombstoneLimits,
): Tombstones<T> {
  interface Entry {
    readonly object: T;
    readonly atMs: number;
  }
  /** By uid, oldest first. */
  const entries = new Map<string, Entry>();
  const byId = new Map<number, Entry>();

  const forget = (uid: string, {object}: Entry): void => {
    entries.delete(uid);
    const id = idOf(object);
    if (id !== undefined && byId.get(id)?.object === object) byId.delete(id);
  };

  const prune = (): void => {
    const oldest = clock.now() - keepMs;
    for (const [uid, entry] of entries) {
      if (entry.atMs >= oldest && entries.size <= max) break;
      forget(uid, entry);
    }
  };

  collection.onChange(({kind, object}) => {
    if (kind !== 'deleted') return;
    const atMs = clock.now();
    const {metadata} = object;
    const dead =
      metadata.deletionTimestamp === undefined
        ? {...object, metadata: {...metadata, deletionTimestamp: new Date(atMs).toISOString()}}
        : object;
    const entry = {object: dead, atMs};
    const id = idOf(object);
    entries.set(metadata.uid ?? metadata.name, entry);
    if (id !== undefined) byId.set(id, entry);
    prune();
  });

  const alive = (entry: Entry | undefined): T | undefined =>
    entry === undefined || entry.atMs < clock.now() - keepMs ? undefined : entry.object;

  return {
    byId(id, namespace) {
      const object = alive(byId.get(id));
      return object === undefined || (namespace !== undefined && object.metadata.namespace !== namespace) ? undefined : object;
    },
    byKey(key) {
      return [...entries.values()]
        .reverse()
        .find(
          ({object}) =>
            (object.metadata.namespace === undefined ? object.metadata.name : `${object.metadata.namespace}/${object.metadata.name}`) ===
            key,
        )?.object;
    },
    since(namespace, sinceMs) {
      prune();
      return [...entries.values()]
        .filter(({object, atMs}) => atMs >= sinceMs && object.metadata.namespace === namespace)
        .map(({object}) => object);
    },
  };
}
