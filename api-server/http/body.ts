/** Reads request bodies within a limit and parses them on demand. */
import type {IncomingMessage} from 'node:http';
import {Failure} from './failure.ts';
import {parseMultipart} from './multipart.ts';
import type {RequestBody} from './types.ts';

/** Largest body of a route that names no limit of its own: 1 MiB. */
export const DEFAULT_BODY_LIMIT_BYTES = 1024 * 1024;

/** Lower-cased media type of a Content-Type header, without parameters. */
export function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/**
 * Reads a whole body. Throws `payload-too-large` above the limit (without reading on) and the signal's reason when it aborts first; a
 * client that goes away is a `bad-body`, which nobody will see.
 */
export async function readBody(request: IncomingMessage, limitBytes: number, signal: AbortSignal): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? Number.NaN);
  if (announced > limitBytes) throw tooLarge(limitBytes);
  if (announced === 0 || (Number.isNaN(announced) && request.headers['transfer-encoding'] === undefined)) return Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (finish: () => void): void => {
      request.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
      signal.removeEventListener('abort', onAbort);
      finish();
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > limitBytes) return settle(() => reject(tooLarge(limitBytes)));
      chunks.push(chunk);
    };
    const onEnd = (): void =>
      settle(() => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes)));
    const onError = (cause: Error): void => settle(() => reject(new Failure('bad-body', 'The request body broke off', {cause})));
    const onClose = (): void => settle(() => reject(new Failure('bad-body', 'The request body broke off')));
    const onAbort = (): void => settle(() => reject(signal.reason as Error));
    request.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
    signal.addEventListener('abort', onAbort, {once: true});
    if (signal.aborted) onAbort();
  });
}

function tooLarge(limitBytes: number): Failure {
  return new Failure('payload-too-large', `The request body is larger than ${limitBytes} bytes`);
}

/** A body with its parsers; each parses at most once. */
export function requestBody(raw: Buffer, contentType: string | undefined): RequestBody {
  const mediaType = mediaTypeOf(contentType);
  let parsed: {readonly value: unknown} | undefined;
  return {
    raw,
    mediaType,
    text: () => raw.toString('utf8'),
    json: () => (parsed ??= {value: parseJson(raw)}).value,
    form: () => (mediaType === 'multipart/form-data' ? parseMultipart(raw, contentType ?? '') : new URLSearchParams(raw.toString('utf8'))),
  };
}

function parseJson(raw: Buffer): unknown {
  if (raw.length === 0) throw new Failure('bad-body', 'The request body is empty, JSON is expected');
  try {
    return JSON.parse(raw.toString('utf8'));
  } catch (cause) {
    throw new Failure('bad-body', 'The request body is not valid JSON', {cause});
  }
}

/** Whether a JSON value is an object (not null, not an array). */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
