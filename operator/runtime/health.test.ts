import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {Counter, Registry} from 'prom-client';
import {silentLogger} from '../../kube/log.ts';
import {startHealthServer} from './health.ts';
import type {HealthServer} from './health.ts';

let health: HealthServer;
let reasons: string[];

beforeEach(async () => {
  reasons = [];
  const registry = new Registry();
  new Counter({name: 'things_total', help: 'Things', registers: [registry]}).inc(3);
  health = await startHealthServer({host: '127.0.0.1', port: 0, registry, unready: () => reasons, log: silentLogger});
});
afterEach(() => health.close());

const ask = async (path: string, method = 'GET'): Promise<[number, string]> => {
  const answer = await fetch(`http://127.0.0.1:${health.port}${path}`, {method});
  return [answer.status, await answer.text()];
};

test('alive and ready', async () => {
  expect([await ask('/livez'), await ask('/readyz')]).toEqual([
    [200, 'ok\n'],
    [200, 'ok\n'],
  ]);
});

test('not ready says why, one reason a line, and stays alive', async () => {
  reasons = ['the cluster does not serve virtualmachines.kubevirt.io: is its CRD installed?', 'and more'];
  expect(await ask('/readyz?verbose')).toEqual([503, `${reasons.join('\n')}\n`]);
  expect((await ask('/livez'))[0]).toBe(200);
});

test('metrics', async () => {
  const [status, text] = await ask('/metrics');
  expect(status).toBe(200);
  expect(text).toContain('things_total 3');
});

test.each([
  ['/nope', 'GET', 404],
  ['/livez', 'POST', 405],
])('%s %s is %d', async (path, method, status) => {
  expect((await ask(path, method))[0]).toBe(status);
});

test('a taken port is an error', async () => {
  const again = startHealthServer({host: '127.0.0.1', port: health.port, registry: new Registry(), unready: () => [], log: silentLogger});
  await expect(again).rejects.toThrow('EADDRINUSE');
});
