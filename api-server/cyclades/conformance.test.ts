/** The expected exchanges of the compute API (CY1…CY53, those of today), over real HTTP against the fake cluster. */
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {SERVER, SERVER_OPERATION, SYSTEM_NAMESPACE} from '../../crds/index.ts';
import {until} from '../../kube/testing/until.ts';
import {SECRET} from '../../kube/types.ts';
import {DEMO, IMAGE_MINE, IMAGE_THEIRS, IMAGE_TINY, namespaceOf, OTHER, startHarness, type Call, type Harness} from '../testing/harness.ts';
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

const call = (method: string, path: string, more: Call = {}, mount: string = CLIENT_MOUNT) => harness.call(method, mount + path, {token: DEMO.token, ...more});
const SERVER_BODY = {name: 'web', imageRef: IMAGE_TINY, flavorRef: 1};
const create = (more: object = {}, mount: string = CLIENT_MOUNT) => call('POST', '/servers', {json: {server: {...SERVER_BODY, ...more}}}, mount);

interface Fault {
  readonly code: number;
  readonly message: string;
  readonly details: string;
}
const faultName = (text: string): string => Object.keys(JSON.parse(text) as object)[0] ?? '';

interface ServerBody {
  readonly server: Readonly<Record<string, unknown>> & {readonly id: string; readonly adminPass: string; readonly metadata: Record<string, string>};
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
    const reply = await call('GET', '/os-keypairs');
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
    expect(server).toMatchObject({name: 'web', status: 'BUILD', progress: 0, user_id: DEMO.uuid, tenant_id: DEMO.uuid, hostId: '', 'SNF:task_state': 'BUILDING'});
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
    const {server} = (await create({adminPass: 'Sup3rSecret!', user_data: Buffer.from('#cloud-config').toString('base64')})).json<ServerBody>();
    expect(server.adminPass).toBe('Sup3rSecret!');
    // One write in twenty reserves a block of ids as well.
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
    ['CY21 eleven metadata items', {json: {server: {...SERVER_BODY, metadata: Object.fromEntries(Array.from({length: 11}, (_, at) => [`k${at}`, 'v']))}}}, [413, 400]],
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

  test('a create that fails half way leaves nothing', async () => {
    const secrets = harness.fake.objects(SECRET, namespaceOf(DEMO)).length;
    const servers = harness.fake.objects(SERVER, namespaceOf(DEMO)).length;
    harness.fake.faults.status(403, 'Forbidden', {match: ({method, path}) => method === 'POST' && path.endsWith('/acct-demo/secrets')});
    const reply = await create();
    expect([reply.status, faultName(reply.text)]).toEqual([403, 'forbidden']);
    expect(harness.fake.objects(SERVER, namespaceOf(DEMO))).toHaveLength(servers);
    expect(harness.fake.objects(SECRET, namespaceOf(DEMO))).toHaveLength(secrets);
  });
});

