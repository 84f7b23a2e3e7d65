import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import type {TransportMetrics} from './caller.ts';
import {
  ApiError,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isGone,
  isInvalid,
  isNotFound,
  isServerFailure,
  isTooManyRequests,
} from './errors.ts';
import {silentLogger} from './log.ts';
import type {AnyObject, ResourceType} from './objects.ts';
import {startFakeApiServer} from './testing/fake-api-server.ts';
import type {FakeApiServer} from './testing/fake-api-server.ts';
import {FakeClock} from './testing/fake-clock.ts';
import {until} from './testing/until.ts';
import {CONFIG_MAP, NAMESPACE} from './types.ts';
import type {ConfigMap} from './types.ts';

interface Widget extends AnyObject {
  readonly spec: {readonly size?: number; readonly parts?: readonly string[]};
  readonly status?: {readonly phase?: string};
}
const WIDGET: ResourceType<Widget> = {group: 'test.dev', version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true};
const widget = (name: string, spec: Widget['spec'] = {}): Widget => ({
  apiVersion: 'test.dev/v1',
  kind: 'Widget',
  metadata: {name, namespace: 'n'},
  spec,
});
const map = (name: string): ConfigMap => ({apiVersion: 'v1', kind: 'ConfigMap', metadata: {name, namespace: 'n'}, data: {a: '1'}});

/** Retries within milliseconds. */
const quick = {retry: {baseMs: 1, capMs: 50}, random: () => 0.5};

let server: FakeApiServer;
beforeEach(async () => {
  server = await startFakeApiServer();
});
afterEach(() => server.close());

const failure = async (promise: Promise<unknown>): Promise<ApiError> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApiError)) throw new Error(`not an ApiError: ${String(error)}`);
  return error;
};

