import {afterEach, describe, expect, test} from '@jest/globals';
import {createServer, request as httpRequest} from 'node:http';
import type {IncomingMessage, Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {silentLogger} from '../../../../kube/log.ts';
import {FakeClock} from '../../../../kube/testing/fake-clock.ts';
import {createGuestTable} from '../guest-table.ts';
import {createSimulatedDriver} from '../simulated-guest.ts';
import {vmi} from '../testing/objects.ts';
import {createHandlers} from './http.ts';
import {createSessions} from './sessions.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly type: string;
}

async function serve(
  refusal?: string,
  taken = false,
): Promise<{
  call: (method: string, verb: string, options?: {body?: string; chunked?: boolean; path?: string; upgrade?: boolean}) => Promise<Reply>;
  paused: string[];
}> {
  const clock = new FakeClock();
  const table = createGuestTable();
  table.put('ns/vm1', createSimulatedDriver({clock}).start({vmi: vmi(), nodeName: 'bm-000', onChange: () => undefined}));
  clock.advance(1000);
  const paused: string[] = [];
  const handlers = createHandlers({
    context: {
      table,
      setPaused: (key, on) => {
        if (paused.includes('broken')) return Promise.reject(new Error('the API server is away'));
        paused.push(`${key} ${on}`);
        return Promise.resolve();
      },
    },
    sessions: {...createSessions({clock, log: silentLogger}), ...(taken ? {has: () => true} : {})},
    log: silentLogger,
    refuse: () => refusal,
  });
  const server = createServer(handlers.request);
  server.on('upgrade', handlers.upgrade);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  const call = (
    method: string,
    verb: string,
    options: {body?: string; chunked?: boolean; path?: string; upgrade?: boolean} = {},
  ): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const headers =
        options.upgrade === true
          ? {connection: 'Upgrade', upgrade: 'websocket'}
          : options.chunked === true
            ? {'transfer-encoding': 'chunked'}
            : {};
      const path = options.path ?? `/v1/namespaces/ns/virtualmachineinstances/vm1/${verb}`;
      const request = httpRequest({host: '127.0.0.1', port, method, path, headers}, (response: IncomingMessage) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => resolve({status: response.statusCode ?? 0, body, type: response.headers['content-type'] ?? ''}));
      });
      request.on('error', reject);
      request.end(options.body);
    });
  return {call, paused};
}

describe('REST side', () => {
  test('pause and unpause go to the life cycle', async () => {
    const {call, paused} = await serve();
    expect(await call('PUT', 'pause')).toMatchObject({status: 200});
    expect(await call('PUT', 'unpause', {body: '{}'})).toMatchObject({status: 200});
    expect(paused).toEqual(['ns/vm1 true', 'ns/vm1 false']);
  });

  test.each(['reset', 'softreboot'])('%s with a chunked body', async (verb) => {
    const {call} = await serve();
    expect(await call('PUT', verb, {body: '{"x":1}'.repeat(1000), chunked: true})).toMatchObject({status: 200});
  });

  test('guest information', async () => {
    const {call} = await serve();
    expect(JSON.parse((await call('GET', 'guestosinfo')).body)).toMatchObject({hostname: 'vm1', os: {id: 'debian'}});
    expect(JSON.parse((await call('GET', 'userlist')).body)).toEqual({items: []});
    expect(JSON.parse((await call('GET', 'filesystemlist?x=1')).body)).toEqual({items: []});
  });

  test.each<[string, string, string, object, number, RegExp]>([
    ['an unknown verb', 'PUT', 'explode', {}, 404, /unknown verb "explode"/],
    ['a name of Object.prototype', 'GET', 'constructor', {}, 404, /unknown verb/],
    ['a verb of KubeVirt that is not simulated', 'PUT', 'freeze', {}, 501, /freeze is not available for simulated guests/],
    ['a screenshot', 'GET', 'vnc/screenshot', {}, 501, /a screenshot is not available for simulated guests/],
    ['the wrong method', 'GET', 'pause', {}, 405, /pause is a PUT/],
    [
      'another guest',
      'PUT',
      '',
      {path: '/v1/namespaces/ns/virtualmachineinstances/vm2/pause'},
      404,
      /no guest of VirtualMachineInstance ns\/vm2/,
    ],
    ['another path', 'GET', '', {path: '/metrics'}, 404, /no such path/],
    ['console without websocket', 'GET', 'console', {}, 400, /websocket/],
    ['the console websocket', 'GET', 'console', {upgrade: true}, 501, /the console websocket is not available for simulated guests/],
    ['the VNC websocket', 'GET', 'vnc?preserveSession=false', {upgrade: true}, 501, /the vnc websocket is not available/],
    ['a body without end', 'PUT', 'reset', {body: 'x'.repeat((1 << 20) + 1)}, 400, /larger than/],
  ])('a clear error for %s', async (_name, method, verb, options, status, text) => {
    const {call} = await serve();
    const reply = await call(method, verb, options);
    expect(reply).toMatchObject({status, type: 'text/plain; charset=utf-8'});
    expect(reply.body).toMatch(text);
  });

  test('a verb that the state forbids is a conflict, a failure of ours a 500', async () => {
    const {call, paused} = await serve();
    paused.push('broken');
    expect(await call('PUT', 'pause')).toMatchObject({status: 500, body: 'the API server is away'});
  });

  test('who may not call learns nothing, over HTTP or websocket', async () => {
    const {call, paused} = await serve('not you');
    expect(await call('PUT', 'pause')).toMatchObject({status: 403, body: 'not you'});
    expect(await call('GET', 'console', {upgrade: true})).toMatchObject({status: 403, body: 'not you'});
    expect(paused).toEqual([]);
  });

  test('a screen that somebody has is left alone only where that is asked', async () => {
    const {call} = await serve(undefined, true);
    const refused = await call('GET', 'vnc?preserveSession=true', {upgrade: true});
    expect(refused).toMatchObject({status: 503});
    expect(refused.body).toMatch(/somebody else has the screen/);
    expect(await call('GET', 'vnc?preserveSession=false', {upgrade: true})).toMatchObject({status: 501}); // as far as the guest
    expect(await call('GET', 'console?preserveSession=true', {upgrade: true})).toMatchObject({status: 501});
  });
});
