/**
 * `/livez`, `/readyz` and `/metrics`, on a listener of their own so that nothing else can starve them. `/livez` says that the event loop
 * turns; `/readyz` lists, one per line, why the program is not ready.
 */
import {createServer} from 'node:http';
import type {IncomingMessage, Server, ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import type {Registry} from 'prom-client';
import type {Logger} from '../../kube/log.ts';

/** Options of {@link startHealthServer}. */
export interface HealthOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly registry: Registry;
  /** Why the program is not ready; empty when it is. */
  unready(): readonly string[];
  readonly log: Logger;
}

/** A listening health server. */
export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

const send = (response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
  response.writeHead(status, {'content-type': type, 'content-length': Buffer.byteLength(body)}).end(body);
};

async function answer(request: IncomingMessage, response: ServerResponse, options: HealthOptions): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, 'method not allowed\n');
  switch (request.url?.split('?')[0]) {
    case '/livez':
      return send(response, 200, 'ok\n');
    case '/readyz': {
      const reasons = options.unready();
      return reasons.length === 0 ? send(response, 200, 'ok\n') : send(response, 503, `${reasons.join('\n')}\n`);
    }
    case '/metrics':
      return send(response, 200, await options.registry.metrics(), options.registry.contentType);
    default:
      return send(response, 404, 'not found: /livez, /readyz and /metrics are here\n');
  }
}

/** Listens. Rejects when the address is taken. */
export async function startHealthServer(options: HealthOptions): Promise<HealthServer> {
  const server: Server = createServer((request, response) => {
    answer(request, response, options).catch((error: unknown) => {
      options.log.error({err: error, url: request.url}, 'a health request failed');
      if (!response.headersSent) send(response, 500, 'internal error\n');
      else response.destroy();
    });
  });
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
