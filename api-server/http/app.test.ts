/** The frame around the APIs, over real HTTP with a module made for the purpose. */
import {createServer, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {Readable} from 'node:stream';
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {ApiError} from '../../kube/errors.ts';
import {silentLogger} from '../../kube/log.ts';
import {FakeClock} from '../../kube/testing/fake-clock.ts';
import {until} from '../../kube/testing/until.ts';
import {createApp} from './app.ts';
import type {Authenticator} from './authenticator.ts';
import {Failure} from './failure.ts';
import {close, listen, type Listener} from './listeners.ts';
import {createHttpMetrics, type HttpMetrics} from './metrics.ts';
import type {ApiModule, Caller, Input, Route} from './types.ts';

const CALLER = {name: 'ann', roles: ['tenant']} as unknown as Caller;
const authenticator = {
  authenticate: async ({headers}) => {
    if (headers['x-auth-token'] !== 'good') throw new Failure('unauthenticated');
    return CALLER;
  },
} as Pick<Authenticator, 'authenticate'> as Authenticator;

let hanging: Input[] = [];
const routes: readonly Route[] = [
  {method: 'GET', path: '/things', handler: ({caller}) => ({status: 200, body: {caller: caller.name}})},
  {method: 'GET', path: '/public', auth: 'public', handler: ({origin, baseUrl, mount}) => ({status: 200, body: {origin, baseUrl, mount}})},
  {method: 'GET', path: '/admin', roles: ['admin'], handler: () => ({status: 200})},
  {method: 'POST', path: '/echo', auth: 'public', bodyLimitBytes: 10, handler: ({body}) => ({status: 201, body: body.raw})},
  {method: 'GET', path: '/hang', auth: 'public', deadlineMs: 5000, handler: (input) => new Promise(() => hanging.push(input as Input))},
  {
    method: 'GET',
    path: '/defect',
    auth: 'public',
    handler: () => {
      throw new Error('secret detail');
    },
  },
  {
    method: 'GET',
    path: '/cluster',
    auth: 'public',
    handler: () => {
      throw new ApiError({status: 429, reason: 'TooManyRequests', message: 'm', verb: 'create', resource: 'servers', retryAfterMs: 2500});
    },
  },
  {
    method: 'GET',
    path: '/stream',
    auth: 'public',
    handler: () => ({status: 200, headers: {'content-type': 'application/octet-stream'}, body: Readable.from(['ab', 'cd'])}),
  },
  {
    method: 'POST',
    path: '/upload',
    auth: 'public',
    body: 'stream',
    handler: async ({stream}) => ({
      status: 200,
      body: {bytes: (await stream?.toArray())?.reduce((sum: number, part: Buffer) => sum + part.length, 0)},
    }),
  },
];

const writeError: ApiModule['writeError'] = ({code, status, message, allow, retryAfterSeconds}) => ({
  status,
  headers: {
    ...(allow.length > 0 ? {allow: allow.join()} : {}),
    ...(retryAfterSeconds === undefined ? {} : {'retry-after': String(retryAfterSeconds)}),
  },
  body: {code, message},
});
const module: ApiModule = {name: 'test', mounts: ['/v1'], schemes: ['token'], routes, writeError, headers: {vary: 'X-Auth-Token'}};
const neighbour: ApiModule = {
  ...module,
  name: 'neighbour',
  collections: ['nodes'],
  routes: [{method: 'GET', path: '/nodes', auth: 'public', handler: () => ({status: 200, body: 'nodes'})}],
  writeError: ({status}) => ({status, body: 'neighbour says no'}),
};

let clock: FakeClock;
let metrics: HttpMetrics;
let listener: Listener;
let shutdown: AbortController;
let notReady: string | undefined;

beforeEach(async () => {
  hanging = [];
  clock = new FakeClock();
  metrics = createHttpMetrics({defaults: false});
  shutdown = new AbortController();
  notReady = undefined;
  const app = createApp([module, neighbour], {authenticator, metrics, clock, log: silentLogger, shutdown: shutdown.signal});
  listener = await listen({
    address: {host: '127.0.0.1', port: 0},
    app,
    ready: () => notReady,
    metrics,
    log: silentLogger,
    serveMetrics: true,
  });
});
afterEach(async () => {
  shutdown.abort();
  listener.server.closeAllConnections();
  await close([listener], {clock, abort: () => {}});
});

const get = (path: string, init?: RequestInit) => fetch(listener.url + path, init);

describe('a request', () => {
  test.each<[string, string, RequestInit, number, unknown]>([
    ['behind authentication', '/v1/things', {headers: {'x-auth-token': 'good'}}, 200, {caller: 'ann'}],
    ['without credentials', '/v1/things', {}, 401, {code: 'unauthenticated', message: 'Access denied'}],
    ['with a slash', '/v1/things/', {headers: {'x-auth-token': 'good'}}, 200, {caller: 'ann'}],
    ['without the role', '/v1/admin', {headers: {'x-auth-token': 'good'}}, 403, {code: 'forbidden', message: 'Forbidden'}],
    ['of an unknown path', '/v1/nope', {}, 404, {code: 'unknown-path', message: 'API endpoint not found'}],
    ['with a wrong verb', '/v1/things', {method: 'DELETE'}, 405, {code: 'method-not-allowed', message: 'Method not allowed'}],
    ['that meets a defect', '/v1/defect', {}, 500, {code: 'internal', message: 'Internal error'}],
    ['that the cluster has no time for', '/v1/cluster', {}, 503, {code: 'unavailable', message: 'Service unavailable'}],
    ['outside every mount', '/nowhere', {}, 404, {type: 'about:blank', title: 'API endpoint not found', status: 404, code: 'unknown-path'}],
  ])('%s', async (_name, path, init, status, body) => {
    const reply = await get(path, init);
    expect([reply.status, await reply.json()]).toEqual([status, body]);
  });

  test('of a shared mount is its owner’s, unknown paths included', async () => {
    expect(await (await get('/v1/nodes')).text()).toBe('nodes');
    expect(await (await get('/v1/nodes/1/2')).text()).toBe('neighbour says no');
  });

  test('carries an id: its own when harmless, else a new one', async () => {
    expect((await get('/v1/public', {headers: {'x-request-id': 'abc-1'}})).headers.get('x-request-id')).toBe('abc-1');
    expect((await get('/v1/public', {headers: {'x-request-id': 'a b"c'}})).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('gets links to where it came to', async () => {
    expect(await (await get('/v1/public')).json()).toEqual({origin: listener.url, baseUrl: `${listener.url}/v1`, mount: '/v1'});
  });

  test('tells Retry-After and Allow', async () => {
    expect((await get('/v1/cluster')).headers.get('retry-after')).toBe('3');
    expect((await get('/v1/echo')).headers.get('allow')).toBe('POST');
  });

  test('carries the module’s headers, errors included', async () => {
    expect((await get('/v1/public')).headers.get('vary')).toBe('X-Auth-Token');
    expect((await get('/v1/nope')).headers.get('vary')).toBe('X-Auth-Token');
  });

  test('HEAD is GET without the body', async () => {
    const reply = await get('/v1/public', {method: 'HEAD'});
    expect([reply.status, await reply.text()]).toEqual([200, '']);
    expect(Number(reply.headers.get('content-length'))).toBeGreaterThan(0);
  });
});

describe('bodies', () => {
  test.each([
    ['0123456789', 201],
    ['0123456789a', 413],
  ])('%s', async (body, status) => {
    expect((await get('/v1/echo', {method: 'POST', body})).status).toBe(status);
  });

  test('one without a length is cut off at the limit too', async () => {
    let chunks = 0;
    const body = new ReadableStream({
      pull(controller) {
        chunks += 1;
        if (chunks > 1000) controller.close();
        else controller.enqueue(new TextEncoder().encode('0123456789'));
      },
    });
    const init = {method: 'POST', body, duplex: 'half'} as RequestInit;
    // The server answers without reading on; the client may notice the closed connection first.
    const status = await get('/v1/echo', init).then(
      (reply) => reply.status,
      () => 413,
    );
    expect(status).toBe(413);
  });

  test('streams pass both ways', async () => {
    expect(await (await get('/v1/stream')).text()).toBe('abcd');
    expect(await (await get('/v1/upload', {method: 'POST', body: 'x'.repeat(2_000_000)})).json()).toEqual({bytes: 2_000_000});
  });
});

describe('time', () => {
  test('a handler that never answers is timed out, and told', async () => {
    const reply = get('/v1/hang');
    const [input] = await until('the handler runs', () => (hanging.length > 0 ? hanging : undefined));
    clock.advance(5000);
    expect(await (await reply).json()).toEqual({code: 'timeout', message: 'Timed out'});
    expect(input?.signal.aborted).toBe(true);
  });

  test('a client that goes away aborts its request', async () => {
    const abort = new AbortController();
    const reply = get('/v1/hang', {signal: abort.signal});
    const [input] = await until('the handler runs', () => (hanging.length > 0 ? hanging : undefined));
    abort.abort();
    await expect(reply).rejects.toThrow();
    await until('the signal', () => input?.signal.aborted);
  });

  test('closing waits for running requests, then gives up on them', async () => {
    const reply = get('/v1/hang');
    await until('the handler runs', () => hanging.length > 0);
    const closed = close([listener], {clock, graceMs: 1000, abort: () => shutdown.abort()});
    await expect(get('/v1/public')).rejects.toThrow();
    clock.advance(1000);
    expect((await reply).status).toBe(503);
    await closed;
  });
});

describe('health and metrics', () => {
  test('are answered before the app', async () => {
    expect((await get('/livez')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(200);
    notReady = 'waiting for Server';
    const reply = await get('/readyz');
    expect([reply.status, await reply.text()]).toEqual([503, 'waiting for Server\n']);
    expect((await get('/livez')).status).toBe(200);
  });

  test('a request is counted under its template', async () => {
    await get('/v1/things', {headers: {'x-auth-token': 'good'}});
    await get('/v1/nope/with/an/id');
    const text = await (await get('/metrics')).text();
    expect(text).toContain('basalt_facade_request_duration_seconds_count{api="test",route="GET /things",code="200"} 1');
    expect(text).toContain('basalt_facade_request_duration_seconds_count{api="test",route="unmatched",code="404"} 1');
    expect(text).not.toContain('with/an/id');
  });

  test('an address in use is an error, not a silence', async () => {
    const other: Server = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const {port} = other.address() as AddressInfo;
    await expect(listen({address: {host: '127.0.0.1', port}, ready: () => undefined, metrics, log: silentLogger})).rejects.toThrow(
      /EADDRINUSE/,
    );
    await new Promise((resolve) => other.close(resolve));
  });
});
