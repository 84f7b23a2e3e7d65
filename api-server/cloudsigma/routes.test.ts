/** The route table over HTTP: verbs, unknown commands, and the documented operations that are not there yet. */
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {basic, startModules, type ModuleHarness, type TestAnswer} from '../testing/module-harness.ts';
import {createCloudSigmaModule} from './index.ts';
import {TABLE} from './routes.ts';

const UNKNOWN = 'aaaaaaaa-0000-4000-8000-00000000ffff';

let api: ModuleHarness;

beforeAll(async () => {
  api = await startModules({
    accounts: [{name: 'demo', roles: ['tenant']}],
    modules: (deps) => [{...createCloudSigmaModule(deps), mounts: ['']}],
  });
});

afterAll(async () => {
  await api.close();
});

const call = (method: string, path: string, body?: string): Promise<TestAnswer> =>
  api.request(method, path, {headers: basic('demo'), ...(body === undefined ? {} : {body})});

function expectError(answer: TestAnswer, status: number, text: RegExp): void {
  expect([answer.status, answer.text]).toEqual([status, expect.stringMatching(text)]);
  expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
}

describe('the route table', () => {
  test('GET on commands that need a body is 405', async () => {
    for (const path of ['/drives/create', '/servers/create', '/servers/stop', `/drives/${UNKNOWN}/clone`, '/profile/set']) {
      expectError(await call('GET', path), 405, /POST/);
    }
  });

  test('unknown commands', async () => {
    expectError(await call('GET', '/nonsense'), 404, /could not be found/);
    expectError(await call('GET', `/servers/${UNKNOWN}/explode`), 404, /could not be found/);
  });

  const open = TABLE.filter((route) => route.open === true).map(
    ({method, path}) => [method, path.replaceAll(/\{\w+\}/g, UNKNOWN)] as const,
  );

  test.each(open)('%s %s is documented and not there yet', async (method, path) => {
    expectError(await call(method, path, method === 'POST' ? 'name x\n' : undefined), 501, /^errors:system .*not implemented/);
  });
});
