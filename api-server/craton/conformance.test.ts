/** What a Craton client sees, over HTTP: the exchanges of docs and of the clients that exist. */
import {afterAll, beforeAll, describe, expect, jest, test} from '@jest/globals';
import {Failure} from '../http/failure.ts';
import {apiKeyOf, startModules, type ModuleHarness, type TestAnswer} from '../testing/module-harness.ts';
import {createCratonModule} from './index.ts';

let api: ModuleHarness;

beforeAll(async () => {
  api = await startModules({
    accounts: [
      {name: 'demo', roles: ['inventory'], projectId: '1'},
      {name: 'other', roles: ['inventory'], projectId: '2'},
      {name: 'empty', roles: ['inventory']},
      {name: 'boss', roles: ['admin'], projectId: '3'},
      {name: 'tenant', roles: ['tenant'], projectId: '1'},
    ],
    modules: (deps) => [createCratonModule(deps)],
  });
});

afterAll(async () => {
  await api.close();
});

const key = (name = 'demo') => ({api_key: apiKeyOf(name)});
const triple = (name: string, project: string) => ({'x-auth-user': name, 'x-auth-project': project, 'x-auth-token': apiKeyOf(name)});

const call = (method: string, path: string, body?: unknown, headers: Record<string, string> = key()): Promise<TestAnswer> =>
  api.request(method, `/v1${path}`, {
    headers: {...headers, 'content-type': 'application/json'},
    ...(body === undefined ? {} : {body: typeof body === 'string' ? body : JSON.stringify(body)}),
  });

type Doc = Record<string, unknown>;

async function make(kind: string, body: object, headers?: Record<string, string>): Promise<Doc> {
  const answer = await call('POST', `/${kind}`, body, headers);
  expect([answer.status, answer.text]).toEqual([200, expect.stringMatching(/^\{.*\}\n$/s)]);
  return answer.json() as Doc;
}

/** The member `field` of every object of a list. */
async function listed(path: string, field = 'name', headers?: Record<string, string>): Promise<unknown[]> {
  const answer = await call('GET', path, undefined, headers);
  expect(answer.status).toBe(200);
  return (answer.json() as Doc[]).map((object) => object[field]);
}

function expectError(answer: TestAnswer, status: number, message: RegExp = /./): Doc {
  const body = answer.json() as Doc;
  expect([answer.status, body]).toEqual([
    status,
    {code: status, status, message: expect.stringMatching(message), fields: expect.any(String)},
  ]);
  expect(answer.headers.get('content-type')).toBe('application/json');
  return body;
}

describe('credentials', () => {
  test.each(['/regions', '/cells', '/hosts', '/hosts/7'])('GET %s without them is 401', async (path) => {
    expectError(await call('GET', path, undefined, {}), 401);
  });

  test('the documented operations without a Security block need them too', async () => {
    expectError(await call('POST', '/regions', {name: 'x', status: 'up'}, {}), 401);
    expectError(await call('DELETE', '/regions/1', undefined, {}), 401);
  });

  test('a wrong key', async () => {
    expectError(await call('GET', '/regions', undefined, {api_key: 'nonsense'}), 401);
  });

  test('the triple of cratonclient, with the project in any spelling', async () => {
    expect((await call('GET', '/regions', undefined, triple('demo', '1'))).status).toBe(200);
    expectError(await call('GET', '/regions', undefined, triple('demo', 'demo')), 401, /demo/);
    expectError(await call('GET', '/regions', undefined, triple('demo', '2')), 401);
  });

  test('an account without a project does not get into a foreign one by naming it', async () => {
    expectError(await call('GET', '/regions', undefined, triple('empty', '1')), 401);
  });

  test('an account without the role', async () => {
    expectError(await call('GET', '/regions', undefined, key('tenant')), 403);
  });
});

