/** What a reflector does when a list or a watch fails: pure, one row per cause. */
import {ApiError, isForbidden, isGone, isNotFound} from './errors.ts';
import {isErrorEvent} from './status-error.ts';

/** Why a watch ended or a list failed; a label of metrics. */
export type EndReason =
  | 'closed'
  | 'connection'
  | 'idle'
  | 'gone'
  | 'error_event'
  | 'malformed'
  | 'throttled'
  | 'forbidden'
  | 'not_served'
  | 'server_error'
  | 'internal';

/** What follows. */
export interface Reaction {
  readonly reason: EndReason;
  /** List anew, because what was seen so far is no basis to resume from. */
  readonly relist: boolean;
  /** The server asked for at least this wait, in milliseconds. */
  readonly waitMs?: number;
  /** A person has to do something (RBAC, a missing CRD): the process is not ready. */
  readonly problem?: string;
}

/** The reaction to a failure. */
export function reactionTo(error: unknown): Reaction {
  if (!(error instanceof ApiError)) return {reason: 'internal', relist: true};
  const is = (predicate: (error: unknown) => boolean): boolean => predicate(error);
  const waitMs = error.retryAfterMs === undefined ? {} : {waitMs: error.retryAfterMs};
  if (is(isGone)) return {reason: 'gone', relist: true};
  if (isErrorEvent(error)) return {reason: 'error_event', relist: true, ...waitMs};
  if (error.reason === 'MalformedEvent' || error.reason === 'MalformedAnswer') return {reason: 'malformed', relist: true};
  if (error.reason === 'IdleTimeout') return {reason: 'idle', relist: false};
  if (is(isForbidden) || error.status === 401) return {reason: 'forbidden', relist: false, problem: error.message};
  if (is(isNotFound)) return {reason: 'not_served', relist: true, problem: `${error.resource}: not served; is its CRD installed?`};
  if (error.status === 429 || error.status === 503) return {reason: 'throttled', relist: false, ...waitMs};
  if (error.status === 0) return {reason: 'connection', relist: false};
  return {reason: 'server_error', relist: false, ...waitMs};
}
