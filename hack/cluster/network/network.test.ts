import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {choosePorts} from '../ports.ts';
import {ownIdentity} from '../process-identity.ts';
import {planNetwork, subnetOf} from './plan.ts';
import {claimSlot, readClaims, releaseSlot, slotsInOrder, type Claim} from './slots.ts';

const ports = await choosePorts(0, () => Promise.resolve(true));

describe('addresses', () => {
  test('with routes each slot has a /24 of its own', () => {
    const plan = planNetwork(3, ports, {routes: true});
    expect(plan).toMatchObject({
      mode: 'local-route',
      subnet: '10.245.3.0/24',
      nodeAddress: '10.245.3.20',
      handler: {address: '10.245.3.20', port: 8186},
    });
    expect(new Set([plan.virtApi.address, plan.cdiApi.address, plan.handler.address]).size).toBe(3);
    expect(subnetOf(3)).not.toBe(subnetOf(4));
  });

  test('without, they share the machine’s address on ports of their own', () => {
    const plan = planNetwork(0, ports, {routes: false, ownAddress: '192.0.2.7'});
    expect(plan).toMatchObject({mode: 'own-address', nodeAddress: '192.0.2.7', virtApi: {address: '192.0.2.7', port: ports.virtApi}});
    expect(new Set([plan.virtApi.port, plan.cdiApi.port, plan.handler.port]).size).toBe(3);
  });

  test('with neither there is an error that says what to do', () => {
    expect(() => planNetwork(0, ports, {routes: false})).toThrow('--light');
  });
});

describe('slots', () => {
  const claim = (dir: string): Claim => ({dir, by: {pid: 1, startTime: 'x'}});
  const claims = new Map([
    [0, claim('/a')],
    [1, claim('/dead')],
    [2, claim('/mine')],
  ]);
  const live = (one: Claim): boolean => one.dir !== '/dead';

  test.each([
    ['a new cluster takes the first one that no living cluster has', '/new', undefined, 1],
    ['a cluster gets its old one', '/mine', 2, 2],
    ['an old one that somebody else has now is gone', '/new', 0, 1],
    ['an old one that is free again comes first', '/new', 7, 7],
  ])('%s', (_what, dir, previous, expected) => expect(slotsInOrder(dir, previous, claims, live)[0]).toBe(expected));
});

describe('claims', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'basalt-test-'));
  });
  afterEach(() => rmSync(folder, {recursive: true}));
  const usable = (): Promise<boolean> => Promise.resolve(true);
  const request = (dir: string) => ({dir, previous: undefined, by: ownIdentity()});

  test('clusters that start together get different slots', async () => {
    const got = await Promise.all(['/a', '/b', '/c'].map((dir) => claimSlot(request(dir), usable, folder)));
    expect(got.map(({slot}) => slot).toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
  });

  test('a slot whose addresses somebody uses is passed over', async () => {
    expect((await claimSlot(request('/a'), (slot) => Promise.resolve(slot > 1), folder)).slot).toBe(2);
  });

  test('the claim of a process that ended is reported as lost and taken away', async () => {
    await claimSlot({dir: '/gone', previous: 5, by: {pid: 999_999_999, startTime: 'never'}}, usable, folder);
    expect(await claimSlot(request('/a'), usable, folder)).toEqual({slot: 0, lost: [5]});
    expect([...readClaims(folder).keys()]).toEqual([0]);
  });

  test('the last one to give its slot back is told so', async () => {
    const [a, b] = [await claimSlot(request('/a'), usable, folder), await claimSlot(request('/b'), usable, folder)];
    expect(await releaseSlot('/a', a.slot, folder)).toEqual({lastOne: false});
    expect(await releaseSlot('/b', b.slot, folder)).toEqual({lastOne: true});
  });
});
