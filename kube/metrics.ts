/** The cluster client's metrics in Prometheus, under the names that client-go and controller-runtime use where they have one. */
import {Counter, Gauge, Histogram} from 'prom-client';
import type {Registry} from 'prom-client';
import type {EndReason} from './reflector-policy.ts';
import type {ReflectorMetrics, ReflectorState} from './reflector.ts';
import type {TransportMetrics} from './transport.ts';

/** client-go's buckets for request durations, in seconds. */
const REQUEST_SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
const END_REASONS: readonly EndReason[] = [
  'closed',
  'connection',
  'idle',
  'gone',
  'error_event',
  'malformed',
  'throttled',
  'forbidden',
  'not_served',
  'server_error',
  'internal',
];

/** The metrics of transport and reflectors, in one registry. Throws when it has metrics of these names already. */
export function createClientMetrics(registry: Registry): {readonly transport: TransportMetrics; readonly reflector: ReflectorMetrics} {
  return {transport: createTransportMetrics(registry), reflector: createReflectorMetrics(registry)};
}

/** `rest_client_requests_total`, `rest_client_request_duration_seconds`, `rest_client_request_retries_total`. Throws when `registry` has them. */
export function createTransportMetrics(registry: Registry): TransportMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Requests to the API server, by code, method and host',
    labelNames: ['code', 'method', 'host'],
    registers,
  });
  const seconds = new Histogram({
    name: 'rest_client_request_duration_seconds',
    help: 'Time until the headers of the answer, by verb and host',
    labelNames: ['verb', 'host'],
    buckets: REQUEST_SECONDS,
    registers,
  });
  const retries = new Counter({
    name: 'rest_client_request_retries_total',
    help: 'Requests sent again, by verb, host and cause (429, 503, 401, connection)',
    labelNames: ['verb', 'host', 'cause'],
    registers,
  });
  return {
    requestEnded({code, method, verb, host, durationMs}) {
      requests.inc({code, method, host});
      seconds.observe({verb, host}, durationMs / 1000);
    },
    retried: ({verb, host, cause}) => retries.inc({verb, host, cause}),
  };
}

/**
 * `basalt_reflector_relists_total{kind,reason}`, `basalt_reflector_ends_total{kind,reason}`, `basalt_reflector_last_event_age_seconds{kind}`,
 * `basalt_cache_objects{kind}`. Reflectors of one kind (other selectors) count together; the age is that of the oldest.
 */
export function createReflectorMetrics(registry: Registry): ReflectorMetrics {
  const registers = [registry];
  const states = new Map<string, ReflectorState[]>();
  const counter = (name: string, help: string): Counter => new Counter({name, help, labelNames: ['kind', 'reason'], registers});
  const gauge = (name: string, help: string, read: (states: readonly ReflectorState[]) => number): Gauge =>
    new Gauge({
      name,
      help,
      labelNames: ['kind'],
      registers,
      collect() {
        for (const [kind, all] of states) this.set({kind}, read(all));
      },
    });
  const relists = counter('basalt_reflector_relists_total', 'Whole lists, by kind and cause (start is the first one)');
  const ends = counter('basalt_reflector_ends_total', 'Ended watches and failed lists, by kind and cause');
  gauge('basalt_cache_objects', 'Objects in the cache', (all) => all.reduce((sum, {size}) => sum + size, 0));
  gauge(
    'basalt_reflector_last_event_age_seconds',
    'Since the last event or bookmark',
    (all) => Math.max(0, ...all.map((state) => state.lastEventAgeMs ?? 0)) / 1000,
  );
  return {
    reflector(kind, state) {
      states.set(kind, [...(states.get(kind) ?? []), state]);
      relists.inc({kind, reason: 'start'}, 0);
      for (const reason of END_REASONS) {
        ends.inc({kind, reason}, 0);
        relists.inc({kind, reason}, 0);
      }
      return {relisted: (reason) => relists.inc({kind, reason}), ended: (reason) => ends.inc({kind, reason})};
    },
  };
}
