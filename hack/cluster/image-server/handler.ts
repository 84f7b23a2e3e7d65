/**
 * A static file server for images, for GET and HEAD with ranges. Two words in a path mean trouble on demand: `/fail/…` (any path that
 * contains `fail`) is 404, and `/slow/tiny.raw` comes at 1 MiB/s.
 */
import {createReadStream, statSync} from 'node:fs';
import type {IncomingMessage, ServerResponse} from 'node:http';
import {basename, join} from 'node:path';
import {Transform, pipeline} from 'node:stream';

const SLOW_CHUNK = 64 * 1024;
const SLOW_PAUSE_MS = 62;

/** What a request asks for: the file's name and how, or the status to refuse it with. */
export type Wanted = {readonly file: string; readonly slow: boolean} | {readonly status: 404 | 405};

/** Pure part of the server. */
export function readRequest(method: string, url: string): Wanted {
  if (method !== 'GET' && method !== 'HEAD') return {status: 405};
  const path = new URL(url, 'http://localhost').pathname;
  const file = basename(path); // no folder of the request reaches the file system
  if (path.includes('fail') || file === '' || file.startsWith('.')) return {status: 404};
  return {file, slow: path.split('/').includes('slow')};
}

/** `bytes=a-b` of a file of `size` bytes; undefined for no range or one that is not understood, `none` when it lies outside. */
export function readRange(header: string | undefined, size: number): {start: number; end: number} | 'none' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const start = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = match[1] === '' || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  return start > end ? 'none' : {start, end};
}

/** The request handler for the files of one folder. */
export function imageHandler(folder: string): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const wanted = readRequest(request.method ?? 'GET', request.url ?? '/');
    if ('status' in wanted) return void response.writeHead(wanted.status).end();
    const path = join(folder, wanted.file);
    const stat = statSync(path, {throwIfNoEntry: false});
    if (stat === undefined || !stat.isFile()) return void response.writeHead(404).end();
    const range = readRange(request.headers.range, stat.size);
    if (range === 'none') return void response.writeHead(416, {'content-range': `bytes */${stat.size}`}).end();
    const {start, end} = range ?? {start: 0, end: stat.size - 1};
    response.writeHead(range === undefined ? 200 : 206, {
      'content-type': 'application/octet-stream',
      'content-length': end - start + 1,
      'accept-ranges': 'bytes',
      'last-modified': stat.mtime.toUTCString(),
      ...(range === undefined ? {} : {'content-range': `bytes ${start}-${end}/${stat.size}`}),
    });
    if (request.method === 'HEAD') return void response.end();
    const stages = wanted.slow ? [new Slow()] : [];
    pipeline([createReadStream(path, {start, end, ...(wanted.slow ? {highWaterMark: SLOW_CHUNK} : {})}), ...stages, response], (error) => {
      if (error !== null && error !== undefined) response.destroy(); // the client has gone
    });
  };
}

class Slow extends Transform {
  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: null, chunk: Buffer) => void): void {
    setTimeout(() => done(null, chunk), SLOW_PAUSE_MS);
  }
}
