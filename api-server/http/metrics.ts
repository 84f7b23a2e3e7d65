/** Metrics of the REST side. `basalt_facade_request_duration_seconds` carries the route's template, never a path. */
import {collectDefaultMetrics, Counter, Gauge, Histogram, Registry} from 'prom-client';

/** What the listeners record, and the registry that `/metrics` prints. */
export interface HttpMetrics {
  readonly registry: Registry;
  /** One finished request. */
  observe(api: string, route: string, code: number, seconds: number): void;
  /** Requests under way. */
  readonly inFlight: Gauge;
  /** A look at credentials: `ok`, `cached`, `missing`, `wrong`, `limited`. */
  authenticated(scheme: string, result: AuthResult): void;
}

/** Outcomes of authentication. */
export type AuthResult = 'ok' | 'cached' | 'missing' | 'wrong' | 'limited';

/** Seconds; the fast end is for answers from the cache. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Creates the metrics with every authentication result at 0. `defaults` (default true) adds those of the Node process. */
export function createHttpMetrics({
  registry = new Registry(),
  defaults = true,
}: {readonly registry?: Registry; readonly defaults?: boolean} = {}): HttpMetrics {
  if (defaults) collectDefaultMetrics({register: registry});
  const duration = new Histogram({
    name: 'basalt_facade_request_duration_seconds',
    help: 'Duration of REST requests by API, route template and status code',
    labelNames: ['api', 'route', 'code'],
    buckets: BUCKETS,
    registers: [registry],
  });
  const inFlight = new Gauge({name: 'basalt_facade_requests_in_flight', help: 'REST requests under way', registers: [registry]});
  const authentications = new Counter({
    name: 'basalt_facade_authentications_total',
    help: 'Looks at credentials by scheme and result',
    labelNames: ['scheme', 'result'],
    registers: [registry],
  });
  for (const scheme of ['basic', 'token', 'api-key', 'triple', 'none']) {
    for (const result of ['ok', 'cached', 'missing', 'wrong', 'limited']) authentications.inc({scheme, result}, 0);
  }
  return {
    registry,
    inFlight,
    observe: (api, route, code, seconds) => duration.observe({api, route, code: String(code)}, seconds),
    authenticated: (scheme, result) => authentications.inc({scheme, result}),
  };
}
