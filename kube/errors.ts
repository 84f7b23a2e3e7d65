/** The error of every failed call to a Kubernetes API server, with its `Status` already parsed. */

/** One cause inside `Status.details.causes`. */
export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

/** What an `ApiError` carries. `status` is the HTTP code, or 0 when no answer came (connection error). */
export interface ApiErrorInit {
  readonly status: number;
  /** `Status.reason`: NotFound, AlreadyExists, Conflict, Invalid, Forbidden, Expired, … or `Unknown`. */
  readonly reason: string;
  readonly message: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterMs?: number;
  readonly verb: string;
  /** Plural of the resource, or the path of a raw call. */
  readonly resource: string;
  readonly cause?: unknown;
}

/** A failed call. Nothing above the transport looks at HTTP codes except through the predicates below. */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string;
  readonly causes: readonly StatusCause[];
  readonly retryAfterMs: number | undefined;
  readonly verb: string;
  readonly resource: string;

  constructor(init: ApiErrorInit) {
    super(init.message, init.cause === undefined ? undefined : {cause: init.cause});
    this.name = 'ApiError';
    this.status = init.status;
    this.reason = init.reason;
    this.causes = init.causes ?? [];
    this.retryAfterMs = init.retryAfterMs;
    this.verb = init.verb;
    this.resource = init.resource;
  }
}

const isApi = (error: unknown): error is ApiError => error instanceof ApiError;

/** 404: the object, or its kind, is not there. */
export const isNotFound = (error: unknown): error is ApiError => isApi(error) && error.status === 404;
/** 409 because an object of that name exists. */
export const isAlreadyExists = (error: unknown): error is ApiError =>
  isApi(error) && error.status === 409 && error.reason === 'AlreadyExists';
/** 409 because a precondition (resourceVersion, uid) did not hold, or field managers collide. A failed json-patch `test` is 422: isInvalid. */
export const isConflict = (error: unknown): error is ApiError => isApi(error) && error.status === 409 && error.reason !== 'AlreadyExists';
/** 410: the resourceVersion or the continue token is too old. */
export const isGone = (error: unknown): error is ApiError =>
  isApi(error) && (error.status === 410 || error.reason === 'Expired' || error.reason === 'Gone');
/** 422: the object breaks its schema, a CEL rule or a webhook's validation. */
export const isInvalid = (error: unknown): error is ApiError => isApi(error) && error.status === 422;
/** 403: RBAC, or an admission plugin, said no. */
export const isForbidden = (error: unknown): error is ApiError => isApi(error) && error.status === 403;
/** 429: come back later (`retryAfterMs`). */
export const isTooManyRequests = (error: unknown): error is ApiError => isApi(error) && error.status === 429;
/** 5xx or no answer at all: the server's state is unknown. */
export const isServerFailure = (error: unknown): error is ApiError => isApi(error) && (error.status === 0 || error.status >= 500);
