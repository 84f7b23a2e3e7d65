/** What a CloudSigma client sees of `set` on drives, servers and the profile, and of drives and passwords that are shown to some only. */
import {afterAll, afterEach, beforeAll, describe, expect, test} from '@jest/globals';
import {DRIVE, SERVER} from '../../crds/index.ts';
import {SECRET} from '../../kube/types.ts';
import {basic, startModules, PASSWORD, type ModuleHarness, type TestAnswer} from '../testing/module-harness.ts';
import {formatObject, parseProperties} from './codec.ts';
import {createCloudSigmaModule} from './index.ts';
import {startStandIn, type StandIn} from './testing/operator-stand-in.ts';

const UNKNOWN = 'aaaaaaaa-0000-4000-8000-00000000ffff';
const EVERYONE = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
const GIB = 1024 ** 3;

let api: ModuleHarness;
let operator: StandIn;

beforeAll(async () => {
  api = await startModules({
    accounts: [
      {name: 'demo', roles: ['tenant'], profile: {firstName: 'Foo', lastName: 'Bar', nickName: 'foobar', currency: 'CHF'}},
      {name: 'other', roles: ['tenant']},
      {name: 'third', roles: ['tenant']},
    ],
    modules: (deps) => [{...createCloudSigmaModule(deps), mounts: ['']}],
  });
  operator = startStandIn(api.fake, api.store);
});

afterEach(() => operator.check());

afterAll(async () => {
  operator.stop();
  await api.close();
});

type Fields = Record<string, string | number>;

function call(path: string, body?: Fields | string, name = 'demo'): Promise<TestAnswer> {
  const text = body === undefined || typeof body === 'string' ? body : formatObject(body);
  return api.request(text === undefined ? 'GET' : 'POST', path, {headers: basic(name), ...(text === undefined ? {} : {body: text})});
}

async function object(path: string, body?: Fields | string, name?: string): Promise<Record<string, string | undefined>> {
  const answer = await call(path, body, name);
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
  return Object.fromEntries(parseProperties(answer.text));
}

async function refused(status: number, text: RegExp, ...request: Parameters<typeof call>): Promise<void> {
  const answer = await call(...request);
  expect([answer.status, answer.text]).toEqual([status, expect.stringMatching(text)]);
}

const makeDrive = async (fields: Fields = {}): Promise<string> =>
  (await object('/drives/create', {name: 'd', size: '1G', ...fields}))['drive'] ?? '';
const makeServer = async (fields: Fields = {}): Promise<string> =>
  (await object('/servers/create', {name: 's', cpu: 1000, mem: 512, ...fields}))['server'] ?? '';
const stored = (uuid: string) => api.fake.object(SERVER, {namespace: 'acct-demo', name: uuid})?.spec;

describe('drives/U/set', () => {
  test('what is sent changes, the rest stays, a bare key empties', async () => {
    const uuid = await makeDrive({tags: 'a b', use: 'general', readers: UNKNOWN});
    expect(await object(`/drives/${uuid}/set`, {name: 'renamed', description: 'x', size: '2G'})).toMatchObject({
      name: 'renamed',
      description: 'x',
      size: String(2 * GIB),
      tags: 'a b',
      use: 'general',
      readers: UNKNOWN,
    });
    const after = await object(`/drives/${uuid}/set`, 'tags\nreaders \ndescription\nuse db\n');
    expect(after).toMatchObject({name: 'renamed', use: 'db', size: String(2 * GIB)});
    for (const key of ['tags', 'readers', 'description']) expect(after).not.toHaveProperty(key);
  });

  test('size 0 is "unchanged"; what is the same already writes nothing', async () => {
    const uuid = await makeDrive();
    const before = api.fake.object(DRIVE, {namespace: 'acct-demo', name: uuid})?.metadata.resourceVersion;
    await object(`/drives/${uuid}/set`, {name: 'd', size: 0, 'claim:type': 'exclusive', driveType: 'ssd'});
    expect(api.fake.object(DRIVE, {namespace: 'acct-demo', name: uuid})?.metadata.resourceVersion).toBe(before);
  });

  test('what storage cannot do is refused, naming every key, and changes nothing', async () => {
    const uuid = await makeDrive();
    const body = {name: ' ', size: '1M', 'claim:type': 'shared', 'encryption:cipher': 'aes-xts-plain', readers: 'x'};
    const answer = await call(`/drives/${uuid}/set`, body);
    expect(answer.status).toBe(400);
    for (const key of Object.keys(body)) expect(answer.text).toMatch(new RegExp(`^errors:${key} `, 'm'));
    expect(await object(`/drives/${uuid}/info`)).toMatchObject({name: 'd', size: String(GIB)});
    await refused(404, /could not be found/, `/drives/${UNKNOWN}/set`, {name: 'x'});
  });

  test('a shared drive becomes exclusive when one server at most has it', async () => {
    const uuid = await makeDrive({'claim:type': 'shared'});
    const servers = [await makeServer({'ide:0:0': uuid}), await makeServer({'ide:0:0': uuid})];
    await refused(409, /^errors:claim:type .*currently in use/m, `/drives/${uuid}/set`, {'claim:type': 'exclusive'});
    await call(`/servers/${servers[1]}/destroy`);
    expect(await object(`/drives/${uuid}/set`, {'claim:type': 'exclusive'})).toMatchObject({'claim:type': 'exclusive'});
  });
});

