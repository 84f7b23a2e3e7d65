/** Servers that wait: each condition names what is missing, and events say so once. */
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {CELL, DRIVE, HOST, IMAGE, KEY_PAIR, REGION, SERVER, SERVER_GROUP} from '../../../crds/index.ts';
import type {Drive, Image, Server} from '../../../crds/index.ts';
import {until} from '../../../kube/testing/until.ts';
import {PERSISTENT_VOLUME_CLAIM, SECRET} from '../../../kube/types.ts';
import {cellOf, hostOf, regionOf} from '../../testing/objects.ts';
import {DATA_VOLUME, VIRTUAL_MACHINE} from '../../kubevirt/types.ts';
import {newObstacle} from './blocking.ts';
import {NS, Scenario, conditionOf} from './testing/scenario.ts';

let world: Scenario;
beforeEach(async () => {
  world = await Scenario.start();
});
afterEach(() => world.stop());

const warnings = () => world.operator.events.filter(({type}) => type === 'Warning').map(({object, reason}) => `${object} ${reason}`);

test('everything that is missing is named at the same time, and its appearance is noticed', async () => {
  await world.createServer('web', {
    keyPairs: ['key'],
    bootSecret: {name: 'boot'},
    serverGroups: ['group'],
    placement: {region: 'r', cell: 'c', host: 'bm-0'},
    nics: [{index: 0, network: {name: 'lan'}}],
  });
  const waiting = await world.server('web', (seen) => conditionOf(seen, 'BootDataReady')?.status === 'False');
  const message = (type: string) => conditionOf(waiting, type)?.message;
  expect(message('NetworksReady')).toBe(`network ${NS}/lan does not exist`);
  expect(message('BootDataReady')).toBe('key pair key does not exist; Secret boot does not exist');
  expect(message('Placed')).toBe(
    'region r does not exist; cell c does not exist; host bm-0 does not exist; server group group does not exist',
  );
  expect(waiting.status?.phase).toBe('BUILD');
  await world.operator.quiet();
  expect(world.names(VIRTUAL_MACHINE)).toEqual([]);
  expect(world.names(SECRET)).toEqual([]);

  const {server} = world.operator;
  server.put(HOST, hostOf('bm-0', {region: 'r', cell: 'c'}));
  server.put(REGION, regionOf('r'));
  server.put(CELL, cellOf('c', 'r'));
  await world.create(SERVER_GROUP, {metadata: {name: 'group', namespace: NS}, spec: {name: 'group'}});
  await world.server('web', (seen) => conditionOf(seen, 'Placed')?.reason === 'Scheduling');
  await world.create(KEY_PAIR, {metadata: {name: 'key', namespace: NS}, spec: {name: 'key', publicKey: 'ssh-ed25519 AAAA me'}});
  await world.operator.deps.client.create(SECRET, {apiVersion: 'v1', kind: 'Secret', metadata: {name: 'boot', namespace: NS}});
  const ready = await world.server('web', (seen) => conditionOf(seen, 'BootDataReady')?.status === 'Unknown');
  expect(conditionOf(ready, 'BootDataReady')?.message).toBe('written once every NIC has its address');
  expect(server.object(SECRET, {namespace: NS, name: 'boot'})?.metadata.ownerReferences).toBeUndefined();
});

test('a missing place is waited for, for as long as it takes', async () => {
  await world.createServer('web', {placement: {region: 'r'}});
  await world.server('web', (seen) => conditionOf(seen, 'Placed')?.message === 'region r does not exist');
  world.clock.advance(20 * 60_000);
  await world.operator.quiet();
  expect(world.find<Server>(SERVER, 'web')?.status?.phase).toBe('BUILD');
  world.operator.server.put(REGION, regionOf('r'));
  await world.serverIs('web', 'ACTIVE');
});

test('one event for each thing that is waited for', async () => {
  await world.createServer('web', {flavor: 'huge', image: {namespace: 'basalt-system', name: 'debian'}});
  await until('the event', () => warnings().includes('Server web DependencyMissing'));
  await world.operator.quiet();
  // Some other change, another pass.
  await world.patch('web', {powerOffMode: 'Hard'});
  await world.operator.quiet();
  expect(warnings()).toEqual(['Server web DependencyMissing']);
  await world.patch('web', {flavor: 'small'});
  await world.server('web', (seen) => conditionOf(seen, 'Ready')?.message.includes('image debian') === true);
  await world.operator.quiet();
  expect(warnings()).toEqual(['Server web DependencyMissing', 'Server web DependencyMissing']);
});

