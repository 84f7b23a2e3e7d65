/** How objects of our kinds are found: by integer id, uuid and display name. Pure. */
import type {IndexFunction} from '../../kube/informer.ts';
import type {Stored} from './types.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** `spec` members that identify; every kind has some of them. */
interface Identified {
  readonly id?: number;
  readonly name?: string;
  readonly hostname?: string;
}

/** The integer id of an object, when it has one yet. */
export function idOf(object: Stored): number | undefined {
  return (object.spec as Identified).id;
}

/**
 * The uuid of an object: as recorded in its status, else its name when that is a UUID, else its uid (what the operator will record).
 * `metadata.uid` alone would change when a backup is restored.
 */
export function uuidOf(object: Stored): string {
  const {name, uid} = object.metadata;
  return object.status?.uuid ?? (UUID.test(name) ? name : (uid ?? name));
}

/** The display name: `spec.name`, of a Host `spec.hostname`, else `metadata.name`. */
export function displayNameOf(object: Stored): string {
  const {name, hostname} = object.spec as Identified;
  return name ?? hostname ?? object.metadata.name;
}

/** Index functions of every collection. */
export const INDEXES = {
  id: (object) => {
    const id = idOf(object);
    return id === undefined ? [] : [String(id)];
  },
  uuid: (object) => [uuidOf(object)],
  name: (object) => [displayNameOf(object)],
} as const satisfies Record<string, IndexFunction<Stored>>;

/** Older first: creation time, then uid, so that two replicas agree. */
export function byAge(a: Stored, b: Stored): number {
  return (
    compare(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') || compare(a.metadata.uid ?? '', b.metadata.uid ?? '')
  );
}

/** The order of lists: by id; what has none yet comes last, older first. */
export function byIdThenAge(a: Stored, b: Stored): number {
  return (idOf(a) ?? Number.MAX_SAFE_INTEGER) - (idOf(b) ?? Number.MAX_SAFE_INTEGER) || byAge(a, b);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