describe('regions', () => {
  test('none: an empty array', async () => {
    const answer = await call('GET', '/regions', undefined, key('empty'));
    expect([answer.status, answer.text]).toEqual([200, '[]\n']);
  });

  test('a region comes back as it was sent, by id, UUID and name', async () => {
    const created = await make('regions', {name: 'DFW', status: 'active', data: {power: {kw: 5}}, id: 99, created_at: 'x'});
    expect(created).toEqual({
      id: expect.any(Number),
      uuid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 'DFW',
      status: 'active',
      project_id: '1',
      cells: [],
      data: {power: {kw: 5}},
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/),
      updated_at: null,
    });
    expect(created['id']).not.toBe(99);
    for (const id of [created['id'], created['uuid'], 'DFW']) {
      const answer = await call('GET', `/regions/${String(id)}`);
      expect([answer.status, answer.json()]).toEqual([200, created]);
    }
  });

  test('the same name twice is 409, in another project it is not', async () => {
    await make('regions', {name: 'twice', status: 'up'});
    expect(expectError(await call('POST', '/regions', {name: 'twice', status: 'up'}), 409, /twice/)['fields']).toBe('name');
    await make('regions', {name: 'twice', status: 'up'}, key('other'));
  });

  test('of many creates of one name at once exactly one succeeds', async () => {
    const answers = await Promise.all(Array.from({length: 8}, () => call('POST', '/regions', {name: 'race', status: 'up'})));
    expect(answers.filter(({status}) => status === 200)).toHaveLength(1);
    expect(answers.filter(({status}) => status === 409)).toHaveLength(7);
  });

  test('lists are in order of creation, and of the own project only', async () => {
    await make('regions', {name: 'z-first', status: 'up'}, key('other'));
    await make('regions', {name: 'a-second', status: 'up'}, key('other'));
    const names = await listed('/regions', 'name', key('other'));
    expect(names.slice(-2)).toEqual(['z-first', 'a-second']);
    expect(names).not.toContain('DFW');
    expectError(await call('GET', '/regions/DFW', undefined, key('other')), 404, /DFW/);
  });

  test('an admin sees every project, and may create in any', async () => {
    expect(await listed('/regions', 'name', key('boss'))).toEqual(expect.arrayContaining(['DFW', 'z-first']));
    expect(await make('regions', {name: 'given', status: 'up', project_id: '1'}, key('boss'))).toMatchObject({project_id: '1'});
    expect(await listed('/regions')).toContain('given');
    expectError(await call('POST', '/regions', {name: 'taken', status: 'up', project_id: '2'}), 400, /project_id/);
  });

  test('cratonclient sends a name alone', async () => {
    expect(await make('regions', {name: 'client'}, triple('demo', '1'))).toMatchObject({name: 'client'});
  });

  test.each([
    ['no name', {status: 'up'}, /- name:/],
    ['nothing', {}, /- name: .*\n- status:/],
    ['a number for a name', {name: 7, status: 'up'}, /- name:/],
    ['no object', [], /object/],
    ['no JSON', '{"name":', /JSON/],
    ['nothing at all', '', /empty/],
    ['a number too large to keep', '{"name":"big","status":"up","data":{"serial":9007199254740993}}', /serial/],
  ])('%s is 400', async (_name, body, message) => {
    expectError(await call('POST', '/regions', body), 400, message);
  });

  test('data above 256 KiB is 413', async () => {
    expectError(await call('POST', '/regions', {name: 'huge', status: 'up', data: {k: 'x'.repeat(256 * 1024)}}), 413, /data/);
  });

  test('a name that looks like an id loses against the id', async () => {
    const first = await make('regions', {name: 'first', status: 'up'});
    const second = await make('regions', {name: String(first['id']), status: 'up'});
    expect((await call('GET', `/regions/${String(first['id'])}`)).json()).toMatchObject({name: 'first'});
    expect((await call('GET', `/regions/${String(second['uuid'])}`)).json()).toMatchObject({name: String(first['id'])});
    const lonely = await make('regions', {name: '987654321', status: 'up'});
    expect((await call('GET', '/regions/987654321')).json()).toMatchObject({id: lonely['id']});
  });
});

