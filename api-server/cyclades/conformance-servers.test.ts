/** Expected exchanges of the compute API over real HTTP against the fake cluster: one server, metadata, actions. */
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {SERVER, SERVER_OPERATION, SYSTEM_NAMESPACE} from '../../crds/index.ts';
import {until} from '../../kube/testing/until.ts';
import {DEMO, namespaceOf, OTHER, startHarness, type Call, type Harness} from '../testing/harness.ts';
import {CLIENT_MOUNT, DOCUMENT_MOUNT} from './profile.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const call = (method: string, path: string, more: Call = {}, mount: string = CLIENT_MOUNT) =>
  harness.call(method, mount + path, {token: DEMO.token, ...more});
const faultName = (text: string): string => Object.keys(JSON.parse(text) as object)[0] ?? '';

interface ServerBody {
  readonly server: Readonly<Record<string, unknown>> & {
    readonly id: string;
    readonly adminPass: string;
    readonly metadata: Record<string, string>;
  };
}

describe('one server', () => {
  test('CY1, isolation: a new account has none and sees none of others', async () => {
    await harness.putServer({name: 'hidden', status: {phase: 'ACTIVE'}});
    const {spec} = await harness.putServer({name: 'foreign', status: {phase: 'ACTIVE'}});
    expect((await call('GET', '/servers', {token: OTHER.token})).json()).toEqual({servers: []});
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['GET', '/metadata'],
      ['GET', '/ips'],
    ] as const) {
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
        nics: [
          {index: 0, network: `${SYSTEM_NAMESPACE}/public`, macAddress: 'aa:00:00:00:00:01', address: '10.0.0.5', addressType: 'Floating'},
        ],
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
    expect((await call('GET', `/servers/${spec.id}/ips/1`)).json()).toEqual({
      network: {'1': [{version: 4, addr: '10.0.0.5', 'OS-EXT-IPS:type': 'floating'}]},
    });
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
    const {spec} = await harness.putServer({
      name: 'acted',
      spec: {powerState: phase === 'STOPPED' ? 'Stopped' : 'Running'},
      status: {phase, observedGeneration: 1},
    });
    const reply = await act(spec.id, body);
    expect([reply.status, faultName(reply.text)]).toEqual([status, name]);
  });

  test.each([{shutdown: {}}, {'os-stop': null}])('CY33 %j on ACTIVE asks for a stop, and the task is seen at once', async (body) => {
    const {metadata, spec} = await harness.putServer({name: 'running', status: {phase: 'ACTIVE', observedGeneration: 1}});
    const reply = await act(spec.id, body);
    expect([reply.status, reply.text, reply.headers.get('content-length')]).toEqual([202, '', '0']);
    expect(harness.fake.object(SERVER, {namespace: namespaceOf(DEMO), name: metadata.name})?.spec).toMatchObject({
      powerState: 'Stopped',
      powerOffMode: 'TrySoft',
    });
    expect((await call('GET', `/servers/${spec.id}`)).json<ServerBody>().server).toMatchObject({
      status: 'ACTIVE',
      'SNF:task_state': 'STOPPING',
    });
    expect((await act(spec.id, body)).status).toBe(400);
  });

  test.each([{start: {}}, {'os-start': null}, {reboot: {}}])('CY33 %j on STOPPED asks for a start', async (body) => {
    const {metadata, spec} = await harness.putServer({
      name: 'stopped',
      spec: {powerState: 'Stopped'},
      status: {phase: 'STOPPED', observedGeneration: 1},
    });
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
      return (
        harness.program.store.serverOperations.get({namespace: namespaceOf(DEMO), name: operationName})?.metadata.resourceVersion ===
        resourceVersion
      );
    });
    expect(await read()).toBe('ACTIVE');
  });
});
