/**
 * HTTP listeners with health and metrics answered before the app (they must survive an overloaded router), time limits, and a
 * shutdown that lets running requests finish.
 */
import {createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import type {Clock} from '../../kube/clock.ts';
import type {Logger} from '../../kube/log.ts';
import type {HttpMetrics} from './metrics.ts';

/** Where to listen. Port 0 takes a free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Why the program is not ready; undefined when it is. */
export type Readiness = () => string | undefined;

/** Options of a listener. */
export interface ListenerOptions {
  readonly address: ListenAddress;
  /** Absent on a listener that serves health and metrics only. */
  readonly app?: RequestListener;
  readonly ready: Readiness;
  readonly metrics: HttpMetrics;
  readonly log: Logger;
  /** Whether `/metrics` is answered here; default false (it has a listener of its own). */
  readonly serveMetrics?: boolean;
}

/** A running listener. */
export interface Listener {
  /** `http://host:port` as bound. */
  readonly url: string;
  readonly server: Server;
}

/** Above the idle time of usual load balancers (60 s), so that they close first. */
const KEEP_ALIVE_MS = 65_000;
const HEADERS_TIMEOUT_MS = 20_000;
/** For the whole request to arrive; CloudSigma uploads come in chunks far below. */
const REQUEST_TIMEOUT_MS = 300_000;

/** Starts one listener; rejects when the address cannot be bound. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const {app, address} = options;
  const server = createServer(
    {keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS},
    (request, response) => {
      // A request that was running when the listener closed leaves an idle connection behind, which would hold up the shutdown.
      response.once('finish', () => {
        if (!server.listening) setImmediate(() => server.closeIdleConnections());
      });
      if (answerProbe(request, response, options)) return;
      if (app !== undefined) return app(request, response);
      response.writeHead(404, {'content-type': 'text/plain'}).end('not found\n');
    },
  );
  server.on('clientError', (error, socket) => {
    options.log.debug({err: error}, 'broken request');
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const bound = server.address() as AddressInfo;
  const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return {url: `http://${host}:${bound.port}`, server};
}

/** Answers `/livez`, `/readyz`, `/healthz` (and `/metrics` where asked for); returns whether it did. */
function answerProbe(request: IncomingMessage, response: ServerResponse, {ready, metrics, log, serveMetrics}: ListenerOptions): boolean {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  const text = (status: number, body: string): true => {
    response.writeHead(status, {'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(body)}).end(body);
    return true;
  };
  switch (request.url) {
    case '/livez':
    case '/healthz':
      return text(200, 'ok\n');
    case '/readyz': {
      const reason = ready();
      return reason === undefined ? text(200, 'ok\n') : text(503, `${reason}\n`);
    }
    case '/metrics': {
      if (serveMetrics !== true) return false;
      metrics.registry.metrics().then(
        (body) => response.writeHead(200, {'content-type': metrics.registry.contentType}).end(body),
        (error: unknown) => {
          log.error({err: error}, 'metrics failed');
          response.writeHead(500).end();
        },
      );
      return true;
    }
    default:
      return false;
  }
}

/** Options of {@link close}. */
export interface CloseOptions {
  readonly clock: Clock;
  /** How long running requests may still take; default 20,000. Then `abort` is called and the connections are cut 1 s later. */
  readonly graceMs?: number;
  readonly abort: () => void;
}

/** Stops accepting, waits for running requests, then cuts what is left. Resolves when every socket is closed. */
export async function close(listeners: readonly Listener[], {clock, graceMs = 20_000, abort}: CloseOptions): Promise<void> {
  const closed = Promise.all(
    listeners.map(
      ({server}) =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeIdleConnections();
        }),
    ),
  );
  const stopAbort = clock.setTimer(graceMs, abort);
  const stopCut = clock.setTimer(graceMs + 1000, () => {
    for (const {server} of listeners) server.closeAllConnections();
  });
  try {
    await closed;
  } finally {
    stopAbort();
    stopCut();
  }
}