describe('one server', () => {
  test('CY1, isolation: a new account has none and sees none of others', async () => {
    await harness.putServer({name: 'hidden', status: {phase: 'ACTIVE'}});
    const {spec} = await harness.putServer({name: 'foreign', status: {phase: 'ACTIVE'}});
    expect((await call('GET', '/servers', {token: OTHER.token})).json()).toEqual({servers: []});
    for (const [method, path] of [['GET', ''], ['DELETE', ''], ['GET', '/metadata'], ['GET', '/ips']] as const) {
      expect((await call(method, `/servers/${spec.id}${path}`, {token: OTHER.token})).status).toBe(404);
    }
    expect((await call('POST', `/servers/${spec.id}/action`, {token: OTHER.token, json: {shutdown: {}}})).status).toBe(404);
  });

  test('CY3 has its addresses as an object, and CY5 only the connected NICs', async () => {
    const {spec} = await harness.putServer({
      name: 'nics',
      spec: {nics: [{index: 0}, {index: 1}, {index: 2}]} as never,
      status: {
        phase: 'ACTIVE',
        progressPercent: 100,
        nics: [{index: 0, network: `${SYSTEM_NAMESPACE}/public`, macAddress: 'aa:00:00:00:00:01', address: '10.0.0.5', addressType: 'Floating'}],
      },
    });
    const {server} = (await call('GET', `/servers/${spec.id}`)).json<ServerBody>();
    expect(server).toMatchObject({
      status: 'ACTIVE',
      progress: 100,
      addresses: {'1': [{version: 4, addr: '10.0.0.5', 'OS-EXT-IPS:type': 'floating'}]},
      attachments: [{network_id: '1', mac_address: 'aa:00:00:00:00:01', ipv4: '10.0.0.5', ipv6: '', 'OS-EXT-IPS:type': 'floating'}],
    });
    // CY53
    expect((await call('GET', `/servers/${spec.id}/ips/1`)).json()).toEqual({network: {'1': [{version: 4, addr: '10.0.0.5', 'OS-EXT-IPS:type': 'floating'}]}});
    expect((await call('GET', `/servers/${spec.id}/ips/`)).status).toBe(200);
    expect((await call('GET', `/servers/${spec.id}/ips/9`)).status).toBe(404);
  });

  test.each(['/servers?format=xml', '/servers.xml', '/servers?xml'])('CY49 %s', async (path) => {
    const reply = await call('GET', path);
    expect(reply.headers.get('content-type')).toBe('application/xml; charset=UTF-8');
    expect(reply.text).toMatch(/<servers xmlns="http:\/\/docs\.openstack\.org\/compute\/api\/v1\.1"/);
  });

  test('CY49 Accept, also for faults', async () => {
    expect((await call('GET', '/servers/detail', {headers: {accept: 'application/xml'}})).text).toContain('<servers ');
    expect((await call('GET', '/servers/999999', {headers: {accept: 'application/xml'}})).text).toContain('<itemNotFound ');
  });

  test('is renamed: 204, empty, read back at once', async () => {
    const {spec} = await harness.putServer({name: 'old', status: {phase: 'ACTIVE'}});
    const path = `/servers/${spec.id}`;
    const reply = await call('PUT', path, {json: {server: {name: 'new name', accessIPv4: 'ignored'}}});
    expect([reply.status, reply.text]).toEqual([204, '']);
    expect((await call('GET', path)).json<ServerBody>().server['name']).toBe('new name');
    expect((await call('PUT', path, {json: {server: {}}})).status).toBe(400);
    expect((await call('PUT', path, {body: 'x', headers: {'content-type': 'text/plain'}}, DOCUMENT_MOUNT)).status).toBe(415);
  });

  test('CY39 is deleted: 204; then DELETED; then 400; and gone from the lists, but not from those with changes-since', async () => {
    const {spec} = await harness.putServer({name: 'doomed', status: {phase: 'ACTIVE'}});
    const path = `/servers/${spec.id}`;
    const since = new Date(Date.now() - 60_000).toISOString();
    expect((await call('DELETE', path)).status).toBe(204);
    expect((await call('GET', path)).json<ServerBody>().server).toMatchObject({status: 'DELETED', deleted: true});
    const again = await call('DELETE', path);
    expect([again.status, faultName(again.text)]).toEqual([400, 'badRequest']);
    expect((await call('POST', `${path}/action`, {json: {start: {}}})).status).toBe(400);
    expect((await call('GET', '/servers')).text).not.toContain('doomed');
    const changed = (await call('GET', `/servers/detail?changes-since=${since}`)).json<{servers: {name: string; status: string}[]}>();
    expect(changed.servers.find(({name}) => name === 'doomed')?.status).toBe('DELETED');
  });

  test('changes-since with nothing changed is a 304 without a body', async () => {
    const reply = await call('GET', `/servers?changes-since=${new Date().toISOString()}`, {token: OTHER.token});
    expect([reply.status, reply.text]).toEqual([304, '']);
  });
});

