/** What a Nodepool client sees, over HTTP, as long as there are no pools: credentials, verbs and formats. */
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {basic, startModules, type ModuleHarness, type TestAnswer} from '../testing/module-harness.ts';
import {createNodepoolModule} from './index.ts';

let api: ModuleHarness;

beforeAll(async () => {
  api = await startModules({
    accounts: [
      {name: 'ci', roles: ['nodepool']},
      {name: 'tenant', roles: ['tenant']},
    ],
    modules: (deps) => [createNodepoolModule(deps)],
  });
});

afterAll(async () => {
  await api.close();
});

const JSON_ONLY = {accept: 'application/json'};

function expectError(answer: TestAnswer, code: number, title: string, description: RegExp): void {
  expect([answer.status, answer.json()]).toEqual([code, {code, title, description: expect.stringMatching(description)}]);
}

describe('Nodepool', () => {
  test.each(['/nodes', '/nodes/', '/nodes/1', '/images', '/images/1', '/dib_images', '/dib_images/', '/dib_images/1'])(
    'GET %s needs no credentials',
    async (path) => {
      expectError(await api.request('GET', `/v1${path}`, {headers: JSON_ONLY}), 501, 'Not Implemented', /not implemented/);
    },
  );

  const writes = [
    ['DELETE', '/nodes/1'],
    ['PUT', '/nodes/1'],
    ['DELETE', '/images/1'],
    ['POST', '/images/1/update'],
    ['DELETE', '/dib_images/1'],
    ['POST', '/dib_images/name/build'],
    ['POST', '/dib_images/name/upload'],
  ] as const;

  test.each(writes)('%s %s needs the right ones', async (method, path) => {
    const send = (headers: Record<string, string>) => api.request(method, `/v1${path}`, {headers: {...JSON_ONLY, ...headers}});
    const missing = await send({});
    expectError(missing, 401, 'Unauthorized', /./);
    expect(missing.headers.get('www-authenticate')).toMatch(/^Basic /);
    expectError(await send(basic('ci', 'wrong')), 401, 'Unauthorized', /./);
    expectError(await send(basic('tenant')), 403, 'Forbidden', /./);
    expectError(await send(basic('ci')), 501, 'Not Implemented', /not implemented/);
  });

  test('wrong verbs and unknown paths', async () => {
    expectError(await api.request('POST', '/v1/nodes', {headers: JSON_ONLY}), 405, 'Method Not Allowed', /POST/);
    expectError(await api.request('GET', '/v1/images/x/rename', {headers: JSON_ONLY}), 404, 'Not Found', /./);
    expectError(await api.request('GET', '/v1/images/x/update', {headers: JSON_ONLY}), 404, 'Not Found', /./);
  });

  test('plain text by default, and no JSON for who takes none', async () => {
    const answer = await api.request('GET', '/v1/nodes');
    expect([answer.headers.get('content-type'), answer.text]).toEqual([
      'text/plain; charset=UTF-8',
      expect.stringMatching(/^501 Not Implemented\n\n/),
    ]);
    expect((await api.request('GET', '/v1/nodes', {headers: {accept: 'application/xml'}})).status).toBe(406);
  });
});
