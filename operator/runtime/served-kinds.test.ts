import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {silentLogger} from '../../kube/log.ts';
import type {Logger} from '../../kube/log.ts';
import {FakeClock} from '../../kube/testing/fake-clock.ts';
import {startFakeApiServer} from '../../kube/testing/fake-api-server.ts';
import type {FakeApiServer} from '../../kube/testing/fake-api-server.ts';
import {until} from '../../kube/testing/until.ts';
import {createServedKinds} from './served-kinds.ts';
import type {ServedKinds} from './served-kinds.ts';

const POD = {group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true};
const VM = {group: 'kubevirt.io', version: 'v1', plural: 'virtualmachines', kind: 'VirtualMachine', namespaced: true};

let server: FakeApiServer;
let stop: AbortController;
let clock: FakeClock;
let ended: Promise<void>;
const types = [POD];
const warnings: string[] = [];
const log: Logger = {...silentLogger, warn: (fields, message) => void warnings.push(`${message} ${JSON.stringify(fields)}`)};

function start(): ServedKinds {
  const kinds = createServedKinds({client: server.client(), clock, log});
  ended = kinds.run(stop.signal);
  return kinds;
}

beforeEach(async () => {
  types.splice(0, types.length, POD);
  warnings.length = 0;
  server = await startFakeApiServer({types});
  stop = new AbortController();
  clock = new FakeClock();
  ended = Promise.resolve();
});
afterEach(async () => {
  stop.abort();
  await ended;
  await server.close();
});

test('a kind that is there is found at once; a missing one when it comes, and it is named meanwhile', async () => {
  const kinds = start();
  const found: string[] = [];
  kinds.expect(POD, () => found.push('pods'));
  kinds.expect(VM, () => found.push('virtualmachines'));
  await kinds.looked;
  expect([found, kinds.served(POD), kinds.served(VM), kinds.missing]).toEqual([['pods'], true, false, ['virtualmachines.kubevirt.io']]);
  types.push(VM);
  await until('the second look', () => {
    clock.advance(500);
    return found.length === 2;
  });
  expect([kinds.served(VM), kinds.missing]).toEqual([true, []]);
  expect(warnings.filter((line) => line.includes('virtualmachines.kubevirt.io'))).toHaveLength(1);
});

test('asking for a kind that was found already answers at once', async () => {
  const kinds = start();
  kinds.expect(POD, () => undefined);
  await kinds.looked;
  let called = false;
  kinds.expect(POD, () => (called = true));
  expect(called).toBe(true);
});

test('a server that fails is asked again, and nothing counts as missing or served meanwhile', async () => {
  server.faults.serverError({times: 1, match: ({path}) => path === '/api/v1'});
  const kinds = start();
  let found = false;
  kinds.expect(POD, () => (found = true));
  await until('the failed look', () => server.requests.length > 0);
  expect(found).toBe(false);
  await until('the next look', () => {
    clock.advance(500);
    return found;
  });
});