describe('metadata', () => {
  test('CY23 and CY25', async () => {
    const {spec} = await harness.putServer({name: 'meta', spec: {metadata: [{key: 'foo', value: 'bar'}]}, status: {phase: 'ACTIVE'}});
    const path = `/servers/${spec.id}/metadata`;
    const merged = await call('POST', path, {json: {metadata: {foo2: 'bar2'}}});
    expect([merged.status, merged.json()]).toEqual([201, {metadata: {foo: 'bar', foo2: 'bar2'}}]);
    const item = {metadata: {foo2: 'x'}, meta: {foo2: 'x'}};
    const put = await call('PUT', `${path}/foo2`, {json: {meta: {foo2: 'x'}}});
    expect([put.status, put.json()]).toEqual([201, item]);
    expect((await call('GET', `${path}/foo2`)).json()).toEqual(item);
    expect((await call('PUT', `${path}/foo2`, {json: {metadata: {other: 'x'}}})).status).toBe(400);
    expect((await call('DELETE', `${path}/foo2`)).status).toBe(204);
    expect((await call('GET', `${path}/foo2`)).status).toBe(404);
    expect((await call('DELETE', `${path}/foo2`)).status).toBe(404);
    expect((await call('GET', path)).json()).toEqual({metadata: {foo: 'bar'}});
  });

  test('an eleventh item: by profile, and nothing is changed', async () => {
    const metadata = Array.from({length: 10}, (_, at) => ({key: `k${at}`, value: 'v'}));
    const {spec} = await harness.putServer({name: 'full', spec: {metadata}, status: {phase: 'ACTIVE'}});
    const path = `/servers/${spec.id}/metadata`;
    expect((await call('POST', path, {json: {metadata: {k10: 'v'}}}, DOCUMENT_MOUNT)).status).toBe(413);
    expect((await call('PUT', `${path}/k10`, {json: {meta: {k10: 'v'}}})).status).toBe(400);
    expect((await call('PUT', `${path}/k9`, {json: {meta: {k9: 'w'}}})).status).toBe(201);
    expect(Object.keys((await call('GET', path)).json<{metadata: object}>().metadata)).toHaveLength(10);
  });
});

