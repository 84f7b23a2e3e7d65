/** What a CloudSigma client sees, over HTTP, with a stand-in for the operator that gives servers and drives their states. */
import {afterAll, afterEach, beforeAll, describe, expect, test} from '@jest/globals';
import {API_VERSION, DRIVE, IMAGE, SERVER, SERVER_OPERATION, SYSTEM_NAMESPACE, type Image} from '../../crds/index.ts';
import {SECRET} from '../../kube/types.ts';
import {basic, startModules, type ModuleHarness, type TestAnswer} from '../testing/module-harness.ts';
import {formatObject, parseProperties} from './codec.ts';
import {createCloudSigmaModule} from './index.ts';
import {startStandIn, type StandIn} from './testing/operator-stand-in.ts';

const STANDARD = 'aaaaaaaa-0000-4000-8000-000000000001';
const STANDARD_CD = 'aaaaaaaa-0000-4000-8000-000000000002';
const PRIVATE = 'aaaaaaaa-0000-4000-8000-000000000003';
const UNKNOWN = 'aaaaaaaa-0000-4000-8000-00000000ffff';
const GIB = 1024 ** 3;

let api: ModuleHarness;
let operator: StandIn;

const image = (uuid: string, spec: Partial<Image['spec']>): Image => ({
  apiVersion: API_VERSION,
  kind: 'Image',
  metadata: {name: uuid, namespace: SYSTEM_NAMESPACE},
  spec: {name: 'Debian 13', source: {http: {url: 'http://127.0.0.1/debian.raw'}}, visibility: 'Public', ...spec},
  status: {uuid, phase: 'Ready', sizeBytes: GIB},
});

beforeAll(async () => {
  api = await startModules({
    accounts: [
      {name: 'demo', roles: ['tenant'], profile: {firstName: 'Foo', lastName: 'Bar'}},
      {name: 'other', roles: ['tenant']},
      {name: 'clerk', roles: ['inventory']},
    ],
    modules: (deps) => [{...createCloudSigmaModule(deps), mounts: ['', '/cloudsigma']}],
    seed(fake) {
      fake.put(IMAGE, image(STANDARD, {}));
      fake.put(IMAGE, image(STANDARD_CD, {name: 'Installer', type: 'Cdrom'}));
      fake.put(IMAGE, image(PRIVATE, {name: 'Secret', visibility: 'Private'}));
    },
  });
  operator = startStandIn(api.fake, api.store);
});

afterEach(() => operator.check());

afterAll(async () => {
  operator.stop();
  await api.close();
});

type Fields = Record<string, string | number>;

/** Requests are sent the way libcloud does: with the headers of JSON and a body of text. */
function call(method: string, path: string, body?: Fields | string, name = 'demo'): Promise<TestAnswer> {
  const text = body === undefined || typeof body === 'string' ? body : formatObject(body);
  const headers = {...basic(name), accept: 'application/json', 'content-type': 'application/json'};
  return api.request(method, path, {headers, ...(text === undefined ? {} : {body: text})});
}

const fieldsOf = (text: string): Record<string, string | undefined> => Object.fromEntries(parseProperties(text));

async function object(method: string, path: string, body?: Fields | string, name?: string): Promise<Record<string, string | undefined>> {
  const answer = await call(method, path, body, name);
  expect([answer.status, answer.headers.get('content-type'), answer.text]).toEqual([200, 'text/plain; charset=utf-8', expect.any(String)]);
  return fieldsOf(answer.text);
}

const listOf = (answer: TestAnswer): string[] => answer.text.split('\n').filter((line) => line !== '');
const info = (kind: 'drives' | 'servers', uuid: string) => object('GET', `/${kind}/${uuid}/info`);

function expectError(answer: TestAnswer, status: number, text: RegExp): void {
  expect([answer.status, answer.text]).toEqual([status, expect.stringMatching(text)]);
  expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
}

async function makeDrive(fields: Fields = {}, name?: string): Promise<string> {
  const drive = await object('POST', '/drives/create', {name: 'd', size: '1G', ...fields}, name);
  return drive['drive'] ?? '';
}

async function makeServer(fields: Fields = {}): Promise<Record<string, string | undefined>> {
  return object('POST', '/servers/create', {name: 's', cpu: 1000, mem: 512, ...fields});
}

