/** The one place where anything thrown becomes a `Failure`: our own pass through, the cluster's are translated, the rest is a defect. */
import {
  ApiError,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isGone,
  isInvalid,
  isNotFound,
  isServerFailure,
  isTooManyRequests,
} from '../../kube/errors.ts';
import {Failure} from './failure.ts';

/** Turns any thrown value into a `Failure`; never throws. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof ApiError) return clusterFailure(error);
  if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError'))
    return new Failure('timeout', undefined, {cause: error});
  return new Failure('internal', undefined, {cause: error});
}

/** What the authorizer says; an admission policy, which looks at the object, has words of its own. */
const DENIED_TO_US = /is forbidden: User "[^"]*" cannot /;

/**
 * Translates a failed call to the cluster. The cluster's texts name objects of ours (namespaces, generated names), so only those of a
 * validation reach the client.
 */
export function clusterFailure(error: ApiError): Failure {
  // Asked as `unknown`: the predicates would narrow an ApiError that fails one of them to never.
  const cause: unknown = error;
  if (isNotFound(cause)) return new Failure('not-found', undefined, {cause});
  if (isAlreadyExists(cause)) return new Failure('already-exists', undefined, {cause});
  if (isConflict(cause) || isGone(cause)) return new Failure('conflict', 'The object was changed at the same time, try again', {cause});
  if (isInvalid(cause)) {
    const fields = error.causes.map(({field, message}) => ({path: field ?? '', message: message ?? 'invalid'}));
    return new Failure('invalid', fields.length > 0 ? fields.map(({path, message}) => `${path}: ${message}`).join('; ') : undefined, {
      fields,
      cause,
    });
  }
  if (isTooManyRequests(cause) || isServerFailure(cause)) {
    return new Failure('unavailable', undefined, {retryAfterSeconds: Math.max(1, Math.ceil((error.retryAfterMs ?? 1000) / 1000)), cause});
  }
  // Our own rights are part of the chart: that we lack one is no fault of the request. A cluster that has just started knows no rights yet.
  if (isForbidden(cause) && DENIED_TO_US.test(error.message)) return new Failure('unavailable', undefined, {retryAfterSeconds: 1, cause});
  if (isForbidden(cause)) return new Failure('forbidden', 'Refused by the policy of the cluster', {cause});
  return new Failure('internal', undefined, {cause});
}