describe('drives with readers', () => {
  test('a reader sees what it needs to copy the drive, copies it, and changes nothing', async () => {
    const reader = (await object('/profile/info', undefined, 'other'))['uuid'] ?? '';
    const owner = (await object('/profile/info'))['uuid'];
    const uuid = await makeDrive({readers: reader, tags: 'mine', size: '2G'});
    await makeServer({'ide:0:0': uuid});
    const seen = await object(`/drives/${uuid}/info`, undefined, 'other');
    expect(seen).toMatchObject({drive: uuid, user: owner, size: String(2 * GIB), status: 'active', type: 'disk'});
    for (const key of ['claimed', 'readers', 'tags', 'use']) expect(seen).not.toHaveProperty(key);
    // Only by its uuid: the lists are of one's own.
    expect((await call('/drives/list', undefined, 'other')).text).not.toContain(uuid);
    operator.pauseDrives();
    const copy = await object(`/drives/${uuid}/clone`, {name: 'copy'}, 'other');
    expect(copy).toMatchObject({user: reader, size: String(2 * GIB)});
    expect(api.fake.object(DRIVE, {namespace: 'acct-other', name: copy['drive'] ?? ''})?.spec.source).toEqual({
      drive: {namespace: 'acct-demo', name: uuid},
    });
    operator.resumeDrives();
    await refused(404, /could not be found/, `/drives/${uuid}/set`, {name: 'x'}, 'other');
    await refused(404, /could not be found/, `/drives/${uuid}/destroy`, '', 'other');
    await refused(400, /could not be found/, '/servers/create', {name: 's', cpu: 1000, mem: 512, 'ide:0:0': uuid}, 'other');
    await refused(404, /could not be found/, `/drives/${uuid}/info`, undefined, 'third');
    await refused(404, /could not be found/, `/drives/${uuid}/clone`, {name: 'x'}, 'third');
  });

  test('everyone', async () => {
    const uuid = await makeDrive({readers: EVERYONE});
    expect(await object(`/drives/${uuid}/info`, undefined, 'third')).toMatchObject({name: 'd'});
    await object(`/drives/${uuid}/set`, 'readers\n');
    await refused(404, /could not be found/, `/drives/${uuid}/info`, undefined, 'third');
  });

  test('a drive that a reader is copying is not destroyed', async () => {
    const uuid = await makeDrive({readers: EVERYONE});
    operator.pauseDrives();
    const copy = (await object(`/drives/${uuid}/clone`, {name: 'copy'}, 'other'))['drive'];
    await refused(409, /currently in use/, `/drives/${uuid}/destroy`, '');
    operator.resumeDrives();
    await operator.until(async () => (await object(`/drives/${copy}/info`, undefined, 'other'))['status'] === 'active');
    expect((await call(`/drives/${uuid}/destroy`, '')).status).toBe(204);
  });
});

