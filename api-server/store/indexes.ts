/** How objects of our kinds are found: by integer id, uuid and display name. Pure. */
import {byAge, idOf, uuidOf} from '../../crds/rules/ids.ts';
import type {IndexFunction} from '../../kube/informer.ts';
import type {Stored} from './types.ts';

/** `spec` members that name; every kind has one of them. */
interface Named {
  readonly name?: string;
  readonly hostname?: string;
}

/** The display name: `spec.name`, of a Host `spec.hostname`, else `metadata.name`. */
export function displayNameOf(object: Stored): string {
  const {name, hostname} = object.spec as Named;
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

/** The order of lists: by id; what has none yet comes last, older first. */
export function byIdThenAge(a: Stored, b: Stored): number {
  return (idOf(a) ?? Number.MAX_SAFE_INTEGER) - (idOf(b) ?? Number.MAX_SAFE_INTEGER) || byAge(a, b);
}