describe('credentials', () => {
  test.each(['/profile/info', '/drives/info', `/drives/${UNKNOWN}/info`, '/subscriptions/list'])(
    '%s without them is 401, in text',
    async (path) => {
      const answer = await api.request('GET', path);
      expectError(answer, 401, /^errors:system /);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Basic/);
    },
  );

  test('a wrong password, and an account that is no tenant', async () => {
    expectError(await api.request('GET', '/drives/info', {headers: basic('demo', 'wrong')}), 401, /^errors:system /);
    expectError(await call('GET', '/drives/info', undefined, 'clerk'), 403, /^errors:system /);
  });

  test('the profile', async () => {
    const profile = await object('GET', '/profile/info');
    expect(profile).toMatchObject({email: 'demo@example.com', first_name: 'Foo', last_name: 'Bar', type: 'regular', company: ''});
    expect(profile['uuid']).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('drives', () => {
  test('create, info, list, destroy', async () => {
    const created = await object('POST', '/drives/create', 'name My drive\nsize 12582912');
    expect(created).toEqual({
      drive: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 'My drive',
      size: '12582912',
      status: 'active',
      user: expect.any(String),
      'claim:type': 'exclusive',
      'encryption:cipher': 'none',
    });
    const uuid = created['drive'] ?? '';
    expect(await info('drives', uuid)).toEqual({...created, type: 'disk'});
    expect(listOf(await call('GET', '/drives/list'))).toContain(uuid);
    const destroyed = await call('GET', `/drives/${uuid}/destroy`);
    expect([destroyed.status, destroyed.text]).toEqual([204, '']);
    expectError(await call('GET', `/drives/${uuid}/info`), 404, /could not be found/);
    expect(listOf(await call('GET', '/drives/list'))).not.toContain(uuid);
    expect(api.fake.object(DRIVE, {namespace: 'acct-demo', name: uuid})).toBeUndefined();
  });

  test('what was given comes back, strange names too', async () => {
    const given = {
      name: 'Zürich ☁ two\\nlines',
      'claim:type': 'shared',
      readers: 'ffffffff-ffff-ffff-ffff-ffffffffffff',
      tags: 'affinity:ssd',
      use: 'a b',
    };
    const answer = await call(
      'POST',
      '/drives/create',
      `${Object.entries(given)
        .map(([key, value]) => `${key} ${value}`)
        .join('\n')}\nsize 10M\n`,
    );
    const uuid = fieldsOf(answer.text)['drive'] ?? '';
    const raw = (await call('GET', `/drives/${uuid}/info`)).text.split('\n');
    for (const [key, value] of Object.entries(given)) expect(raw).toContain(`${key} ${value}`);
  });

  test('objects are separated by one blank line', async () => {
    await makeDrive();
    await makeDrive();
    const answer = await call('GET', '/drives/info');
    const objects = answer.text.split('\n\n');
    expect(objects.length).toBe(listOf(await call('GET', '/drives/list')).length);
    for (const text of objects)
      expect(fieldsOf(text)).toMatchObject({drive: expect.any(String), name: expect.any(String), size: expect.any(String)});
  });

  test('every wrong key is named, and the others come back', async () => {
    const answer = await call('POST', '/drives/create', {name: 'x', size: 'big', 'encryption:cipher': 'aes-xts-plain'});
    expectError(answer, 400, /^name x$/m);
    expectError(answer, 400, /^errors:size /m);
    expectError(answer, 400, /^errors:encryption:cipher /m);
    expectError(await call('POST', '/drives/create', ''), 400, /^errors:size [^]*^errors:name /m);
  });

  test('a copy: shown as such while it is made, by all three signs', async () => {
    const source = await makeDrive();
    operator.pauseDrives();
    const copy = await object('POST', `/drives/${source}/clone`, {name: 'copy'});
    const uuid = copy['drive'] ?? '';
    expect(uuid).not.toBe(source);
    expect(await info('drives', uuid)).toMatchObject({status: 'copying', imaging: '0%', claimed: expect.any(String), size: String(GIB)});
    expectError(await call('POST', `/drives/${source}/destroy`), 409, /currently in use/);
    operator.resumeDrives();
    await operator.until(async () => (await info('drives', uuid))['status'] === 'active');
    const done = await info('drives', uuid);
    expect([done['imaging'], done['claimed']]).toEqual([undefined, undefined]);
    expectError(await call('POST', `/drives/${source}/clone`, {name: 'small', size: '1M'}), 400, /^errors:size /m);
    expectError(await call('POST', `/drives/${UNKNOWN}/clone`, {name: 'x'}), 404, /could not be found/);
  });

  test("libcloud's clone of a standard drive", async () => {
    const copy = await object('POST', `/drives/${STANDARD}/clone`, 'name node\nsize 10G\ndriveType hdd\n');
    expect(copy).toMatchObject({name: 'node', size: String(10 * GIB)});
    const stored = api.fake.object(DRIVE, {namespace: 'acct-demo', name: copy['drive'] ?? ''});
    expect(stored?.spec.source).toEqual({image: {namespace: SYSTEM_NAMESPACE, name: STANDARD}});
    expectError(await call('POST', `/drives/${PRIVATE}/clone`, {name: 'x'}), 404, /could not be found/);
  });

  test('standard drives', async () => {
    expect(listOf(await call('GET', '/drives/standard/list')).toSorted()).toEqual([STANDARD, STANDARD_CD]);
    expect(listOf(await call('GET', '/drives/standard/img/list'))).toEqual([STANDARD]);
    expect(listOf(await call('GET', '/drives/standard/cd/list'))).toEqual([STANDARD_CD]);
    const shown = {drive: STANDARD, name: 'Debian 13', type: 'disk', size: String(GIB), status: 'active'};
    for (const path of [`/drives/${STANDARD}/info`, '/drives/standard/img/info', `/drives/standard/img/${STANDARD}/info`]) {
      expect(await object('GET', path)).toMatchObject(shown);
    }
    expect((await call('GET', '/drives/standard/info')).text.split('\n\n')).toHaveLength(2);
  });

  test('another account sees nothing of it', async () => {
    const uuid = await makeDrive();
    expectError(await call('GET', `/drives/${uuid}/info`, undefined, 'other'), 404, /could not be found/);
    expectError(await call('POST', `/drives/${uuid}/destroy`, undefined, 'other'), 404, /could not be found/);
    expectError(await call('POST', `/drives/${uuid}/clone`, {name: 'x'}, 'other'), 404, /could not be found/);
    expect((await call('GET', '/drives/info', undefined, 'other')).text).toBe('');
  });
});

describe('servers', () => {
  test("libcloud's node: create, start, info, stop, start, destroy, then its drive", async () => {
    const drive = (await object('POST', `/drives/${STANDARD}/clone`, 'name n\nsize 50G\ndriveType hdd\n'))['drive'] ?? '';
    await operator.until(async () => (await info('drives', drive))['imaging'] === undefined);
    const body = `name n\ncpu 1\nmem 512\nide:0:0 ${drive}\nboot ide:0:0\nsmp auto\nnic:0:model e1000\nnic:0:dhcp auto\n`;
    const created = await object('POST', '/servers/create', body);
    const uuid = created['server'] ?? '';
    expect(created).toMatchObject({
      status: 'active',
      name: 'n',
      cpu: '1000',
      smp: '1',
      mem: '512',
      boot: 'ide:0:0',
      'ide:0:0': drive,
      persistent: 'true',
    });
    expect(created).toMatchObject({
      'nic:0:model': 'e1000',
      'nic:0:dhcp': '10.0.0.9',
      'vnc:ip': '10.0.0.9',
      started: expect.stringMatching(/^\d+$/),
    });

    expect((await call('POST', `/servers/${uuid}/start`)).status).toBe(200);
    expect(await info('servers', uuid)).toMatchObject({status: 'active'});
    expect((await info('drives', drive))['claimed']).toMatch(new RegExp(`^[0-9a-f-]{36}:guest:${uuid}:ide:0:0$`));
    expectError(await call('POST', `/drives/${drive}/destroy`), 409, /currently in use/);

    expect((await call('POST', `/servers/${uuid}/stop`)).status).toBe(204);
    expect(await info('servers', uuid)).toMatchObject({status: 'stopped', 'nic:0:dhcp': 'auto', 'vnc:ip': 'auto'});
    expect((await call('GET', `/servers/${uuid}/stop`)).status).toBe(204);
    expect((await call('GET', `/servers/${uuid}/start`)).status).toBe(200);
    expect(await info('servers', uuid)).toMatchObject({status: 'active'});
    expect((await call('GET', `/servers/${uuid}/shutdown`)).status).toBe(204);

    const destroyed = await call('POST', `/servers/${uuid}/destroy`);
    expect([destroyed.status, destroyed.text]).toEqual([204, '']);
    expectError(await call('GET', `/servers/${uuid}/info`), 404, /could not be found/);
    expect((await info('drives', drive))['claimed']).toBeUndefined();
    expect((await call('POST', `/drives/${drive}/destroy`)).status).toBe(204);
  });

  test('no drive: stopped, until it is started', async () => {
    const created = await makeServer({status: 'stopped'});
    expect(created).toMatchObject({status: 'stopped', boot: 'ide:0:0', 'vnc:ip': 'auto'});
    expect(created).not.toHaveProperty('nic:0:model');
    expect((await call('POST', `/servers/${created['server']}/start`)).status).toBe(200);
  });

  test('boot names an empty device: stopped', async () => {
    expect(await makeServer({'ide:0:0': await makeDrive(), boot: 'ide:1:1'})).toMatchObject({
      status: 'stopped',
      'ide:0:0': expect.any(String),
    });
  });

  test('/servers/create/stopped never starts', async () => {
    const created = await object('POST', '/servers/create/stopped', {name: 's', cpu: 1000, mem: 512, 'ide:0:0': await makeDrive()});
    expect(created).toMatchObject({status: 'stopped'});
  });

  test('a drive has one server: 409 for another, also while the first is stopped', async () => {
    const drive = await makeDrive();
    const first = await makeServer({'ide:0:0': drive});
    await call('POST', `/servers/${first['server']}/stop`);
    const free = await makeDrive();
    const answer = await call('POST', '/servers/create', {
      name: 'second',
      cpu: 1000,
      mem: 512,
      'ide:0:0': free,
      'block:0': drive,
      'vnc:password': 'hush',
    });
    expectError(answer, 409, /^errors:block:0 .*currently in use$/m);
    expect(answer.text).not.toContain('hush');
    // What the refused server had claimed already is free again.
    expect((await info('drives', free))['claimed']).toBeUndefined();
    expect(await makeServer({'ide:0:0': free})).toMatchObject({status: 'active'});
  });

  test('of many servers that want one drive at once exactly one gets it', async () => {
    const drive = await makeDrive();
    const answers = await Promise.all(
      Array.from({length: 6}, (_, at) => call('POST', '/servers/create', {name: `r${at}`, cpu: 1000, mem: 512, 'ide:0:0': drive})),
    );
    expect(answers.filter(({status}) => status === 200)).toHaveLength(1);
    expect(answers.filter(({status}) => status === 409)).toHaveLength(5);
  });

  test('a shared drive has several', async () => {
    const drive = await makeDrive({'claim:type': 'shared'});
    const servers = [await makeServer({'ide:0:0': drive}), await makeServer({'block:1': drive})];
    const claimed = (await info('drives', drive))['claimed'] ?? '';
    expect(claimed).toContain(`:guest:${servers[0]?.['server']}:ide:0:0`);
    expect(claimed).toContain(`:guest:${servers[1]?.['server']}:block:1`);
  });

  test.each([
    ['an unknown drive', {'ide:0:0': UNKNOWN}, /^errors:ide:0:0 .*could not be found$/m],
    ['an unknown VLAN', {'nic:1:vlan': UNKNOWN}, /^errors:nic:1:vlan /m],
    ['a wrong size', {mem: 'lots'}, /^errors:mem /m],
    ['a device that does not exist', {'ide:7:0': UNKNOWN}, /^errors:ide:7:0 /m],
  ])('%s in a body is 400', async (_name, fields, text) => {
    expectError(await call('POST', '/servers/create', {name: 's', cpu: 1000, mem: 512, ...fields}), 400, text);
  });

  test('the VNC password is kept in a Secret that goes with the server', async () => {
    const created = await makeServer({'vnc:ip': 'auto', 'vnc:password': 'hush', 'vnc:tls': 'on'});
    const uuid = created['server'] ?? '';
    expect(created).toMatchObject({'vnc:tls': 'on'});
    const stored = api.fake.object(SERVER, {namespace: 'acct-demo', name: uuid});
    expect(JSON.stringify(stored)).not.toContain('hush');
    const name = stored?.spec.console?.vnc?.passwordSecret?.name ?? '';
    const secret = api.fake.object(SECRET, {namespace: 'acct-demo', name});
    expect(Buffer.from(secret?.data?.['password'] ?? '', 'base64').toString()).toBe('hush');
    await call('POST', `/servers/${uuid}/destroy`);
    expect(api.fake.object(SECRET, {namespace: 'acct-demo', name})).toBeUndefined();
  });

  test('reset of a running server', async () => {
    const uuid = (await makeServer({'ide:0:0': await makeDrive()}))['server'] ?? '';
    expect((await call('POST', `/servers/${uuid}/reset`)).status).toBe(204);
    expect(await info('servers', uuid)).toMatchObject({status: 'active'});
    const operations = api.fake.objects(SERVER_OPERATION, 'acct-demo').filter(({spec}) => spec.server === uuid);
    expect(operations.map(({spec}) => [spec.verb, spec.reboot?.type, spec.requester])).toEqual([['Reboot', 'Hard', 'demo']]);
    await call('POST', `/servers/${uuid}/stop`);
    expectError(await call('GET', `/servers/${uuid}/reset`), 409, /not active/);
  });

  test('a server that is not persistent vanishes when it stops', async () => {
    const drive = await makeDrive();
    const uuid = (await makeServer({'ide:0:0': drive, persistent: 'false'}))['server'] ?? '';
    expect((await call('POST', `/servers/${uuid}/stop`)).status).toBe(204);
    expectError(await call('GET', `/servers/${uuid}/info`), 404, /could not be found/);
    expect((await info('drives', drive))['claimed']).toBeUndefined();
  });

  test('a server that cannot start is a 500 that says why', async () => {
    const uuid = (await makeServer())['server'] ?? '';
    operator.failStarts('no host has room');
    expectError(await call('POST', `/servers/${uuid}/start`), 500, /no host has room/);
    operator.failStarts(undefined);
    expect(await info('servers', uuid)).toMatchObject({status: 'dead'});
  });

  test('several at once', async () => {
    const uuids = [(await makeServer())['server'] ?? '', (await makeServer())['server'] ?? ''];
    const body = uuids.map((uuid, at) => `server:${at} ${uuid}\n`).join('');
    const started = await call('POST', '/servers/start', body);
    expect([started.status, listOf(started)]).toEqual([200, uuids]);
    for (const uuid of uuids) expect(await info('servers', uuid)).toMatchObject({status: 'active'});
    expect(listOf(await call('POST', '/guests/stop', body))).toEqual(uuids);
    for (const uuid of uuids) expect(await info('servers', uuid)).toMatchObject({status: 'stopped'});
    expectError(
      await call('POST', '/servers/stop', `server:0 ${uuids[0]}\nserver:1 ${UNKNOWN}`),
      400,
      /^errors:server:1 .*could not be found/m,
    );
    const remain = listOf(await call('POST', '/guest/destroy', body));
    expect(remain).toEqual(listOf(await call('GET', '/servers/list')));
    expect(remain).not.toContain(uuids[0]);
    expectError(await call('POST', '/servers/destroy', ''), 400, /^errors:server:0 /m);
  });

  test('lists, and the name that they had before', async () => {
    const list = await call('GET', '/servers/list');
    expect((await call('GET', '/guests/list')).text).toBe(list.text);
    const infos = await call('GET', '/servers/info');
    expect(infos.text.split('\n\n').map((text) => fieldsOf(text)['server'])).toEqual(listOf(list));
    expect((await call('GET', '/cloudsigma/guests/info')).text).toBe(infos.text);
  });

  test('another account sees nothing of it', async () => {
    const uuid = (await makeServer({'ide:0:0': await makeDrive()}))['server'] ?? '';
    for (const verb of ['info', 'start', 'stop', 'shutdown', 'reset', 'destroy']) {
      expectError(await call('GET', `/servers/${uuid}/${verb}`, undefined, 'other'), 404, /could not be found/);
    }
    expectError(await call('POST', '/servers/stop', `server:0 ${uuid}`, 'other'), 400, /could not be found/);
    expectError(
      await call('POST', '/servers/create', {name: 's', cpu: 1000, mem: 512, 'ide:0:0': await makeDrive()}, 'other'),
      400,
      /could not be found/,
    );
    expect((await call('GET', '/servers/list', undefined, 'other')).text).toBe('');
    expect(await info('servers', uuid)).toMatchObject({status: 'active'});
  });
});