describe('actions (6.7)', () => {
  const act = (id: unknown, json: unknown) => call('POST', `/servers/${String(id)}/action`, {json});

  test.each<[string, 'ACTIVE' | 'STOPPED' | 'BUILD' | 'ERROR', object, number, string]>([
    ['CY29 start on ACTIVE', 'ACTIVE', {start: {}}, 400, 'badRequest'],
    ['CY29 shutdown on STOPPED', 'STOPPED', {shutdown: {}}, 400, 'badRequest'],
    ['CY31 start on BUILD', 'BUILD', {start: {}}, 409, 'buildInProgress'],
    ['start on ERROR', 'ERROR', {start: {}}, 400, 'badRequest'],
    ['CY35 suspend', 'ACTIVE', {suspend: {}}, 403, 'forbidden'],
    ['an unknown action', 'ACTIVE', {rebuild: {}}, 400, 'badRequest'],
    ['a name of Object’s', 'ACTIVE', {toString: {}}, 400, 'badRequest'],
    ['two actions', 'ACTIVE', {start: {}, shutdown: {}}, 400, 'badRequest'],
    ['none', 'ACTIVE', {}, 400, 'badRequest'],
    ['an odd reboot', 'ACTIVE', {reboot: {type: 'WARM'}}, 400, 'badRequest'],
    ['resize, not there yet', 'STOPPED', {resize: {flavorRef: 2}}, 501, 'notImplemented'],
  ])('%s', async (_name, phase, body, status, name) => {
    const {spec} = await harness.putServer({name: 'acted', spec: {powerState: phase === 'STOPPED' ? 'Stopped' : 'Running'}, status: {phase, observedGeneration: 1}});
    const reply = await act(spec.id, body);
    expect([reply.status, faultName(reply.text)]).toEqual([status, name]);
  });

  test.each([{shutdown: {}}, {'os-stop': null}])('CY33 %j on ACTIVE asks for a stop, and the task is seen at once', async (body) => {
    const {metadata, spec} = await harness.putServer({name: 'running', status: {phase: 'ACTIVE', observedGeneration: 1}});
    const reply = await act(spec.id, body);
    expect([reply.status, reply.text, reply.headers.get('content-length')]).toEqual([202, '', '0']);
    expect(harness.fake.object(SERVER, {namespace: namespaceOf(DEMO), name: metadata.name})?.spec).toMatchObject({powerState: 'Stopped', powerOffMode: 'TrySoft'});
    expect((await call('GET', `/servers/${spec.id}`)).json<ServerBody>().server).toMatchObject({status: 'ACTIVE', 'SNF:task_state': 'STOPPING'});
    expect((await act(spec.id, body)).status).toBe(400);
  });

  test.each([{start: {}}, {'os-start': null}, {reboot: {}}])('CY33 %j on STOPPED asks for a start', async (body) => {
    const {metadata, spec} = await harness.putServer({name: 'stopped', spec: {powerState: 'Stopped'}, status: {phase: 'STOPPED', observedGeneration: 1}});
    expect((await act(spec.id, body)).status).toBe(202);
    expect(harness.fake.object(SERVER, {namespace: namespaceOf(DEMO), name: metadata.name})?.spec.powerState).toBe('Running');
  });

  test.each([
    [{reboot: {}}, 'Soft'],
    [{reboot: {type: 'HARD'}}, 'Hard'],
    [{reboot: null}, 'Soft'],
  ])('%j on ACTIVE makes an operation, shows REBOOT, and ends with it', async (body, type) => {
    const name = `rebooted-${type.toLowerCase()}-${body.reboot === null}`;
    const {spec} = await harness.putServer({name, status: {phase: 'ACTIVE', observedGeneration: 1}});
    expect((await act(spec.id, body)).status).toBe(202);
    const operation = harness.fake.objects(SERVER_OPERATION, namespaceOf(DEMO)).find((candidate) => candidate.spec.server === name);
    expect(operation?.spec).toMatchObject({verb: 'Reboot', reboot: {type}, requester: 'demo'});
    const read = async () => (await call('GET', `/servers/${spec.id}`)).json<ServerBody>().server['status'];
    expect(await read()).toBe('REBOOT');
    expect((await act(spec.id, body)).status).toBe(400);
    if (operation === undefined) throw new Error('no operation');
    const done = harness.fake.put(SERVER_OPERATION, {...operation, status: {phase: 'Completed'}} as typeof operation);
    await until('the operation is over', () => {
      const {name: operationName, resourceVersion} = done.metadata;
      return harness.program.store.serverOperations.get({namespace: namespaceOf(DEMO), name: operationName})?.metadata.resourceVersion === resourceVersion;
    });
    expect(await read()).toBe('ACTIVE');
  });
});

