import {expect, test} from '@jest/globals';
import {Registry} from 'prom-client';
import {createClientMetrics} from './metrics.ts';

test('requests are counted under the names of client-go', async () => {
  const registry = new Registry();
  const {transport} = createClientMetrics(registry);
  transport.requestEnded({method: 'GET', verb: 'list', code: '200', host: 'h:1', durationMs: 30});
  transport.requestEnded({method: 'GET', verb: 'list', code: '<error>', host: 'h:1', durationMs: 30});
  transport.retried({verb: 'list', host: 'h:1', cause: 'connection'});
  const text = await registry.metrics();
  expect(text).toContain('rest_client_requests_total{code="200",method="GET",host="h:1"} 1');
  expect(text).toContain('rest_client_requests_total{code="<error>",method="GET",host="h:1"} 1');
  expect(text).toContain('rest_client_request_duration_seconds_bucket{le="0.1",verb="list",host="h:1"} 2');
  expect(text).toContain('rest_client_request_duration_seconds_bucket{le="0.025",verb="list",host="h:1"} 0');
  expect(text).toContain('rest_client_request_retries_total{verb="list",host="h:1",cause="connection"} 1');
});

test('reflectors are counted from 0, and those of one kind together', async () => {
  const registry = new Registry();
  const {reflector} = createClientMetrics(registry);
  const recorder = reflector.reflector('secrets', {size: 3, lastEventAgeMs: 1500});
  reflector.reflector('secrets', {size: 4, lastEventAgeMs: undefined});
  recorder.relisted('gone');
  const text = await registry.metrics();
  expect(text).toContain('basalt_reflector_relists_total{kind="secrets",reason="gone"} 1');
  expect(text).toContain('basalt_reflector_relists_total{kind="secrets",reason="error_event"} 0');
  expect(text).toContain('basalt_reflector_ends_total{kind="secrets",reason="connection"} 0');
  expect(text).toContain('basalt_cache_objects{kind="secrets"} 7');
  expect(text).toContain('basalt_reflector_last_event_age_seconds{kind="secrets"} 1.5');
});
