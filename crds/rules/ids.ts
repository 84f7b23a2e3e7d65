/** Ids: the integer and the UUID by which the APIs know an object. Pure. */
import type {ObjectMeta} from '../resource.ts';
import {isUuid} from './names.ts';

/** An object, as far as ids need it. */
export interface Identified {
  readonly metadata: ObjectMeta;
  readonly spec: object;
  readonly status?: {readonly uuid?: string};
}

/** `spec.id` of an object, when its kind has one and it is set. */
export const idOf = (object: Identified): number | undefined => (object.spec as {readonly id?: number}).id;

/**
 * The UUID of an object: as recorded in its status, else the one it came with (`spec.uuid`, where its kind has that), else its name when
 * that is one, else its uid, which is what the operator will record.
 * `metadata.uid` alone would change when a backup is restored.
 */
export const uuidOf = ({metadata: {name, uid}, spec, status}: Pick<Identified, 'metadata' | 'status'> & {readonly spec?: object}): string =>
  status?.uuid ?? (spec as {readonly uuid?: string} | undefined)?.uuid ?? (isUuid(name) ? name : (uid ?? name));

/** Order of age, oldest first: by creation time, which has whole seconds only, then by namespace and name, so that everybody agrees. */
export function byAge({metadata: a}: Pick<Identified, 'metadata'>, {metadata: b}: Pick<Identified, 'metadata'>): number {
  const order = compare(a.creationTimestamp ?? '', b.creationTimestamp ?? '') || compare(a.namespace ?? '', b.namespace ?? '');
  return order || compare(a.name, b.name);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The counter of a kind's ids: a ConfigMap of the system namespace. Both programs take from it, so both must call it the same. */
export const sequenceName = (kind: string): string => `ids-${kind.toLowerCase()}`;