describe('verbs', () => {
  test('create, get, list, replace, patch, apply and delete carry the right content types and locks', async () => {
    const client = server.client();
    const made = await client.create(WIDGET, widget('a', {size: 1}));
    expect(made.metadata.uid).toBeDefined();
    expect(await client.get(WIDGET, {namespace: 'n', name: 'a'})).toEqual(made);

    const replaced = await client.replace(WIDGET, {...made, spec: {size: 2}});
    expect(replaced.metadata.generation).toBe(2);
    expect(isConflict(await failure(client.replace(WIDGET, {...made, spec: {size: 3}})))).toBe(true);

    const merged = await client.mergePatch(WIDGET, {namespace: 'n', name: 'a'}, {spec: {parts: ['x']}}, {fieldManager: 'me'});
    expect(merged.spec).toEqual({size: 2, parts: ['x']});
    const patched = await client.jsonPatch(WIDGET, {namespace: 'n', name: 'a'}, [
      {op: 'test', path: '/spec/size', value: 2},
      {op: 'add', path: '/spec/parts/-', value: 'y'},
    ]);
    expect(patched.spec.parts).toEqual(['x', 'y']);
    const status = await client.replace(WIDGET, {...patched, spec: {size: 99}, status: {phase: 'Ready'}}, {subresource: 'status'});
    expect([status.spec.size, status.status?.phase]).toEqual([2, 'Ready']);

    const applied = await client.apply(WIDGET, widget('b', {size: 5}), {force: true});
    expect(applied.spec.size).toBe(5);
    expect((await client.list(WIDGET, {namespace: 'n'})).items.map((item) => item.metadata.name)).toEqual(['a', 'b']);

    await client.delete(
      WIDGET,
      {namespace: 'n', name: 'a'},
      {propagationPolicy: 'Foreground', preconditions: {uid: made.metadata.uid ?? ''}},
    );
    expect(isNotFound(await failure(client.get(WIDGET, {namespace: 'n', name: 'a'})))).toBe(true);

    const writes = server.requests.filter((request) => request.method !== 'GET' && request.status < 400);
    expect(writes.map((request) => [request.method, request.headers['content-type'], request.query.get('fieldManager')])).toEqual([
      ['POST', 'application/json', 'test'],
      ['PUT', 'application/json', 'test'],
      ['PATCH', 'application/merge-patch+json', 'me'],
      ['PATCH', 'application/json-patch+json', 'test'],
      ['PUT', 'application/json', 'test'],
      ['PATCH', 'application/apply-patch+yaml', 'test'],
      ['DELETE', 'application/json', null],
    ]);
    expect(server.requests.every((request) => request.headers['user-agent'] === 'test/0')).toBe(true);
  });

  test('items of built-in lists get the apiVersion and kind that the server leaves out', async () => {
    const client = server.client();
    server.put(CONFIG_MAP, map('a'));
    const {items} = await client.list(CONFIG_MAP);
    expect(items[0]).toMatchObject({apiVersion: 'v1', kind: 'ConfigMap', data: {a: '1'}});
  });

  test('lists are paged', async () => {
    const client = server.client();
    for (const name of ['a', 'b', 'c']) server.put(CONFIG_MAP, map(name));
    const first = await client.list(CONFIG_MAP, {limit: 2});
    expect([first.items.length, first.remainingItemCount]).toEqual([2, 1]);
    const rest = await client.list(CONFIG_MAP, {limit: 2, continue: first.continue ?? ''});
    expect([rest.items.length, rest.continue]).toEqual([1, undefined]);
  });

  test('dry runs store nothing', async () => {
    const client = server.client();
    await client.create(WIDGET, widget('a'), {dryRun: true});
    expect(server.objects(WIDGET)).toEqual([]);
  });

  test('a namespaced kind without a namespace is a mistake of the caller, not a request', async () => {
    await expect(server.client().get(WIDGET, {name: 'a'})).rejects.toThrow(TypeError);
    await expect(server.client().create(WIDGET, {...widget('a'), metadata: {name: 'a'}})).rejects.toThrow(TypeError);
    expect(server.requests).toEqual([]);
  });

  test('raw takes any path, and answers of failure when told to', async () => {
    const client = server.client();
    expect((await client.raw('GET', '/readyz')).body.toString()).toBe('ok');
    expect((await client.raw('GET', '/apis/none/v1/x/y/z', {acceptErrors: true})).status).toBe(404);
    expect(isNotFound(await failure(client.raw('GET', '/nowhere')))).toBe(true);
    server.on('PUT', /\/restart$/, ({body}) => ({status: 202, body: {got: body}}));
    const answer = await client.raw('PUT', '/apis/x/v1/namespaces/n/y/z/restart', {body: {a: 1}});
    expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([202, {got: {a: 1}}]);
  });
});

describe('errors', () => {
  test.each([
    ['AlreadyExists', isAlreadyExists, 409],
    ['Conflict', isConflict, 409],
    ['NotFound', isNotFound, 404],
    ['Forbidden', isForbidden, 403],
    ['Invalid', isInvalid, 422],
    ['Expired', isGone, 410],
    ['InternalError', isServerFailure, 500],
  ])('%s has its predicate', async (reason, predicate, code) => {
    server.faults.status(code, reason);
    const error = await failure(server.client(quick).get(NAMESPACE, {name: 'n'}));
    expect(predicate(error)).toBe(true);
    expect([error.status, error.reason, error.verb, error.resource]).toEqual([code, reason, 'get', 'namespaces']);
  });

  test('an answer that is no Status says what came', async () => {
    server.on('GET', /namespaces/, () => ({status: 502, body: '<html>bad gateway</html>'}));
    const error = await failure(server.client(quick).get(NAMESPACE, {name: 'n'}));
    expect([error.status, error.reason, error.message.includes('bad gateway')]).toEqual([502, 'Unknown', true]);
  });

  test('an answer that is no JSON is an error, not a value', async () => {
    server.on('GET', /namespaces/, () => ({status: 200, body: undefined}));
    const error = await failure(server.client().get(NAMESPACE, {name: 'n'}));
    expect(error.reason).toBe('MalformedAnswer');
  });
});