describe('servers/U/set', () => {
  test('name and the like at any time', async () => {
    const uuid = await makeServer({'ide:0:0': await makeDrive(), description: 'old', 'user:a': '1', 'user:b': '2'});
    const after = await object(`/servers/${uuid}/set`, 'name web\nuse db www\ndescription\nuser:a\nuser:c 3\n');
    expect(after).toMatchObject({status: 'active', name: 'web', use: 'db www', 'user:b': '2', 'user:c': '3', mem: '512'});
    expect(after).not.toHaveProperty('description');
    expect(after).not.toHaveProperty('user:a');
  });

  test('sizes and devices need a stopped server; what was shown may be sent back', async () => {
    const drive = await makeDrive();
    const uuid = await makeServer({'ide:0:0': drive, 'nic:0:model': 'e1000', 'nic:0:dhcp': 'auto'});
    const shown = (await call(`/servers/${uuid}/info`)).text;
    const before = api.fake.object(SERVER, {namespace: 'acct-demo', name: uuid})?.metadata.generation;
    expect((await object(`/servers/${uuid}/set`, shown))['mem']).toBe('512');
    expect(api.fake.object(SERVER, {namespace: 'acct-demo', name: uuid})?.metadata.generation).toBe(before);
    const free = await makeDrive();
    for (const [key, value] of Object.entries({cpu: 2000, mem: 1024, 'ide:0:1': free, boot: 'ide:0:1', 'nic:0:model': 'virtio'}))
      await refused(409, new RegExp(`^errors:${key.replace(/:model$/, '')} .*currently in use`, 'm'), `/servers/${uuid}/set`, {
        [key]: value,
      });
    expect((await object(`/drives/${free}/info`))['claimed']).toBeUndefined();
    await call(`/servers/${uuid}/stop`);
    const after = await object(`/servers/${uuid}/set`, {cpu: 2000, mem: 1024, 'ide:0:1': free, boot: 'ide:0:1', 'nic:0:model': 'virtio'});
    expect(after).toMatchObject({
      cpu: '2000',
      smp: '1',
      mem: '1024',
      'ide:0:0': drive,
      'ide:0:1': free,
      boot: 'ide:0:1',
      'nic:0:model': 'virtio',
    });
    expect((await object(`/drives/${free}/info`))['claimed']).toContain(`:guest:${uuid}:ide:0:1`);
    expect((await call(`/servers/${uuid}/start`)).status).toBe(200);
  });

  test('drives move, leave, and are free again', async () => {
    const drives = [await makeDrive(), await makeDrive()] as const;
    const uuid = await makeServer({'ide:0:0': drives[0], 'ide:0:1': drives[1], boot: 'ide:0:1'});
    await call(`/servers/${uuid}/stop`);
    const after = await object(`/servers/${uuid}/set`, `ide:0:0\nblock:0:2 ${drives[0]}\nide:0:1 \n`);
    expect(after).toMatchObject({'block:2': drives[0], boot: 'block:2'});
    expect(after).not.toHaveProperty('ide:0:1');
    expect((await object(`/drives/${drives[0]}/info`))['claimed']).toContain(':block:2');
    expect((await object(`/drives/${drives[1]}/info`))['claimed']).toBeUndefined();
    await makeServer({'ide:0:0': drives[1]});
    await refused(409, /^errors:ide:1:0 .*currently in use/m, `/servers/${uuid}/set`, {'ide:1:0': drives[1]});
    await refused(400, /^errors:ide:1:0 .*could not be found/m, `/servers/${uuid}/set`, {'ide:1:0': UNKNOWN});
    expect(stored(uuid)?.disks).toEqual([{slot: 'block:2', drive: drives[0], media: 'Disk'}]);
  });

  test('bad values are named, and change nothing; nobody else can', async () => {
    const uuid = await makeServer();
    const answer = await call(`/servers/${uuid}/set`, 'name\ncpu x\nmem 1\nide:9:0 y\nvnc:password waytoolong\n');
    expect(answer.status).toBe(400);
    for (const key of ['name', 'cpu', 'mem', 'ide:9:0', 'vnc:password']) expect(answer.text).toMatch(new RegExp(`^errors:${key} `, 'm'));
    expect(answer.text).not.toContain('waytoolong');
    await refused(404, /could not be found/, `/servers/${uuid}/set`, {name: 'x'}, 'other');
    expect(stored(uuid)?.name).toBe('s');
  });
});

describe('the password of the console', () => {
  test('its owner is shown it; it is set, changed and removed', async () => {
    const uuid = await makeServer({'vnc:password': 'hush', 'vnc:tls': 'on'});
    const secret = () => api.fake.object(SECRET, {namespace: 'acct-demo', name: `${uuid}-vnc`});
    expect(await object(`/servers/${uuid}/info`)).toMatchObject({'vnc:password': 'hush', 'vnc:tls': 'on'});
    expect((await call('/servers/info')).text).toContain('vnc:password hush\n');
    expect(await object(`/servers/${uuid}/set`, {'vnc:password': 'tush'})).toMatchObject({'vnc:password': 'tush', 'vnc:tls': 'on'});
    expect(JSON.stringify(stored(uuid))).not.toContain('tush');
    const without = await object(`/servers/${uuid}/set`, 'vnc:password\n');
    expect(without).not.toHaveProperty('vnc:password');
    expect([stored(uuid)?.console, secret()]).toEqual([undefined, undefined]);
    expect(await object(`/servers/${uuid}/set`, {'vnc:password': 'again'})).toMatchObject({'vnc:password': 'again'});
    expect(secret()?.metadata.labels).toEqual({'basalt.dev/server': uuid});
  });
});

describe('profile/set', () => {
  test('what is sent changes; what is required cannot be emptied', async () => {
    expect(await object('/profile/set', 'first_name Ada\ncompany Babbage & Co\ncurrency EUR\nunknown x\n')).toMatchObject({
      first_name: 'Ada',
      last_name: 'Bar',
      company: 'Babbage & Co',
      currency: 'CHF',
    });
    const answer = await call('/profile/set', 'first_name \n');
    expect([answer.status, answer.text]).toEqual([400, expect.stringMatching(/^errors:first_name \* This field is required\.$/m)]);
    expect(answer.text).toMatch(/^company Babbage & Co$/m);
    expect(await object('/profile/info')).toMatchObject({first_name: 'Ada'});
  });

  test('the address is a user name: it must be one, and free', async () => {
    await refused(400, /^errors:email /m, '/profile/set', {email: 'nonsense'});
    await refused(400, /^errors:email another user/m, '/profile/set', {email: 'Other@Example.com'});
    expect(await object('/profile/set', {email: 'new@example.com'}, 'third')).toMatchObject({email: 'new@example.com'});
    const authorization = `Basic ${Buffer.from(`new@example.com:${PASSWORD}`).toString('base64')}`;
    expect((await api.request('GET', '/profile/info', {headers: {authorization}})).status).toBe(200);
  });
});
