/** Looking objects up by integer id and by UUID: index functions for informers, and the one answer when an index finds several. */
import type {Lister} from './informer.ts';
import type {KubeObject} from './objects.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** An object that may carry the two identities. */
export interface Identified extends KubeObject {
  readonly spec?: {readonly id?: number | undefined} | undefined;
  readonly status?: {readonly uuid?: string | undefined} | undefined;
}

/**
 * The UUID by which an object is known: the recorded one, else its name when that is a UUID, else `metadata.uid`. The recorded one comes
 * first because `metadata.uid` changes when a backup is restored.
 */
export function uuidOf(object: Identified): string | undefined {
  const {name, uid} = object.metadata;
  return object.status?.uuid ?? (UUID.test(name) ? name : uid);
}

/** Index functions `id` (decimal `spec.id`) and `uuid`, to be spread into the indexes of an informer. */
export const identityIndexes = {
  id: (object: Identified): readonly string[] => (object.spec?.id === undefined ? [] : [String(object.spec.id)]),
  uuid: (object: Identified): readonly string[] => {
    const uuid = uuidOf(object);
    return uuid === undefined ? [] : [uuid];
  },
} as const;

/** The oldest of several (by creation, then uid, so that everybody agrees): a duplicate made by hand never takes over an id. */
export function oldest<T extends KubeObject>(objects: readonly T[]): T | undefined {
  const ageKey = (object: T): string => `${object.metadata.creationTimestamp ?? '9'} ${object.metadata.uid ?? ''}`;
  return objects.reduce<T | undefined>(
    (first, object) => (first === undefined || ageKey(object) < ageKey(first) ? object : first),
    undefined,
  );
}

/** The object with this integer id, or undefined. The informer has {@link identityIndexes}. */
export function findById<T extends KubeObject>(lister: Lister<T>, id: number): T | undefined {
  return oldest(lister.byIndex('id', String(id)));
}

/** The object with this UUID, or undefined. The informer has {@link identityIndexes}. */
export function findByUuid<T extends KubeObject>(lister: Lister<T>, uuid: string): T | undefined {
  return oldest(lister.byIndex('uuid', uuid.toLowerCase()));
}