describe('retries', () => {
  test('429 is retried for any verb, waiting as told', async () => {
    server.faults.tooMany({times: 2, retryAfterSeconds: 0.005});
    await server.client(quick).create(WIDGET, widget('a'));
    expect(server.requests.map((request) => request.status)).toEqual([429, 429, 201]);
  });

  test('Retry-After is obeyed on the injected clock', async () => {
    const clock = new FakeClock();
    server.faults.tooMany({retryAfterSeconds: 2});
    const call = server.client({clock, random: () => 0}).get(NAMESPACE, {name: 'n'});
    call.catch(() => undefined); // looked at below
    await until('the wait', () => server.requests.length === 1 && clock.nextMs === 2000);
    await clock.advanceAndSettle(1999);
    expect(server.requests).toHaveLength(1);
    clock.advance(1);
    expect(isNotFound(await failure(call))).toBe(true);
  });

  test('a wait that is longer than the cap belongs to the caller', async () => {
    server.faults.tooMany({retryAfterSeconds: 60});
    const error = await failure(server.client(quick).get(NAMESPACE, {name: 'n'}));
    expect([isTooManyRequests(error), error.retryAfterMs]).toEqual([true, 60_000]);
  });

  test('503 is retried only when the server says when', async () => {
    const client = server.client(quick);
    server.put(WIDGET, widget('a'));
    server.faults.serverError({code: 503, retryAfterSeconds: 0.005});
    await client.get(WIDGET, {namespace: 'n', name: 'a'});
    server.faults.serverError({code: 503});
    expect((await failure(client.get(WIDGET, {namespace: 'n', name: 'a'}))).status).toBe(503);
  });

  test('other 5xx are the caller’s', async () => {
    server.faults.serverError({code: 500, retryAfterSeconds: 0.005});
    await failure(server.client(quick).get(NAMESPACE, {name: 'n'}));
    expect(server.requests).toHaveLength(1);
  });

  test('a lost connection is retried for reads, replaces, applies and deletes', async () => {
    const client = server.client(quick);
    const stored = server.put(WIDGET, widget('a'));
    server.faults.reset();
    await client.get(WIDGET, {namespace: 'n', name: 'a'});
    server.faults.reset();
    await client.replace(WIDGET, {...stored, spec: {size: 2}});
    server.faults.reset({afterEffect: true});
    await client.apply(WIDGET, widget('a', {size: 3}), {force: true});
    server.faults.reset();
    await client.delete(WIDGET, {namespace: 'n', name: 'a'});
    expect(server.requests).toHaveLength(8);
  });

  test('a create whose answer was lost is not repeated: it may have happened', async () => {
    server.faults.reset({afterEffect: true});
    const error = await failure(server.client(quick).create(WIDGET, widget('a')));
    expect([error.status, error.reason]).toEqual([0, 'ConnectionError']);
    expect([server.requests.length, server.objects(WIDGET).length]).toEqual([1, 1]);
  });

  test('a refused connection is retried for any verb, then told', async () => {
    const gone = await startFakeApiServer();
    const kubeConfig = gone.kubeConfig();
    await gone.close();
    const metrics = counting();
    const error = await failure(server.client({...quick, kubeConfig, metrics}).create(WIDGET, widget('a')));
    expect([error.reason, error.message.includes('ECONNREFUSED'), counted.retried]).toEqual(['ConnectionError', true, 4]);
  });

  test('maxRetries 0 hands every answer out', async () => {
    server.faults.tooMany({retryAfterSeconds: 0.001});
    const error = await failure(server.client(quick).get(NAMESPACE, {name: 'n'}, {maxRetries: 0}));
    expect(isTooManyRequests(error)).toBe(true);
  });
});

