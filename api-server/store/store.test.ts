/** The store over the fake API server: what is written is read at once, and of two that want the same thing one gets it. */
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {API_VERSION, DRIVE, SERVER, type Drive, type Server} from '../../crds/index.ts';
import {systemClock} from '../../kube/clock.ts';
import {silentLogger} from '../../kube/log.ts';
import {startFakeApiServer, type FakeApiServer} from '../../kube/testing/fake-api-server.ts';
import {until} from '../../kube/testing/until.ts';
import {createStore, type RunningStore} from './store.ts';

const NAMESPACE = 'acct-ann';
let fake: FakeApiServer;
let store: RunningStore;
let lifetime: AbortController;
let signal: AbortSignal;

beforeEach(async () => {
  fake = await startFakeApiServer();
  lifetime = new AbortController();
  signal = lifetime.signal;
  store = createStore({client: fake.client(), clock: systemClock, log: silentLogger, systemNamespace: 'basalt-system'});
  store.start(signal);
  await store.waitForSync(signal);
});
afterEach(async () => {
  lifetime.abort();
  await fake.close();
});

const spec = (more: object = {}) => ({name: 'web', flavor: 'small', ...more}) as Server['spec'];
const create = (name: string, more: object = {}) =>
  store.servers.create({metadata: {name, namespace: NAMESPACE}, spec: spec(more)}, {signal});
const code = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'ok',
    (error: {code?: string}) => error.code ?? error,
  );

describe('a collection', () => {
  test('shows a created object at once, by every key', async () => {
    const server = await create('s1', {id: 7});
    expect(server.apiVersion).toBe(API_VERSION);
    const {uid = ''} = server.metadata;
    expect([
      store.servers.get({namespace: NAMESPACE, name: 's1'}),
      store.servers.byId(7),
      store.servers.byUuid(uid),
      store.servers.byName('web')[0],
    ]).toEqual([server, server, server, server]);
    expect(store.servers.byId(7, 'acct-bob')).toBeUndefined();
    expect(store.servers.list(NAMESPACE)).toEqual([server]);
    expect(store.servers.list('acct-bob')).toEqual([]);
  });

  test('lists again only when something has changed', async () => {
    await create('s2', {id: 2});
    await create('s1', {id: 1});
    const list = store.servers.list();
    expect(list.map(({metadata}) => metadata.name)).toEqual(['s1', 's2']);
    expect(store.servers.list()).toBe(list);
    await create('s3', {id: 3});
    expect(store.servers.list()).toHaveLength(3);
  });

  test('refuses a name that is taken', async () => {
    await create('s1');
    expect(await code(create('s1'))).toBe('already-exists');
  });

  test('says "unavailable" while the namespace of an account is not there', async () => {
    fake.faults.status(404, 'NotFound', {match: ({method}) => method === 'POST'});
    expect(await code(create('s1'))).toBe('unavailable');
  });

  test('an update that meets another one works on the newest state', async () => {
    await create('s1', {description: 'a'});
    const ref = {namespace: NAMESPACE, name: 's1'};
    let tries = 0;
    const server = await store.servers.update(
      ref,
      (current) => {
        tries += 1;
        // Somebody else is faster, once.
        if (tries === 1) fake.put(SERVER, {...current, spec: {...current.spec, description: 'b'}});
        return {...current, spec: {...current.spec, name: 'renamed'}};
      },
      {signal},
    );
    expect(tries).toBe(2);
    expect(server.spec).toMatchObject({name: 'renamed', description: 'b'});
    expect(store.servers.get(ref)?.spec.name).toBe('renamed');
  });

  test('an update with nothing to do writes nothing; one of something gone is not found', async () => {
    await create('s1');
    const before = fake.writes;
    await store.servers.update({namespace: NAMESPACE, name: 's1'}, () => undefined, {signal});
    expect(fake.writes).toBe(before);
    expect(await code(store.servers.update({namespace: NAMESPACE, name: 'gone'}, (current) => current, {signal}))).toBe('not-found');
  });

  test('a delete is seen at once: gone, or on its way out', async () => {
    await create('s1');
    await store.servers.delete({namespace: NAMESPACE, name: 's1'}, {signal});
    expect(store.servers.get({namespace: NAMESPACE, name: 's1'})).toBeUndefined();
    await store.servers.create(
      {metadata: {name: 's2', namespace: NAMESPACE, finalizers: ['basalt.dev/finalizer']}, spec: spec()},
      {signal},
    );
    await store.servers.delete({namespace: NAMESPACE, name: 's2'}, {signal});
    expect(store.servers.get({namespace: NAMESPACE, name: 's2'})?.metadata.deletionTimestamp).toBeDefined();
    expect(await code(store.servers.delete({namespace: NAMESPACE, name: 's1'}, {signal}))).toBe('not-found');
  });

  test('a wait ends with the state, or with its deadline', async () => {
    const server = await create('s1');
    const ref = {namespace: NAMESPACE, name: 's1'};
    const waiting = store.servers.waitFor(ref, (seen) => seen?.status?.phase === 'ACTIVE', {signal, deadlineMs: 5000});
    fake.put(SERVER, {...server, status: {phase: 'ACTIVE'}} as Server);
    expect((await waiting)?.status?.phase).toBe('ACTIVE');
    expect(await code(store.servers.waitFor(ref, () => false, {signal, deadlineMs: 10}))).toBe('timeout');
  });
});

describe('ids', () => {
  test('are different for everybody who asks at the same time, and above what is in use', async () => {
    await create('s1', {id: 500});
    const ids = await Promise.all(Array.from({length: 50}, () => store.allocateId('Server', signal)));
    expect(new Set(ids).size).toBe(50);
    expect(Math.min(...ids)).toBe(501);
    expect(await store.allocateId('Drive', signal)).toBe(1);
  });
});

describe('claims', () => {
  const drive = {namespace: NAMESPACE, name: 'd1'};
  const claim = (server: string) => store.claimDrive({drive, server, slot: 'ide:0:0'}, {signal});
  const put = async (): Promise<void> => {
    fake.put(DRIVE, {apiVersion: API_VERSION, kind: 'Drive', metadata: drive, spec: {name: 'd1', sizeBytes: 1_048_576}} as Drive);
    await until('the drive', () => store.drives.get(drive));
  };

  test('of two servers that want an exclusive drive at once, one gets it', async () => {
    await put();
    const outcomes = await Promise.all([code(claim('a')), code(claim('b'))]);
    expect(outcomes.map(String).toSorted()).toEqual(['in-use', 'ok']);
    expect(fake.object(DRIVE, drive)?.status?.claims).toHaveLength(1);
  });

  test('are given back, and nothing happens when there is none', async () => {
    await put();
    await claim('a');
    expect(store.drives.get(drive)?.status?.server).toBe('a');
    await store.releaseDrive({drive, server: 'b'}, {signal});
    expect(store.drives.get(drive)?.status?.claims).toHaveLength(1);
    await store.releaseDrive({drive, server: 'a'}, {signal});
    expect(store.drives.get(drive)?.status).toEqual({});
    expect(await code(claim('b'))).toBe('ok');
    expect(await code(store.releaseDrive({drive: {namespace: NAMESPACE, name: 'gone'}, server: 'a'}, {signal}))).toBe('ok');
  });
});
