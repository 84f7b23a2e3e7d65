/** Expected exchanges of the compute API (CY1…CY53, those of today) over real HTTP against the fake cluster: faults, versions, create. */
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {SERVER, SYSTEM_NAMESPACE} from '../../crds/index.ts';
import {SECRET} from '../../kube/types.ts';
import {DEMO, IMAGE_MINE, IMAGE_THEIRS, IMAGE_TINY, namespaceOf, startHarness, type Call, type Harness} from '../testing/harness.ts';
import {CLIENT_MOUNT, DOCUMENT_MOUNT} from './profile.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const MOUNTS = [
  [DOCUMENT_MOUNT, 200],
  [CLIENT_MOUNT, 202],
] as const;

const call = (method: string, path: string, more: Call = {}, mount: string = CLIENT_MOUNT) =>
  harness.call(method, mount + path, {token: DEMO.token, ...more});
const SERVER_BODY = {name: 'web', imageRef: IMAGE_TINY, flavorRef: 1};
const create = (more: object = {}, mount: string = CLIENT_MOUNT) =>
  call('POST', '/servers', {json: {server: {...SERVER_BODY, ...more}}}, mount);

interface Fault {
  readonly code: number;
  readonly message: string;
  readonly details: string;
}
const faultName = (text: string): string => Object.keys(JSON.parse(text) as object)[0] ?? '';

interface ServerBody {
  readonly server: Readonly<Record<string, unknown>> & {
    readonly id: string;
    readonly adminPass: string;
    readonly metadata: Record<string, string>;
  };
}

describe('faults and headers (6.2)', () => {
  test.each<[string, string, Call, number, string]>([
    ['CY7 unknown URL', '/nonexistent', {}, 400, 'badRequest'],
    ['CY7 malformed id', '/servers/abc', {}, 400, 'badRequest'],
    ['a slash after one server', '/servers/42/', {}, 400, 'badRequest'],
    ['unknown server', '/servers/999999', {}, 404, 'itemNotFound'],
    ['CY41 unknown flavor', '/flavors/99', {}, 404, 'itemNotFound'],
    ['CY41 malformed flavor', '/flavors/abc', {}, 400, 'badRequest'],
    ['a flavor that is not granted', '/flavors/3', {}, 404, 'itemNotFound'],
    ['CY43 unknown image', '/images/nope', {}, 404, 'itemNotFound'],
    ['another account’s private image', `/images/${IMAGE_THEIRS}`, {}, 404, 'itemNotFound'],
    ['CY51 wrong token', '/servers', {token: 'wrong'}, 401, 'unauthorized'],
    ['CY27 metadata of an unknown server', '/servers/999999/metadata', {}, 404, 'itemNotFound'],
    ['changes-since without a zone', '/servers?changes-since=2026-01-01T00:00:00', {}, 400, 'badRequest'],
    ['an extension', '/extensions/x', {}, 404, 'itemNotFound'],
  ])('%s', async (_name, path, more, status, name) => {
    const reply = await call('GET', path, more);
    expect(reply.status).toBe(status);
    expect(faultName(reply.text)).toBe(name);
    expect(reply.json<Record<string, Fault>>()[name]).toEqual({code: status, message: expect.any(String), details: ''});
  });

  test('CY51 no token is said in the documented words, before anything else is looked at', async () => {
    const reply = await harness.call('GET', `${CLIENT_MOUNT}/servers/999999`);
    expect(reply.status).toBe(401);
    expect(reply.json()).toEqual({unauthorized: {code: 401, message: 'Access denied. No authentication token', details: ''}});
  });

  test.each([
    ['GET', '/servers', 200],
    ['GET', '/nonexistent', 400],
    ['DELETE', '/servers/999999', 404],
  ])('%s %s carries the four headers', async (method, path, status) => {
    const {headers, ...reply} = await call(method, path);
    expect(reply.status).toBe(status);
    expect(headers.get('content-type')).toBe('application/json; charset=UTF-8');
    expect(headers.get('content-length')).toBe(String(Buffer.byteLength(reply.text)));
    expect(headers.get('vary')).toBe('X-Auth-Token');
    expect(headers.get('cache-control')).toBe('no-cache, no-store, must-revalidate');
  });

  test('a wrong verb: by profile', async () => {
    const client = await call('PATCH', '/servers');
    expect([client.status, faultName(client.text), client.headers.get('allow')]).toEqual([405, 'notAllowed', 'GET, POST']);
    const document = await call('PATCH', '/servers', {}, DOCUMENT_MOUNT);
    expect([document.status, faultName(document.text)]).toEqual([400, 'badRequest']);
  });

  test('the token may be a query argument, and the collection may have a slash', async () => {
    expect((await harness.call('GET', `${CLIENT_MOUNT}/servers/?X-Auth-Token=${DEMO.token}`)).status).toBe(200);
  });

  test('what is documented and not there yet says so', async () => {
    const reply = await call('GET', '/os-floating-ips');
    expect([reply.status, faultName(reply.text)]).toEqual([501, 'notImplemented']);
  });
});

