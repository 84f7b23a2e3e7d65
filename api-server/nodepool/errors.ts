/** Errors of the Nodepool API: JSON, HTML or plain text, whichever the client prefers; plain text when it does not say. */
import {STATUS_CODES} from 'node:http';
import type {Failure} from '../http/failure.ts';
import type {Answer, FailedRequest} from '../http/types.ts';

/** Formats of an error body. */
export type ErrorFormat = 'json' | 'html' | 'text';

const FORMATS: readonly (readonly [type: string, format: ErrorFormat])[] = [
  ['text/plain', 'text'],
  ['application/json', 'json'],
  ['text/html', 'html'],
];

/** One range of an Accept header. */
interface AcceptRange {
  readonly type: string;
  readonly quality: number;
}

function readAccept(header: string): AcceptRange[] {
  return header.split(',').map((part) => {
    const [type = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
    const quality = parameters.find((word) => word.startsWith('q='));
    const value = quality === undefined ? 1 : Number(quality.slice(2));
    return {type, quality: Number.isFinite(value) ? value : 0};
  });
}

/** How much a client wants a media type: the most exact range that covers it decides. */
function qualityOf(ranges: readonly AcceptRange[], type: string): number {
  const family = `${type.slice(0, type.indexOf('/'))}/*`;
  for (const candidate of [type, family, '*/*']) {
    const range = ranges.find((entry) => entry.type === candidate);
    if (range !== undefined) return range.quality;
  }
  return 0;
}

/** The format of an error body: the most wanted, plain text first among equals and when none of ours is wanted. */
export function errorFormat(accept: string | undefined): ErrorFormat {
  const ranges = readAccept(accept === undefined || accept.trim() === '' ? '*/*' : accept);
  let best: ErrorFormat = 'text';
  let bestQuality = 0;
  for (const [type, format] of FORMATS) {
    const quality = qualityOf(ranges, type);
    if (quality > bestQuality) [best, bestQuality] = [format, quality];
  }
  return best;
}

/** Whether the client takes JSON at all. */
export function acceptsJson(accept: string | undefined): boolean {
  return accept === undefined || accept.trim() === '' || qualityOf(readAccept(accept), 'application/json') > 0;
}

const escapeHtml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function describe(failure: Failure, request: FailedRequest): string {
  switch (failure.code) {
    case 'unknown-path':
      return 'The resource could not be found.';
    case 'method-not-allowed':
      return `The method ${request.method} is not allowed for this resource.`;
    case 'not-implemented':
      return `${request.method} ${request.mount}${request.path} is not implemented`;
    default:
      return failure.message;
  }
}

/** Renders any failure. */
export function writeError(failure: Failure, request: FailedRequest): Answer {
  const code = failure.status;
  const title = STATUS_CODES[code] ?? 'Error';
  const description = describe(failure, request);
  const headers: Record<string, string> = {};
  if (code === 401) headers['www-authenticate'] = 'Basic realm="Nodepool API", charset="UTF-8"';
  if (failure.allow.length > 0) headers['allow'] = failure.allow.join(', ');
  if (failure.retryAfterSeconds !== undefined) headers['retry-after'] = String(failure.retryAfterSeconds);
  switch (errorFormat(request.headers.accept)) {
    case 'json':
      return {status: code, headers: {...headers, 'content-type': 'application/json'}, body: {code, title, description}};
    case 'html':
      return {
        status: code,
        headers: {...headers, 'content-type': 'text/html; charset=UTF-8'},
        body: `<html><head><title>${code} ${title}</title></head><body><h1>${code} ${title}</h1><p>${escapeHtml(description)}</p></body></html>\n`,
      };
    case 'text':
      return {
        status: code,
        headers: {...headers, 'content-type': 'text/plain; charset=UTF-8'},
        body: `${code} ${title}\n\n${description}\n`,
      };
  }
}
