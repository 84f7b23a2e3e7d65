/** Identity v2.0 over real HTTP, as the clients of behaviour 6.8 use it. */
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {DEMO, OTHER, startHarness, type Harness} from '../testing/harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

interface Access {
  readonly access: {
    readonly token: {readonly id: string; readonly expires: string; readonly tenant: object};
    readonly user: object;
    readonly serviceCatalog: readonly {readonly type: string; readonly endpoints: readonly Record<string, string>[]}[];
  };
}

const tokens = (auth: unknown) => harness.call('POST', '/identity/v2.0/tokens', {json: {auth}});
const password = (username: string, secret: string) => ({passwordCredentials: {username, password: secret}});

describe('POST /identity/v2.0/tokens', () => {
  test('a password gives a token that works, with tenant, user and catalogue', async () => {
    const reply = await tokens({...password('demo', DEMO.password), tenantName: 'demo'});
    expect(reply.status).toBe(200);
    const {access} = reply.json<Access>();
    expect(access.token.tenant).toEqual({id: DEMO.uuid, name: 'demo'});
    expect(access.token.expires).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/);
    expect(access.user).toMatchObject({id: DEMO.uuid, name: 'demo', roles_links: []});
    expect(access.serviceCatalog.map(({type}) => type).sort()).toEqual(['account', 'compute', 'identity', 'image', 'network']);
    for (const {endpoints} of access.serviceCatalog) {
      expect(endpoints).toHaveLength(1);
      expect(Object.keys(endpoints[0] ?? {}).sort()).toEqual(['SNF:uiURL', 'publicURL', 'region', 'versionId']);
    }
    const compute = access.serviceCatalog.find(({type}) => type === 'compute')?.endpoints[0];
    expect(compute).toMatchObject({publicURL: `${harness.program.main.url}/cyclades/compute/v2.0`, versionId: 'v2.0', region: 'default'});
    expect((await harness.call('GET', '/cyclades/compute/v2.0/servers', {token: access.token.id})).status).toBe(200);
    expect((await harness.call('GET', '/identity/v2.0/tenants', {token: access.token.id})).json()).toMatchObject({
      tenants: [{id: DEMO.uuid, name: 'demo', enabled: true}],
    });
  });

  test('every advertised endpoint answers', async () => {
    const {access} = (await tokens(password('demo', DEMO.password))).json<Access>();
    for (const {endpoints} of access.serviceCatalog) {
      const path = new URL(endpoints[0]?.['publicURL'] ?? '').pathname;
      const {status} = await harness.call('GET', path, {token: access.token.id});
      expect([path, status]).toEqual([path, path === '/account/v1.0' ? 404 : 200]);
    }
  });

  test('a token alone, without a tenant, still gets a catalogue', async () => {
    const {access} = (await tokens({token: {id: DEMO.token}})).json<Access>();
    expect(access.token.id).toBe(DEMO.token);
    expect(access.serviceCatalog.length).toBeGreaterThan(0);
  });

  test.each<[string, unknown, number]>([
    ['the e-mail address in any case', password('OTHER@example.org', OTHER.password), 200],
    ['a wrong password', password('demo', 'wrong'), 401],
    ['an unknown user', password('nobody', 'x'), 401],
    ['a wrong token', {token: {id: 'nope'}}, 401],
    ['somebody else’s tenant', {...password('other', OTHER.password), tenantName: 'demo'}, 401],
    ['the tenant by id', {...password('other', OTHER.password), tenantId: OTHER.uuid}, 200],
    ['no credentials', {}, 400],
    ['no password', {passwordCredentials: {username: 'demo'}}, 400],
    ['not an object', 'x', 400],
  ])('%s', async (_name, auth, status) => {
    const reply = await tokens(auth);
    expect(reply.status).toBe(status);
    if (status !== 200) expect(reply.json()).toMatchObject({[status === 401 ? 'unauthorized' : 'badRequest']: {code: status}});
  });

  test('guessing is slowed down, with a time to come back', async () => {
    const statuses: number[] = [];
    let last = await tokens(password('victim', 'x'));
    for (let attempt = 0; attempt < 22; attempt += 1) {
      last = await tokens(password('victim', 'x'));
      statuses.push(last.status);
    }
    expect(statuses).toContain(401);
    expect(last.status).toBe(429);
    expect(last.json()).toMatchObject({overLimit: {code: 429}});
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await tokens(password('demo', DEMO.password))).status).toBe(200);
  });
});
