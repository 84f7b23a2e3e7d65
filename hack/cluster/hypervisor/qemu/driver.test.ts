import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {existsSync, mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {KubeClient} from '../../../../kube/client.ts';
import {silentLogger} from '../../../../kube/log.ts';
import {FakeClock, settle} from '../../../../kube/testing/fake-clock.ts';
import {vmi} from '../testing/objects.ts';
import {createQemuDriver, nicRequest, placeOf} from './driver.ts';
import type {QemuDriver} from './driver.ts';
import type {GuestLimits} from './limits.ts';
import {planMachine} from './machine.ts';
import {writeRecord} from './state-file.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'driver-'));
});
afterEach(() => rmSync(root, {recursive: true, force: true}));

const nobody = (): never => {
  throw new Error('nothing is asked for before a guest is admitted');
};
const driverWith = (limits: GuestLimits): QemuDriver =>
  createQemuDriver({
    client: {get: nobody} as unknown as KubeClient,
    networks: {attach: nobody, adopt: nobody, close: () => Promise.resolve()},
    events: {event: () => undefined, flush: () => Promise.resolve()},
    root,
    images: root,
    limits,
    clock: new FakeClock(),
    log: silentLogger,
  });

describe('a machine that is full', () => {
  test.each([
    [{guests: 0, memoryMiB: 10_000}, /HYPERVISOR_MAX_GUESTS=0/],
    [{guests: 5, memoryMiB: 100}, /HYPERVISOR_MAX_MEMORY_MIB=100/],
  ])('%j takes no guest, says so and leaves nothing', async (limits, why) => {
    let moves = 0;
    const guest = driverWith(limits).start({vmi: vmi(), nodeName: 'bm-000', onChange: () => moves++});
    expect(guest.state).toEqual({name: 'starting'});
    while (moves === 0) await settle();
    expect(guest.state).toMatchObject({name: 'ended', how: 'not-started', message: expect.stringMatching(why)});
    expect(readdirSync(root).filter((name) => name !== 'ended.logs')).toEqual([]);
  });
});

test('a guest that is killed before it is its turn never starts', async () => {
  const guest = driverWith({guests: 1, memoryMiB: 1_000}).start({vmi: vmi(), nodeName: 'bm-000', onChange: () => undefined});
  await guest.kill();
  for (let turn = 0; turn < 20; turn++) await settle();
  expect(guest.state).toMatchObject({name: 'ended', how: 'killed'});
});

test('of a guest whose process is gone nothing is found, and nothing stays', async () => {
  const place = placeOf(root, vmi(), 'bm-000');
  const {plan} = planMachine(vmi(), new Map());
  const {folder, root: _root, ...rest} = place;
  writeRecord(folder, {version: 1, ...rest, process: {pid: process.pid, startTime: 'another life'}, plan, nics: {}});
  const driver = driverWith({guests: 1, memoryMiB: 1_000});
  expect(await driver.adopt({vmi: vmi(), nodeName: 'bm-000', onChange: () => undefined})).toBeUndefined();
  expect(existsSync(folder)).toBe(false);
});

test('runs without a VMI are forgotten, with what belongs to them', async () => {
  const place = placeOf(root, vmi(), 'bm-000');
  const {plan} = planMachine(vmi(), new Map());
  const {folder, root: _root, ...rest} = place;
  writeRecord(folder, {version: 1, ...rest, process: {pid: process.pid, startTime: 'another life'}, plan, nics: {}});
  const driver = driverWith({guests: 1, memoryMiB: 1_000});
  expect(await driver.endStrays(() => true)).toEqual([]);
  expect(existsSync(folder)).toBe(true);
  expect(await driver.endStrays(() => false)).toEqual([]); // it had ended by itself
  expect(existsSync(folder)).toBe(false);
});

test('sockets of a cluster in a deep folder are elsewhere, always in the same place', () => {
  const deep = join(root, 'x'.repeat(80));
  const place = placeOf(deep, vmi(), 'bm-000');
  expect(place.sockets.startsWith(deep)).toBe(false);
  expect(Buffer.byteLength(join(place.sockets, 'incoming'))).toBeLessThanOrEqual(107);
  expect(placeOf(deep, vmi(), 'bm-000')).toEqual(place);
  expect(placeOf(deep, vmi(), 'bm-001').sockets).not.toBe(place.sockets);
});

test('networks are asked with the lease of the NIC', () => {
  const leased = vmi({metadata: {annotations: {'basalt.dev/nic-addresses': '{"nic0":"198.51.100.7"}'}}});
  const [nic] = planMachine(leased, new Map()).plan.nics;
  if (nic === undefined) throw new Error('no NIC');
  expect(nicRequest(nic, {vmi: leased, podAddress: '10.244.0.7'})).toMatchObject({
    vmiKey: 'ns/vm1',
    mac: '52:54:00:aa:bb:01',
    attachment: 'ns/public',
    address: '198.51.100.7',
    podAddress: '10.244.0.7',
    hostname: 'vm1',
  });
});
