/** Members that all three kinds of document share. Pure. */
import {uuidOf} from '../../crds/rules/ids.ts';
import type {Stored} from '../store/types.ts';

/** A document as it is sent; undefined members are left out. */
export type Document = Readonly<Record<string, unknown>>;

/** When the api-server last changed an object at a client's request (RFC 3339). */
export const UPDATED_AT = 'basalt.dev/updated-at';

/** ISO 8601 with microseconds and without a zone, as the servers that existed wrote it. */
export function cratonTime(rfc3339: string): string {
  const [seconds = '', fraction = ''] = rfc3339.replace(/Z$/, '').split('.');
  return `${seconds}.${fraction.padEnd(6, '0').slice(0, 6)}`;
}

/** `created_at`, and `updated_at`, which is null until the first update. */
export function timesOf({metadata}: Stored): Document {
  const updated = metadata.annotations?.[UPDATED_AT];
  return {
    created_at: metadata.creationTimestamp === undefined ? null : cratonTime(metadata.creationTimestamp),
    updated_at: updated === undefined ? null : cratonTime(updated),
  };
}

/** Whether an object is the one that `?id=` and `?uuid=` ask for. */
export function matchesIdentity(
  object: Stored & {readonly spec: {readonly id?: number | undefined}},
  id: number | undefined,
  uuid: string | undefined,
): boolean {
  return (id === undefined || object.spec.id === id) && (uuid === undefined || uuidOf(object) === uuid);
}