describe('version documents (6.9)', () => {
  test.each([
    ['/compute/v2.0', 'version'],
    ['/compute/v2.0/', 'version'],
    ['/cyclades/compute/v2.0', 'version'],
    ['/compute/', 'versions'],
    ['/compute', 'versions'],
    ['/cyclades/compute/', 'versions'],
    ['/image', 'versions'],
    ['/identity', 'versions'],
    ['/identity/v2.0', 'version'],
  ])('%s needs no token', async (path, member) => {
    const reply = await harness.call('GET', path);
    expect(reply.status).toBe(200);
    expect(Object.keys(reply.json())).toEqual([member]);
    expect(reply.text).not.toMatch(/"(min_)?version":"/);
  });
});

describe('create (6.6)', () => {
  test.each(MOUNTS)('%s answers %d with the whole server', async (mount, status) => {
    const reply = await create({metadata: {role: 'web'}}, mount);
    expect(reply.status).toBe(status);
    const {server} = reply.json<ServerBody>();
    expect(server).toMatchObject({
      name: 'web',
      status: 'BUILD',
      progress: 0,
      user_id: DEMO.uuid,
      tenant_id: DEMO.uuid,
      hostId: '',
      'SNF:task_state': 'BUILDING',
    });
    expect(server.id).toMatch(/^\d+$/);
    expect(server.adminPass).toMatch(/^(?=.*[A-Z])(?=.*[a-z])(?=.*\d).{10}$/);
    // OS and USERS are taken from the image.
    expect(server.metadata).toEqual({role: 'web', OS: 'debian', USERS: 'root'});
    expect(server['links']).toEqual([
      {href: `${harness.program.main.url}${mount}/servers/${server.id}`, rel: 'self'},
      {href: `${harness.program.main.url}${mount}/servers/${server.id}`, rel: 'bookmark'},
    ]);
    expect(server['flavor']).toMatchObject({id: 1});
    expect(server['image']).toMatchObject({id: IMAGE_TINY});
  });

  test('is read back at once, by id and in both lists, without the password', async () => {
    const {server} = (await create({name: 'mine'})).json<ServerBody>();
    const got = await call('GET', `/servers/${server.id}`);
    expect(got.json<ServerBody>().server).toMatchObject({id: server.id, name: 'mine'});
    expect(got.text).not.toContain('adminPass');
    for (const path of ['/servers', '/servers/detail']) {
      const {servers} = (await call('GET', path)).json<{servers: {id: string}[]}>();
      expect(servers.filter(({id}) => id === server.id)).toHaveLength(1);
    }
  });

  test('writes the server and a Secret with the hashed password, and nothing else', async () => {
    const before = harness.fake.writes;
    const {server} = (
      await create({adminPass: 'Sup3rSecret!', user_data: Buffer.from('#cloud-config').toString('base64')})
    ).json<ServerBody>();
    expect(server.adminPass).toBe('Sup3rSecret!');
    // One create in fifty reserves a block of ids as well.
    expect(harness.fake.writes - before).toBeLessThanOrEqual(3);
    const stored = harness.fake.objects(SERVER, namespaceOf(DEMO)).find(({spec}) => String(spec.id) === server.id);
    const secretName = stored?.spec.bootSecret?.name ?? '';
    const data = harness.fake.object(SECRET, {namespace: namespaceOf(DEMO), name: secretName})?.data ?? {};
    expect(Buffer.from(data['passwordHash'] ?? '', 'base64').toString()).toMatch(/^\$6\$/);
    expect(Buffer.from(data['userData'] ?? '', 'base64').toString()).toBe('#cloud-config');
    expect(JSON.stringify([stored, data])).not.toContain('Sup3rSecret!');
    expect(stored?.spec.image).toEqual({namespace: SYSTEM_NAMESPACE, name: 'tiny'});
  });

  const file = (contents: string, more: object = {}) => ({path: '/etc/motd', contents, ...more});
  test.each<[string, Call, number | readonly [number, number]]>([
    ['CY9 an empty object', {json: {}}, 400],
    ['CY9 no body', {}, 400],
    ['CY9 bad JSON', {body: '{', headers: {'content-type': 'application/json'}}, 400],
    ['CY9 text', {body: '{}', headers: {'content-type': 'text/plain'}}, [415, 400]],
    ['CY11 unknown flavor', {json: {server: {...SERVER_BODY, flavorRef: 99}}}, 404],
    ['CY11 a flavor that is no integer', {json: {server: {...SERVER_BODY, flavorRef: 'x'}}}, 400],
    ['a flavor of others', {json: {server: {...SERVER_BODY, flavorRef: 3}}}, 404],
    ['a flavor without creates', {json: {server: {...SERVER_BODY, flavorRef: 5}}}, 403],
    ['a granted flavor with the wrong project', {json: {server: {...SERVER_BODY, flavorRef: 4, project: DEMO.uuid}}}, 403],
    ['a flavor before the password', {json: {server: {...SERVER_BODY, flavorRef: 99, adminPass: 'x'}}}, 404],
    ['a weak password', {json: {server: {...SERVER_BODY, adminPass: 'weak'}}}, 400],
    ['an unknown key', {json: {server: {...SERVER_BODY, key_name: 'nokey'}}}, 404],
    ['CY13 unknown image', {json: {server: {...SERVER_BODY, imageRef: 'nope'}}}, 404],
    ['another account’s image', {json: {server: {...SERVER_BODY, imageRef: IMAGE_THEIRS}}}, 404],
    ['CY15 user_data that is not base64', {json: {server: {...SERVER_BODY, user_data: '***'}}}, 400],
    ['CY17 six personalities', {json: {server: {...SERVER_BODY, personality: Array.from({length: 6}, () => file('aGk='))}}}, 413],
    ['CY17 10241 bytes', {json: {server: {...SERVER_BODY, personality: [file('A'.repeat(10_241))]}}}, 413],
    ['CY17 an extra member', {json: {server: {...SERVER_BODY, personality: [file('aGk=', {colour: 1})]}}}, 400],
    [
      'CY21 eleven metadata items',
      {json: {server: {...SERVER_BODY, metadata: Object.fromEntries(Array.from({length: 11}, (_, at) => [`k${at}`, 'v']))}}},
      [413, 400],
    ],
    ['a name too long', {json: {server: {...SERVER_BODY, name: 'n'.repeat(256)}}}, 400],
    ['an unknown network', {json: {server: {...SERVER_BODY, networks: [{uuid: '77'}]}}}, 404],
    ['a public address that is not held', {json: {server: {...SERVER_BODY, networks: [{uuid: '1', fixed_ip: '10.0.0.9'}]}}}, 409],
  ])('%s', async (_name, more, expected) => {
    const before = harness.fake.writes;
    const [document, client] = typeof expected === 'number' ? [expected, expected] : expected;
    expect((await call('POST', '/servers', more, DOCUMENT_MOUNT)).status).toBe(document);
    expect((await call('POST', '/servers', more, CLIENT_MOUNT)).status).toBe(client);
    expect(harness.fake.writes).toBe(before);
  });

  test.each<[string, object, unknown]>([
    ['CY19 networks []', {networks: []}, []],
    ['the openstack command’s []', {networks: [], block_device_mapping_v2: [{uuid: IMAGE_TINY}], min_count: 1, max_count: 1}, undefined],
    ['"none"', {networks: 'none'}, []],
    ['the public network by id', {networks: [{uuid: '1'}]}, [{index: 0, network: {namespace: SYSTEM_NAMESPACE, name: 'public'}}]],
    ['a flavor as text', {flavorRef: '2'}, undefined],
    ['the image of one’s own', {imageRef: IMAGE_MINE}, undefined],
  ])('accepts %s', async (_name, more, nics) => {
    const reply = await create(more);
    expect(reply.status).toBe(202);
    const {id} = reply.json<ServerBody>().server;
    expect(harness.fake.objects(SERVER).find(({spec}) => String(spec.id) === id)?.spec.nics).toEqual(nics);
  });

  test('a create that fails half way leaves nothing, but what the operator finishes deleting', async () => {
    const staying = (): number =>
      harness.fake.objects(SERVER, namespaceOf(DEMO)).filter(({metadata}) => metadata.deletionTimestamp === undefined).length;
    const secrets = harness.fake.objects(SECRET, namespaceOf(DEMO)).length;
    const servers = staying();
    harness.fake.faults.status(403, 'Forbidden', {match: ({method, path}) => method === 'POST' && path.endsWith('/acct-demo/secrets')});
    const reply = await create();
    expect([reply.status, faultName(reply.text)]).toEqual([403, 'forbidden']);
    expect(staying()).toBe(servers);
    expect(harness.fake.objects(SECRET, namespaceOf(DEMO))).toHaveLength(secrets);
  });
});