describe('flavors and images', () => {
  test('CY41 brief, full, one', async () => {
    const brief = (await call('GET', '/flavors')).json<{flavors: object[]}>().flavors;
    expect(brief.map((flavor) => Object.keys(flavor))).toEqual(Array.from({length: 4}, () => ['id', 'name', 'links']));
    const {flavor} = (await call('GET', '/flavors/4')).json<{flavor: object}>();
    expect(flavor).toMatchObject({
      id: 4,
      name: 'granted',
      ram: 512,
      vcpus: 1,
      disk: 5,
      swap: 0,
      rxtx_factor: 1,
      'OS-FLV-EXT-DATA:ephemeral': 0,
      'os-flavor-access:is_public': false,
      'SNF:flavor-access': ['demo'],
      'SNF:allow_create': true,
    });
    const detail = (await call('GET', '/flavors/detail')).json<{flavors: object[]}>().flavors;
    expect(detail[3]).toMatchObject({id: 5, 'SNF:allow_create': false});
    expect((await call('GET', '/flavors/1/os-extra_specs')).json()).toEqual({extra_specs: {}});
  });

  test.each([
    ['is_public=None', [1, 2, 4, 5]],
    ['os-flavor-access:is_public=True', [1, 2, 5]],
    ['SNF:is_public=false', [4]],
    ['SNF:flavor-access=demo', [4]],
  ])('?%s', async (query, ids) => {
    expect((await call('GET', `/flavors/detail?${query}`)).json<{flavors: {id: number}[]}>().flavors.map(({id}) => id)).toEqual(ids);
  });

  test('CY43 lists, details, metadata', async () => {
    expect((await call('GET', '/images')).json<{images: {id: string}[]}>().images.map(({id}) => id)).toEqual([IMAGE_TINY, IMAGE_MINE]);
    const {image} = (await call('GET', `/images/${IMAGE_TINY}`)).json<{image: object}>();
    expect(image).toMatchObject({id: IMAGE_TINY, name: 'tiny', status: 'ACTIVE', progress: 100, public: true, metadata: {OS: 'debian', USERS: 'root'}});
    expect((await call('GET', `/images/${IMAGE_TINY}/metadata`)).json()).toEqual({metadata: {OS: 'debian', USERS: 'root'}});
    expect((await call('GET', `/images/${IMAGE_TINY}/metadata/OS`)).json()).toEqual({metadata: {OS: 'debian'}, meta: {OS: 'debian'}});
    expect((await call('POST', '/images', {json: {}})).status).toBe(501);
    expect((await call('DELETE', `/images/${IMAGE_TINY}`)).status).toBe(403);
  });

  test('image metadata is written on one’s own image; an absent key: by profile', async () => {
    const path = `/images/${IMAGE_MINE}/metadata`;
    expect((await call('POST', path, {json: {metadata: {NewAttr: 'NewVal'}}})).json()).toEqual({metadata: {NewAttr: 'NewVal'}});
    expect((await call('DELETE', `${path}/NewAttr`)).status).toBe(204);
    expect((await call('DELETE', `${path}/NewAttr`)).status).toBe(204);
    expect((await call('DELETE', `${path}/NewAttr`, {}, DOCUMENT_MOUNT)).status).toBe(404);
  });

  test('images with changes-since and nothing changed: by profile', async () => {
    const query = `/images?changes-since=${new Date().toISOString()}`;
    expect((await call('GET', query, {token: OTHER.token}, DOCUMENT_MOUNT)).status).toBe(304);
    const client = await call('GET', query, {token: OTHER.token});
    expect([client.status, client.json()]).toEqual([200, {images: []}]);
  });

  test('the image API lists, filters and shows', async () => {
    const ids = async (query: string) => (await harness.call('GET', `/image/v2/images${query}`, {token: DEMO.token})).json<{images: {id: string}[]}>().images.map(({id}) => id);
    expect(await ids('')).toEqual([IMAGE_TINY, IMAGE_MINE]);
    expect(await ids('?name=mine')).toEqual([IMAGE_MINE]);
    expect(await ids(`?id=in%3A${IMAGE_TINY},${IMAGE_THEIRS}`)).toEqual([IMAGE_TINY]);
    expect((await harness.call('GET', `/image/v2/images/${IMAGE_TINY}`, {token: DEMO.token})).json()).toMatchObject({status: 'active', visibility: 'public', os: 'debian'});
    expect((await harness.call('GET', '/image/v2/images/tiny', {token: DEMO.token})).status).toBe(404);
    const v1 = (await harness.call('GET', '/image/v1.0/images/', {token: DEMO.token})).json<object[]>();
    expect(v1[0]).toMatchObject({id: IMAGE_TINY, status: 'available', is_public: true, properties: {OS: 'debian'}});
  });

  // Last: it takes the image away.
  test('CY45 an own image is deleted', async () => {
    expect((await call('DELETE', `/images/${IMAGE_MINE}`)).status).toBe(204);
    expect((await call('GET', `/images/${IMAGE_MINE}`)).status).toBe(404);
  });
});

test('account and network calls that clients make', async () => {
  const catalogue = await harness.call('POST', '/account/v1.0/user_catalogs', {token: DEMO.token, json: {uuids: [DEMO.uuid, OTHER.uuid]}});
  expect(catalogue.json()).toEqual({uuid_catalog: {[DEMO.uuid]: DEMO.email}, displayname_catalog: {}});
  const {networks} = (await harness.call('GET', '/network/v2.0/networks', {token: DEMO.token})).json<{networks: object[]}>();
  expect(networks).toMatchObject([{id: '1', name: 'public', status: 'ACTIVE', subnets: []}]);
});