describe('bounds', () => {
  test('a call has a deadline, also when the server never answers', async () => {
    server.faults.halfOpen();
    const error = await failure(server.client().get(NAMESPACE, {name: 'n'}, {timeoutMs: 20}));
    expect([error.status, error.reason]).toEqual([0, 'DeadlineExceeded']);
  });

  test('an aborted call rejects with the reason of its signal, while it runs, waits in line or waits for a retry', async () => {
    const client = server.client({connections: 1});
    const abort = new AbortController();
    server.faults.halfOpen();
    const running = client.get(NAMESPACE, {name: 'n'}, {signal: abort.signal});
    await until('the request', () => server.requests.length === 1);
    const inLine = client.get(NAMESPACE, {name: 'n'}, {signal: abort.signal});
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(running).rejects.toBe(reason);
    await expect(inLine).rejects.toBe(reason);
    await expect(client.get(NAMESPACE, {name: 'n'}, {signal: abort.signal})).rejects.toBe(reason);
    expect(server.requests).toHaveLength(1);

    const second = new AbortController();
    server.faults.tooMany({retryAfterSeconds: 5});
    const waiting = client.get(NAMESPACE, {name: 'n'}, {signal: second.signal});
    await until('the 429', () => server.requests.length === 2 && server.requests[1]?.status === 429);
    second.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  test('the line is bounded, and a warning of the server is logged', async () => {
    const warnings: unknown[] = [];
    const log = {...silentLogger, warn: (fields: object) => warnings.push(fields), child: () => silentLogger};
    server.on('GET', /namespaces\/n$/, () => ({status: 200, body: {}, headers: {warning: '299 - "unknown field spec.x"'}}));
    await server.client({log}).get(NAMESPACE, {name: 'n'});
    expect(warnings).toEqual([{verb: 'get', resource: 'namespaces', warning: '299 - "unknown field spec.x"'}]);

    server.faults.halfOpen({times: Infinity});
    const client = server.client({connections: 1});
    const abort = new AbortController();
    const calls = Array.from({length: 10_001}, () => client.get(NAMESPACE, {name: 'n'}, {signal: abort.signal}));
    const settled = Promise.allSettled(calls);
    expect(await failure(client.get(NAMESPACE, {name: 'n'}))).toMatchObject({reason: 'TooManyCalls', status: 0});
    abort.abort(new Error('enough'));
    await settled;
  });

  test('connections are reused and bounded', async () => {
    const client = server.client({connections: 4});
    server.put(CONFIG_MAP, map('a'));
    for (let i = 0; i < 20; i++) await client.get(CONFIG_MAP, {namespace: 'n', name: 'a'});
    expect(server.connections).toBeLessThanOrEqual(2); // undici frees a socket one tick after the answer
    await Promise.all(Array.from({length: 60}, () => client.get(CONFIG_MAP, {namespace: 'n', name: 'a'})));
    expect(server.connections).toBeLessThanOrEqual(4);
  });
});

describe('credentials', () => {
  test('a 401 makes the token be read again, once', async () => {
    const kubeConfig = server.kubeConfig();
    kubeConfig.users = [{name: 'test', token: 'old'}];
    const client = server.client({kubeConfig});
    server.on('GET', /namespaces\/n$/, ({headers}) =>
      headers.authorization === 'Bearer new'
        ? {status: 200, body: {ok: true}}
        : {status: 401, body: {kind: 'Status', reason: 'Unauthorized', code: 401}},
    );
    expect((await failure(client.get(NAMESPACE, {name: 'n'}))).status).toBe(401);
    expect(server.requests).toHaveLength(1); // nothing new to try with
    kubeConfig.users = [{name: 'test', token: 'new'}];
    await client.get(NAMESPACE, {name: 'n'});
    expect(server.requests.map((request) => request.headers.authorization)).toEqual(['Bearer old', 'Bearer old', 'Bearer new']);
  });
});

describe('metrics', () => {
  test('each request and each retry is reported', async () => {
    const client = server.client({...quick, metrics: counting()});
    server.faults.tooMany({retryAfterSeconds: 0.001});
    server.faults.reset();
    await failure(client.get(NAMESPACE, {name: 'n'}));
    expect(counted.codes).toEqual(['429', '<error>', '404']);
    expect(counted.retried).toBe(2);
  });
});

const counted = {codes: [] as string[], retried: 0};
function counting(): TransportMetrics {
  counted.codes = [];
  counted.retried = 0;
  return {
    requestEnded: ({code}) => counted.codes.push(code),
    retried: () => {
      counted.retried++;
    },
  };
}
