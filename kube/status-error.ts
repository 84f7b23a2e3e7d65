/** From what a server, a socket or a timer did to an `ApiError`. */
import {isNativeError} from 'node:util/types';
import {ApiError} from './errors.ts';
import type {StatusCause} from './errors.ts';

/** What a call was, for its errors. */
export interface CallName {
  readonly verb: string;
  /** Plural of the resource, or a raw path. */
  readonly resource: string;
}

/** A `Status` (meta/v1), as answers and ERROR events carry it. */
interface Status {
  readonly kind?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {readonly causes?: readonly StatusCause[]; readonly retryAfterSeconds?: number} | null;
}

/** A longer text of a proxy or a webhook helps nobody and may be a whole HTML page. */
const LONGEST_MESSAGE = 2000;

/** The error of an answer from 400 up. */
export function errorOfAnswer(
  call: CallName,
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: string,
): ApiError {
  const parsed = parseStatus(body);
  const retryAfterMs = retryAfterOf(headers['retry-after']) ?? secondsToMs(parsed?.details?.retryAfterSeconds);
  return statusError(call, status, parsed, retryAfterMs, body);
}

/** Marks an error that came inside a watch, not as its answer. */
class ErrorEvent extends Error {}

/** The error of an ERROR event of a watch; `object` is its Status. */
export function errorOfEvent(call: CallName, object: unknown): ApiError {
  const status = (typeof object === 'object' && object !== null ? object : {}) as Status;
  const cause = new ErrorEvent('ERROR event');
  return statusError(call, status.code ?? 500, status, secondsToMs(status.details?.retryAfterSeconds), '', cause);
}

/** Whether an error is that of an ERROR event: the stream had begun well. */
export const isErrorEvent = (error: ApiError): boolean => error.cause instanceof ErrorEvent;

/** The error of a call that got no (whole) answer. */
export function errorOfConnection(call: CallName, cause: unknown): ApiError {
  const code = codeOf(cause);
  const text = isNativeError(cause) ? cause.message : String(cause);
  const message = `${call.verb} ${call.resource}: ${code === undefined || text.includes(code) ? text : `${code}: ${text}`}`;
  return new ApiError({...call, status: 0, reason: 'ConnectionError', message, cause});
}

/** The error of a call that ran into its deadline. */
export function errorOfDeadline(call: CallName, timeoutMs: number): ApiError {
  return new ApiError({
    ...call,
    status: 0,
    reason: 'DeadlineExceeded',
    message: `${call.verb} ${call.resource}: no answer within ${timeoutMs} ms`,
  });
}

/** Whether the request cannot have reached the server, so that sending it again repeats nothing. */
export function neverSent(error: ApiError): boolean {
  const code = codeOf(error.cause);
  return (
    code !== undefined &&
    ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'].includes(code)
  );
}

/** A `Retry-After` in milliseconds. Kubernetes sends seconds; an HTTP date, which some proxies send, is left to the backoff. */
export function retryAfterOf(header: string | string[] | undefined): number | undefined {
  const text = typeof header === 'string' ? header.trim() : header?.[0]?.trim();
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : undefined;
}

function statusError(
  call: CallName,
  code: number,
  status: Status | undefined,
  retryAfterMs: number | undefined,
  body: string,
  cause?: Error,
): ApiError {
  return new ApiError({
    ...call,
    status: code,
    reason: status?.reason !== undefined && status.reason !== '' ? status.reason : 'Unknown',
    message: (status?.message ?? `${call.verb} ${call.resource}: HTTP ${code} ${body}`).trim().slice(0, LONGEST_MESSAGE),
    ...(status?.details?.causes === undefined ? {} : {causes: status.details.causes}),
    ...(retryAfterMs === undefined ? {} : {retryAfterMs}),
    cause,
  });
}

function parseStatus(body: string): Status | undefined {
  if (!body.startsWith('{')) return undefined;
  try {
    const parsed = JSON.parse(body) as Status;
    return parsed.kind === 'Status' ? parsed : undefined;
  } catch {
    return undefined; // not a Status: the text itself goes into the message
  }
}

const secondsToMs = (seconds: number | undefined): number | undefined =>
  seconds === undefined || seconds <= 0 ? undefined : seconds * 1000;

/** The system's or undici's code, also from under an aggregate (happy eyeballs) or a cause. */
function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined; // no instanceof: another realm's errors (a test's) count too
  const {code, errors, cause} = error as {code?: unknown; errors?: unknown; cause?: unknown};
  if (typeof code === 'string') return code;
  return codeOf(Array.isArray(errors) ? errors[0] : cause);
}