describe('cells in the body of a region', () => {
  const cells = (...names: readonly string[]) => names.map((name) => ({name, status: 'up'}));

  test('are made with it, and shown in it', async () => {
    const body = {name: 'AMS', status: 'up', cells: [{name: 'a', status: 'up', region: 'AMS', data: {rack: 1}, id: 7}, ...cells('b')]};
    const region = await make('regions', body);
    expect(region['cells']).toMatchObject([{name: 'a', region: 'AMS', data: {rack: 1}}, {name: 'b'}]);
    expect(await listed('/cells?region=AMS')).toEqual(['a', 'b']);
    expect((await call('GET', '/regions/AMS')).json()).toEqual(region);
    expectError(await call('POST', '/regions', body), 409);
  });

  test.each<[string, unknown, RegExp]>([
    ['no array', 'x', /- cells: must be an array/],
    ['no objects', [1], /- cells: must be an array/],
    [
      'nothing required',
      [{}, {status: 'up', name: ''}],
      /cells\[0\]\.name: is required[^]*cells\[0\]\.status: is required[^]*cells\[1\]\.name/,
    ],
    ['a name twice', cells('a', 'a'), /cells\[1\]\.name: is there twice/],
    ['another region', [{...cells('a')[0], region: 'AMS'}], /cells\[0\]\.region: is not/],
    ['a uuid that is none', [{...cells('a')[0], cell_uuid: '7'}], /cells\[0\]\.cell_uuid: 7 is not a UUID/],
  ])('%s: 400, and nothing is made', async (_name, sent, message) => {
    expectError(await call('POST', '/regions', {name: 'BAD', status: 'up', cells: sent}), 400, message);
    expect(await listed('/regions?name=BAD')).toEqual([]);
  });

  test('all or none: a cell that the cluster refuses takes the others and the region with it', async () => {
    const {create} = api.store.cells;
    const spy = jest.spyOn(api.store.cells, 'create').mockImplementation((draft, options) => {
      return draft.spec.name === 'poison' ? Promise.reject(new Failure('invalid')) : create(draft, options);
    });
    expectError(await call('POST', '/regions', {name: 'HALF', status: 'up', cells: cells('one', 'poison', 'two')}), 400);
    spy.mockRestore();
    expect(await listed('/regions?name=HALF')).toEqual([]);
    expect(await listed('/cells?name=one', 'name', key('boss'))).toEqual([]);
    await make('regions', {name: 'HALF', status: 'up', cells: cells('one')});
  });
});

describe('UUIDs from another inventory', () => {
  const UUID = '5f0c9d0e-6f5a-4f7e-9a3b-0a1b2c3d4e5f';

  test('are kept, find the object, and belong to one only', async () => {
    const sent = UUID.toUpperCase().replaceAll('-', '');
    await make('regions', {name: 'OSL', status: 'up', cells: [{name: 'o1', status: 'up', cell_uuid: sent}]});
    expect(await listed('/cells?region=OSL', 'cell_uuid')).toEqual([UUID]);
    expect((await call('GET', `/cells/${UUID}`)).json()).toMatchObject({name: 'o1'});
    const host = {hostname: 'osl-1', status: 'up', service: [], ip_address: '10.9.0.1', cell: UUID, host_uuid: UUID};
    expect(await make('hosts', host)).toMatchObject({host_uuid: UUID, cell: 'o1'});
    expect(await listed(`/hosts?uuid=${UUID}`, 'hostname')).toEqual(['osl-1']);
    expectError(await call('POST', '/hosts', {...host, hostname: 'osl-2', ip_address: '10.9.0.2'}), 409, /host_uuid/);
    expectError(await call('POST', '/hosts', {...host, hostname: 'osl-2', host_uuid: 'x'}), 400, /host_uuid: x is not a UUID/);
    expectError(await call('POST', '/regions', {name: 'BGO', status: 'up', cells: [{name: 'b', status: 'up', cell_uuid: UUID}]}), 409);
    expect(await listed('/regions?name=BGO')).toEqual([]);
  });

  test('do not change: the same one may be sent again', async () => {
    expect((await call('PUT', `/hosts/${UUID}`, {host_uuid: UUID, note: 'x'})).json()).toMatchObject({host_uuid: UUID, note: 'x'});
    expectError(await call('PUT', `/hosts/${UUID}`, {host_uuid: UUID.replace('5', '6')}), 400, /host_uuid: cannot be changed/);
  });
});

