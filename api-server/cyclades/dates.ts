/** Times on the compute API's wire. Pure. */
import {Failure} from '../http/failure.ts';

/** How far back `changes-since` may reach: deleted servers are remembered as long. */
export const POLL_LIMIT_MS = 3600 * 1000;

/** `2014-02-12T08:31:37.834000+00:00`. */
export function apiDate(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000+00:00`;
}

/** `2016-12-20T10:14:07.988000`, as key pairs have it: UTC, without saying so. */
export function apiDateWithoutZone(ms: number): string {
  return apiDate(ms).slice(0, -'+00:00'.length);
}

const ISO_WITH_ZONE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?(Z|[+-]\d{2}(:?\d{2})?)$/;

/**
 * Reads the query argument `changes-since`; undefined when it is absent. An ISO 8601 time with a zone, not in the future, not older than
 * an hour, else 400.
 */
export function changesSince(query: URLSearchParams, nowMs: number): number | undefined {
  const value = query.get('changes-since');
  if (value === null) return undefined;
  const ms = ISO_WITH_ZONE.test(value) ? Date.parse(normalised(value)) : Number.NaN;
  if (Number.isNaN(ms)) throw new Failure('bad-request', 'Invalid changes-since value: an ISO 8601 time with a time zone is expected.');
  if (ms > nowMs) throw new Failure('bad-request', 'changes-since value set in the future.');
  if (nowMs - ms > POLL_LIMIT_MS) throw new Failure('bad-request', 'Too old changes-since value.');
  return ms;
}

/** `+0000` and `+00` as `Date.parse` wants them: `+00:00`. */
function normalised(value: string): string {
  const zone = /([+-]\d{2}):?(\d{2})?$/.exec(value.slice(16));
  const text = value.replace(',', '.');
  return zone === null ? text : `${text.slice(0, -zone[0].length)}${zone[1]}:${zone[2] ?? '00'}`;
}
