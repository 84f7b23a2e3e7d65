/** Puts an `Answer` on the wire: status, headers, and a body with its exact length. */
import type {ServerResponse} from 'node:http';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import type {Answer} from './types.ts';

/** Content type of answers that name none. */
export const DEFAULT_CONTENT_TYPE = 'application/json; charset=UTF-8';

/** What a module adds to each of its answers. */
export interface AnswerDefaults {
  readonly contentType?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** The bytes of a body that is not a stream; objects become JSON. */
export function bodyBytes(body: Exclude<Answer['body'], Readable>): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body), 'utf8');
}

/** Sends an answer; resolves when the last byte is handed to the socket. Returns the number of body bytes (of a stream: 0). */
export async function sendAnswer(response: ServerResponse, answer: Answer, defaults: AnswerDefaults): Promise<number> {
  response.statusCode = answer.status;
  response.setHeader('content-type', defaults.contentType ?? DEFAULT_CONTENT_TYPE);
  for (const [name, value] of Object.entries(defaults.headers ?? {})) response.setHeader(name, value);
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value as string | string[]);
  if (answer.body instanceof Readable) {
    // pipeline waits for the slow reader instead of buffering, and destroys the source when the client goes away.
    await pipeline(answer.body, response);
    return 0;
  }
  const bytes = bodyBytes(answer.body);
  response.setHeader('content-length', bytes.length);
  // Node itself leaves the body out for HEAD, 204 and 304.
  response.end(bytes);
  return bytes.length;
}
