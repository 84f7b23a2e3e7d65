/**
 * The catalogue of internal errors: one stable code per way to fail, its usual HTTP status, and whether trying again helps. Each REST
 * API's writer renders them in its own format. Codes are never reused; clients and tests match on the code, not on the text.
 */

interface CatalogueEntry {
  readonly status: number;
  /** Whether the same request may succeed later without a change. */
  readonly retry: boolean;
  readonly message: string;
}

/** Every code. `message` is what is said when the thrower gives no better text. */
export const FAILURES = {
  /** The request cannot be understood: syntax, a missing or unknown member, a value out of range. */
  'bad-request': {status: 400, retry: false, message: 'Bad request'},
  /** Members of the body or arguments break their rules; `fields` names each. */
  invalid: {status: 400, retry: false, message: 'Invalid input'},
  /** The body is not what the media type or the API says (JSON, form, text). */
  'bad-body': {status: 400, retry: false, message: 'The request body cannot be parsed'},
  /** No credentials, or wrong ones. */
  unauthenticated: {status: 401, retry: false, message: 'Access denied'},
  /** Too many wrong credentials from this user and address; `retryAfterSeconds` is set. */
  'too-many-failures': {status: 429, retry: true, message: 'Too many failed attempts, try again later'},
  /** The account lacks the role or the grant. */
  forbidden: {status: 403, retry: false, message: 'Forbidden'},
  /** The named object is not there, or is another account's. */
  'not-found': {status: 404, retry: false, message: 'Not found'},
  /** No route has this path. */
  'unknown-path': {status: 404, retry: false, message: 'API endpoint not found'},
  /** The path exists, the verb does not; `allow` lists those that do. */
  'method-not-allowed': {status: 405, retry: false, message: 'Method not allowed'},
  /** No format that the client accepts. */
  'not-acceptable': {status: 406, retry: false, message: 'Not acceptable'},
  /** The object's state does not admit the operation. */
  conflict: {status: 409, retry: false, message: 'Conflict'},
  /** An object with this name or key exists. */
  'already-exists': {status: 409, retry: false, message: 'Already exists'},
  /** The object is in use by another (a mounted drive, a claimed address). */
  'in-use': {status: 409, retry: true, message: 'currently in use'},
  /** The object is still being built. */
  building: {status: 409, retry: true, message: 'Build in progress'},
  /** The body is larger than the route takes. */
  'payload-too-large': {status: 413, retry: false, message: 'Request body too large'},
  /** A limit or quota is reached. */
  'over-limit': {status: 413, retry: false, message: 'Limit exceeded'},
  /** The media type of the body is not taken. */
  'unsupported-media-type': {status: 415, retry: false, message: 'Unsupported media type'},
  /** A defect of ours; the cause is logged, never sent. */
  internal: {status: 500, retry: true, message: 'Internal error'},
  /** Documented, and not there yet. */
  'not-implemented': {status: 501, retry: false, message: 'Not implemented'},
  /** The cluster did not answer, is too busy, or we are shutting down; `retryAfterSeconds` may be set. */
  unavailable: {status: 503, retry: true, message: 'Service unavailable'},
  /** The observed state did not settle in time. */
  timeout: {status: 504, retry: true, message: 'Timed out'},
} as const satisfies Record<string, CatalogueEntry>;

/** A stable error code. */
export type FailureCode = keyof typeof FAILURES;

/** One offending member: its path (`server.name`, `data`, `limit`) and what is wrong with it. */
export interface FieldProblem {
  readonly path: string;
  readonly message: string;
}

/** Details of a failure beyond code and message. */
export interface FailureOptions {
  readonly fields?: readonly FieldProblem[];
  readonly retryAfterSeconds?: number;
  /** Verbs that the path has; of `method-not-allowed`. */
  readonly allow?: readonly string[];
  /** Status in place of the catalogue's, where one API documents another one for this case. */
  readonly status?: number;
  /** Anything that only the module's own writer understands (echoed keys, a fault name). */
  readonly extra?: unknown;
  readonly cause?: unknown;
}

/** What handlers throw. The message is shown to the client: no secrets, no names of other accounts' things. */
export class Failure extends Error {
  readonly code: FailureCode;
  /** HTTP status: the catalogue's unless overridden. */
  readonly status: number;
  readonly fields: readonly FieldProblem[];
  readonly retryAfterSeconds: number | undefined;
  readonly allow: readonly string[];
  readonly extra: unknown;

  constructor(code: FailureCode, message?: string, options: FailureOptions = {}) {
    super(message ?? FAILURES[code].message, options.cause === undefined ? undefined : {cause: options.cause});
    this.name = 'Failure';
    this.code = code;
    this.status = options.status ?? FAILURES[code].status;
    this.fields = options.fields ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.allow = options.allow ?? [];
    this.extra = options.extra;
  }
}
