/** Our own error format (RFC 9457 problem JSON): for paths that belong to none of the documented APIs. */
import type {Failure} from './failure.ts';
import type {Answer} from './types.ts';

/** Headers that follow from a failure in every format: `Retry-After`, `Allow`. */
export function failureHeaders(failure: Failure): Record<string, string> {
  const headers: Record<string, string> = {};
  if (failure.retryAfterSeconds !== undefined) headers['retry-after'] = String(failure.retryAfterSeconds);
  if (failure.allow.length > 0) headers['allow'] = failure.allow.join(', ');
  return headers;
}

/** Renders a failure as problem JSON. */
export function writeProblem(failure: Failure): Answer {
  return {
    status: failure.status,
    headers: {...failureHeaders(failure), 'content-type': 'application/problem+json'},
    body: {
      type: 'about:blank',
      title: failure.message,
      status: failure.status,
      code: failure.code,
      ...(failure.fields.length > 0 ? {fields: failure.fields} : {}),
    },
  };
}