describe('cells and hosts', () => {
  let region: Doc;
  let cell: Doc;
  let twin: Doc;

  beforeAll(async () => {
    region = await make('regions', {name: 'ORD', status: 'up'});
    twin = await make('regions', {name: 'IAD', status: 'up'});
    cell = await make('cells', {name: 'c1', status: 'up', region: 'ORD'});
  });

  test('a cell, with both spellings of its region', async () => {
    expect(cell).toMatchObject({
      id: expect.any(Number),
      cell_uuid: expect.any(String),
      name: 'c1',
      status: 'up',
      region: 'ORD',
      region_id: region['id'],
    });
    expect((await call('GET', '/regions/ORD')).json()).toMatchObject({cells: [{name: 'c1', cell_uuid: cell['cell_uuid']}]});
  });

  test('the same cell name: 409 in its region, 200 in another, and then the name alone is ambiguous', async () => {
    expectError(await call('POST', '/cells', {name: 'c1', status: 'up', region: region['id']}), 409);
    expect(await make('cells', {name: 'c1', region_id: twin['id']})).toMatchObject({region: 'IAD'});
    expectError(await call('GET', '/cells/c1'), 400, /not unique/);
    expectError(
      await call('POST', '/hosts', {hostname: 'h', status: 'up', service: [], ip_address: '10.0.0.1', cell: 'c1'}),
      400,
      /- cell: .*not unique/,
    );
    expect(await make('hosts', {name: 'told-apart', ip_address: '10.0.0.1', region_id: twin['id'], cell: 'c1'})).toMatchObject({
      region: 'IAD',
      cell: 'c1',
    });
  });

  test('filters of cells', async () => {
    expect(await listed('/cells?region=ORD')).toEqual(['c1']);
    expect(await listed('/cells?region=ORD&name=c1', 'id')).toEqual([cell['id']]);
    expect(await listed(`/cells?sort_dir=asc&region_id=${String(region['id'])}`)).toEqual(['c1']);
    expect(await listed('/cells?region=ORD&name=none')).toEqual([]);
    expect(await listed('/cells?region=nowhere')).toEqual([]);
  });

  test('an unknown region', async () => {
    expectError(await call('POST', '/cells', {name: 'c', status: 'up', region: 'nowhere'}), 400, /region: .*nowhere/);
    expectError(await call('POST', '/cells', {name: 'c', status: 'up', region: 'z-first'}), 400, /z-first/);
  });

  test('a host in the documented form', async () => {
    const host = await make('hosts', {
      hostname: 'bm-1',
      status: 'up',
      service: ['nova-compute', 'ovs'],
      ip_address: '10.1.0.1',
      cell: cell['cell_uuid'],
      hw_manufacturer: 'Dell',
      data: {rack: 7},
      id: 3,
    });
    expect(host).toMatchObject({
      hostname: 'bm-1',
      name: 'bm-1',
      status: 'up',
      service: ['nova-compute', 'ovs'],
      ip_address: '10.1.0.1',
      cell: 'c1',
      cell_id: cell['id'],
      region: 'ORD',
      region_id: region['id'],
      hw_manufacturer: 'Dell',
      data: {rack: 7},
      host_uuid: expect.any(String),
    });
    expect(host).not.toHaveProperty('device_type');
    for (const id of [host['id'], host['host_uuid'], 'bm-1']) expect((await call('GET', `/hosts/${String(id)}`)).json()).toEqual(host);
    expectError(
      await call('POST', '/hosts', {hostname: 'bm-1', status: 'up', service: [], ip_address: '10.1.0.9', cell: cell['id']}),
      409,
      /bm-1/,
    );
  });

  test('a host as cratonclient sends it', async () => {
    const sent = {name: 'bm-2', ip_address: 'fd00::2', region_id: region['id'], device_type: 'server', active: true, note: 'new'};
    const host = await make('hosts', sent, triple('demo', '1'));
    expect(host).toMatchObject({...sent, hostname: 'bm-2', region: 'ORD'});
    expect(host).not.toHaveProperty('cell');
  });

  test.each(['hostname', 'status', 'service', 'ip_address', 'cell'])(
    'a host without %s is 400, and all that is wrong is named',
    async (member) => {
      const {[member]: _absent, ...body}: Doc = {hostname: 'x', status: 'up', service: [], ip_address: '10.0.0.300', cell: cell['id']};
      const error = expectError(await call('POST', '/hosts', body), 400, new RegExp(`- ${member}: is required`));
      expect(error['fields']).toBe([...new Set([member, 'ip_address'])].toSorted().join(', '));
    },
  );

  test('filters of hosts', async () => {
    await make('hosts', {hostname: 'bm-3', status: 'up', service: ['ovs'], ip_address: '10.1.0.3', cell: cell['id']});
    const own = `region_id=${String(region['id'])}`;
    expect(await listed(`/hosts?${own}`)).toEqual(['bm-1', 'bm-2', 'bm-3']);
    expect(await listed(`/hosts?${own}&limit=1`)).toEqual(['bm-1']);
    expect(await listed('/hosts?service=ovs')).toEqual(['bm-1', 'bm-3']);
    expect(await listed('/hosts?service=ovs&service=nova-compute')).toEqual(['bm-1']);
    expect(await listed('/hosts?region=ORD&cell=c1')).toEqual(['bm-1', 'bm-3']);
    expect(await listed('/hosts?ip_address=10.1.0.3')).toEqual(['bm-3']);
    expect(await listed('/hosts?name=bm-2&region=None')).toEqual(['bm-2']);
    expect(await listed('/hosts?name=nobody')).toEqual([]);
    const [uuid] = await listed('/hosts?name=bm-2', 'host_uuid');
    expect(await listed(`/hosts?uuid=${String(uuid)}`)).toEqual(['bm-2']);
    expectError(await call('GET', '/hosts?limit=0'), 400, /limit/);
    expectError(await call('GET', '/hosts?limit=many'), 400, /limit/);
  });

  test('what belongs to another project is not there', async () => {
    expect(await listed('/hosts', 'name', key('other'))).toEqual([]);
    expect(await listed('/cells', 'name', key('other'))).toEqual([]);
    expectError(await call('GET', '/hosts/bm-1', undefined, key('other')), 404, /bm-1/);
  });
});