test('obstacles: which changes of Ready are news', () => {
  const status = (reason: string, message: string) =>
    ({conditions: [{type: 'Ready', status: 'False', reason, message, lastTransitionTime: 'x', observedGeneration: 1}]}) as NonNullable<
      Server['status']
    >;
  expect(newObstacle(undefined, status('NoCapacity', '1'))?.reason).toBe('NoCapacity');
  expect(newObstacle(status('NoCapacity', '1'), status('NoCapacity', '2'))).toBeUndefined();
  expect(newObstacle(undefined, status('Provisioning', ''))).toBeUndefined();
  expect(newObstacle(status('DependencyMissing', 'a'), status('DependencyMissing', 'b'))?.message).toBe('b');
});

test('nothing is made in a namespace without an account, until it has one', async () => {
  const namespace = 'stray';
  await world.create<Server>(SERVER, {metadata: {name: 'web', namespace}, spec: {name: 'web', flavor: 'small'}});
  await world.create<Drive>(DRIVE, {metadata: {name: 'disk', namespace}, spec: {name: 'disk', sizeBytes: 1024 ** 3}});
  await world.create<Image>(IMAGE, {
    metadata: {name: 'debian', namespace},
    spec: {name: 'debian', visibility: 'Private', source: {http: {url: 'http://images/ok.img'}}},
  });
  const condition = {status: 'False', reason: 'NoAccount', message: 'namespace stray belongs to no account, so nothing is made in it'};
  for (const [type, name] of [
    [SERVER, 'web'],
    [DRIVE, 'disk'],
    [IMAGE, 'debian'],
  ] as const) {
    const object = await world.operator.eventually<Server>(
      type as never,
      name,
      (seen) => conditionOf(seen, 'Ready') !== undefined,
      namespace,
    );
    expect(conditionOf(object, 'Ready')).toMatchObject(condition);
  }
  await world.operator.quiet();
  for (const type of [VIRTUAL_MACHINE, DATA_VOLUME, PERSISTENT_VOLUME_CLAIM]) expect(world.names(type as never, namespace)).toEqual([]);
  expect(world.leases).toEqual([]);
  expect(warnings().toSorted()).toEqual(['Drive disk NoAccount', 'Image debian NoAccount', 'Server web NoAccount']);
  world.putAccount('stray', namespace);
  await world.operator.eventually<Server>(SERVER, 'web', ({status}) => status?.phase === 'ACTIVE', namespace);
  await world.operator.eventually<Drive>(DRIVE, 'disk', ({status}) => status?.phase === 'Ready', namespace);
  await world.operator.eventually<Image>(IMAGE, 'debian', ({status}) => status?.phase === 'Ready', namespace);
});

test('a server in a namespace without an account can be deleted', async () => {
  await world.create<Server>(SERVER, {metadata: {name: 'web', namespace: 'stray'}, spec: {name: 'web', flavor: 'small'}});
  await world.operator.eventually<Server>(SERVER, 'web', (seen) => conditionOf(seen, 'Ready') !== undefined, 'stray');
  await world.delete(SERVER, 'web', 'stray');
  await world.operator.gone(SERVER, 'web', 'stray');
});

describe('a guest that crashes', () => {
  test('is an event and an entry of the history, once each time; being stopped hard is none', async () => {
    await world.createServer('web');
    await world.serverIs('web', 'ACTIVE');
    const crashes = () => warnings().filter((warning) => warning === 'Server web GuestCrashed').length;
    for (const [count, at] of ['2026-01-01T00:00:10Z', '2026-01-01T00:00:20Z'].entries()) {
      world.kubevirt.stop();
      world.kubevirt.end('web', 'Failed', at, `out of memory ${count}`);
      await world.server('web', ({status}) => status?.history?.some(({time, reason}) => time === at && reason === 'GuestCrashed') === true);
      await until('the event', () => crashes() === count + 1);
      expect(world.operator.events.findLast(({reason}) => reason === 'GuestCrashed')?.message).toBe(
        `the guest ended with a failure at ${at}; KubeVirt says: GuestCrashed: out of memory ${count}`,
      );
      world.kubevirt.start();
      await world.serverIs('web', 'ACTIVE');
      await world.operator.quiet();
      expect(crashes()).toBe(count + 1);
    }
    expect(
      world
        .find<Server>(SERVER, 'web')
        ?.status?.history?.slice(-3)
        .map(({phase, reason}) => `${phase} ${reason}`),
    ).toEqual(['ACTIVE Running', 'ACTIVE GuestCrashed', 'ACTIVE GuestCrashed']);
    await world.patch('web', {powerState: 'Stopped', powerOffMode: 'Hard'});
    await world.serverIs('web', 'STOPPED');
    expect(crashes()).toBe(2);
  });
});
