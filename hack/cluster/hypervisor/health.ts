import {createServer} from 'node:http';
import {Gauge, Registry} from 'prom-client';
import {listen} from './listen.ts';
import type {Listening} from './listen.ts';

/** Options of {@link startHealthServer}. */
export interface HealthOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Whether everything is watched and, if there is a REST side, served. */
  readonly ready: () => boolean;
  /** Guests that live here. */
  readonly guests: () => number;
  /** What they use, in Prometheus' text format; absent: nothing is measured. */
  readonly measures?: () => Promise<string>;
}

/** /livez, /readyz and /metrics in plain http, for the supervisor of the local cluster. Rejects when the address cannot be bound. */
export async function startHealthServer(options: HealthOptions): Promise<Listening> {
  const registry = new Registry();
  new Gauge({
    name: 'hypervisor_guests',
    help: 'Guests that live in this process',
    registers: [registry],
    collect() {
      this.set(options.guests());
    },
  });
  const server = createServer((request, response) => {
    const reply = (status: number, text: string): void =>
      void response.writeHead(status, {'content-type': 'text/plain; charset=utf-8'}).end(text);
    switch (request.url) {
      case '/livez':
        return reply(200, 'ok\n');
      case '/readyz':
        return options.ready() ? reply(200, 'ok\n') : reply(503, 'not ready\n');
      case '/metrics':
        return void Promise.all([registry.metrics(), options.measures?.() ?? '']).then(
          (texts) => reply(200, texts.join('')),
          (error: unknown) => reply(500, String(error)),
        );
      default:
        return reply(404, 'not found\n');
    }
  });
  return await listen(server, options);
}
