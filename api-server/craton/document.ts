/** Members that all three kinds of document share. Pure. */
import {uuidOf} from '../../crds/rules/ids.ts';
import {UPDATED_AT} from '../store/times.ts';
import type {Stored} from '../store/types.ts';
import type {Problems} from './errors.ts';
import type {Plan} from './kind.ts';

/** A document as it is sent; undefined members are left out. */
export type Document = Readonly<Record<string, unknown>>;

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

/** The UUID that a new object is to have. An object keeps the one it has: another one is a problem. */
export function givenUuid(
  member: string,
  wanted: string | undefined,
  current: Stored | undefined,
  problems: Problems,
): Plan<object>['uuid'] {
  if (wanted === undefined) return undefined;
  if (current === undefined) return {member, value: wanted};
  if (uuidOf(current) !== wanted) problems.add(member, 'cannot be changed');
  return undefined;
}