describe('changes', () => {
  let host: Doc;

  beforeAll(async () => {
    await make('regions', {name: 'LON', status: 'up'});
    await make('cells', {name: 'l1', status: 'up', region: 'LON'});
    host = await make('hosts', {hostname: 'lon-1', status: 'up', service: ['a'], ip_address: '10.2.0.1', cell: 'l1', data: {kept: 1}});
  });

  test('PUT keeps what is not sent, in either form', async () => {
    const answer = await call('PUT', '/hosts/lon-1', {active: false, note: 'broken fan'});
    expect([answer.status, answer.json()]).toEqual([
      200,
      {...host, active: false, note: 'broken fan', updated_at: expect.stringMatching(/^\d{4}-.*\.\d{6}$/)},
    ]);
    expect((await call('PUT', '/hosts/lon-1', {status: 'down', hostname: 'lon-2', id: 5})).json()).toMatchObject({
      status: 'down',
      hostname: 'lon-2',
      id: host['id'],
    });
    expectError(await call('PUT', '/hosts/lon-2', {ip_address: 'nowhere'}), 400, /ip_address/);
    expectError(await call('PUT', '/hosts/lon-1', {status: 'up'}), 404);
  });

  test('the name that a rename set free can be taken', async () => {
    expect(await make('hosts', {hostname: 'lon-1', status: 'up', service: [], ip_address: '10.2.0.2', cell: 'l1'})).toMatchObject({
      hostname: 'lon-1',
    });
    expectError(await call('PUT', '/hosts/lon-1', {hostname: 'lon-2'}), 409, /lon-2/);
  });

  test.each([
    ['an object', {deep: {er: [1, 2]}}],
    ['an array', [1, 'two', null, {}]],
    ['a boolean', false],
    ['null', null],
    ['a number', 1.5],
    ['a string', 'text'],
  ])('data: %s comes back unchanged, and other keys stay', async (_name, value) => {
    expect((await call('PUT', '/hosts/lon-2/data', {key: 'changing', value})).status).toBe(200);
    expect((await call('GET', '/hosts/lon-2')).json()).toMatchObject({data: {kept: 1, changing: value}});
  });

  test('data as a mapping, and the name that cratonclient has for it', async () => {
    expect((await call('PUT', '/hosts/lon-2/variables', {a: 1, b: 2})).json()).toMatchObject({variables: {kept: 1, a: 1, b: 2}});
    expect((await call('GET', '/hosts/lon-2/variables')).json()).toMatchObject({variables: {a: 1}});
    const answer = await call('DELETE', '/hosts/lon-2/variables', ['a']);
    expect([answer.status, answer.text]).toEqual([200, 'null\n']);
    expect((await call('GET', '/hosts/lon-2/variables')).json()).not.toHaveProperty('variables.a');
  });

  test('deleting absent data: 404 on hosts, ignored on cells and regions', async () => {
    expectError(await call('DELETE', '/hosts/lon-2/data', {key: 'absent'}), 404, /absent/);
    expect((await call('DELETE', '/cells/l1/data?key=absent')).text).toBe('null\n');
    expect((await call('DELETE', '/regions/LON/data', {key: 'absent'})).text).toBe('null\n');
  });

  test('DELETE: 409 while something refers to it, then 200 null, then 404', async () => {
    expectError(await call('DELETE', '/regions/LON'), 409, /cells/);
    expectError(await call('DELETE', '/cells/l1'), 409, /hosts/);
    for (const path of ['/hosts/lon-1', '/hosts/lon-2', '/cells/l1', '/regions/LON']) {
      const answer = await call('DELETE', path);
      expect([path, answer.status, answer.text]).toEqual([path, 200, 'null\n']);
      expectError(await call('GET', path), 404);
      expectError(await call('DELETE', path), 404);
    }
  });
});

describe('what is not there', () => {
  test('unknown paths and verbs, in JSON', async () => {
    expectError(await call('GET', '/nope'), 404);
    expectError(await call('PATCH', '/hosts/1'), 405);
    expectError(await call('POST', '/hosts/1'), 405);
    expectError(await call('GET', '/hosts/12345678'), 404, /12345678/);
  });
});
