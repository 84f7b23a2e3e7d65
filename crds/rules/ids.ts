/** Ids: the integer and the UUID by which the APIs know an object. Pure. */
import type {ObjectMeta} from '../resource.ts';
import {isUuid} from './names.ts';

/** The largest integer id. */
export const MAX_ID = 2_147_483_647;

/** An integer id as clients write it (`42`); undefined for anything else, leading zeros included. */
export function parseId(text: string): number | undefined {
  if (!/^[1-9]\d{0,9}$/.test(text)) return undefined;
  const id = Number(text);
  return id <= MAX_ID ? id : undefined;
}

/** An object, as far as ids need it. */
export interface Identified {
  readonly metadata: ObjectMeta;
  readonly spec: object;
  readonly status?: {readonly uuid?: string};
}

/** `spec.id` of an object, when its kind has one and it is set. */
export const idOf = (object: Identified): number | undefined => (object.spec as {readonly id?: number}).id;

/**
 * The UUID of an object: as recorded in its status, else its name when that is one, else its uid, which is what the operator will record.
 * `metadata.uid` alone would change when a backup is restored. Undefined only for an object that was never stored.
 */
export const uuidOf = ({metadata, status}: Identified): string | undefined =>
  status?.uuid ?? (isUuid(metadata.name) ? metadata.name : metadata.uid);

/** Whether `a` came before `b`: by creation time, then by uid, so that everybody agrees. */
export function isOlder(a: Identified, b: Identified): boolean {
  const [timeA, timeB] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  return timeA === timeB ? (a.metadata.uid ?? '') < (b.metadata.uid ?? '') : timeA < timeB;
}

/** The object that rightfully has an id among those that carry it: the oldest. Undefined for none. */
export const rightfulOwner = <T extends Identified>(sameId: readonly T[]): T | undefined =>
  sameId.reduce<T | undefined>((oldest, object) => (oldest === undefined || isOlder(object, oldest) ? object : oldest), undefined);

/** The counter of a kind's ids: a ConfigMap of the system namespace. Both programs take from it, so both must call it the same. */
export const sequenceName = (kind: string): string => `ids-${kind.toLowerCase()}`;
