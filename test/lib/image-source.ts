/** A source of images for tests: an HTTP server on loopback that can be slow, cut a transfer, refuse, and come back. */
import {createServer} from 'node:http';
import type {IncomingMessage, ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';

/** How a path behaves. */
export interface SourceBehaviour {
  readonly bytes: Buffer;
  /** Bytes per second; absent: as fast as it goes. */
  readonly bytesPerSecond?: number;
  /** The connection is cut after so many bytes of a body. */
  readonly cutAfterBytes?: number;
  /** Every request is answered with this, without a body. */
  readonly status?: number;
}

/** A running source. */
export interface ImageSource {
  url(path: string): string;
  /** Sets or changes what a path does; one that was never set is a 404. */
  serve(path: string, behaviour: SourceBehaviour): void;
  /** Requests for bodies of a path so far. */
  requests(path: string): number;
  close(): Promise<void>;
}

const CHUNK_BYTES = 64 * 1024;

/** Starts it on a free port. */
export async function startImageSource(): Promise<ImageSource> {
  const paths = new Map<string, SourceBehaviour>();
  const requests = new Map<string, number>();
  const stop = new AbortController();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (request.method === 'GET') requests.set(path, (requests.get(path) ?? 0) + 1);
    // A transfer that the other side gives up, or that is cut here, ends with an error that is nobody's.
    answer(request, response, paths.get(path), stop.signal).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  return {
    url: (path) => `http://127.0.0.1:${port}${path}`,
    serve: (path, behaviour) => void paths.set(path, behaviour),
    requests: (path) => requests.get(path) ?? 0,
    async close() {
      stop.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  behaviour: SourceBehaviour | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (behaviour === undefined || behaviour.status !== undefined) {
    response.writeHead(behaviour?.status ?? 404).end();
    return;
  }
  const {bytes, bytesPerSecond, cutAfterBytes = Infinity} = behaviour;
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const from = Number(range?.[1] ?? 0);
  const to = Math.min(bytes.length - 1, range === null || range[2] === '' ? Infinity : Number(range[2]));
  const headers = {'content-length': to - from + 1, 'accept-ranges': 'bytes', 'content-type': 'application/octet-stream'};
  response.writeHead(
    range === null ? 200 : 206,
    range === null ? headers : {...headers, 'content-range': `bytes ${from}-${to}/${bytes.length}`},
  );
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  for (let at = from; at <= to; at += CHUNK_BYTES) {
    if (at - from >= cutAfterBytes) {
      response.destroy();
      return;
    }
    const chunk = bytes.subarray(at, Math.min(at + CHUNK_BYTES, to + 1));
    if (!response.write(chunk)) await drained(response);
    if (response.destroyed) return;
    if (bytesPerSecond !== undefined) await sleep((chunk.length / bytesPerSecond) * 1000, undefined, {signal});
  }
  response.end();
}

/** Resolves when more can be written, or nobody reads any more. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}
