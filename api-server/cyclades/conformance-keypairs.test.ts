/** Expected exchanges of the key pairs of the compute API (CY47) over real HTTP against the fake cluster. */
import {createPublicKey, createPrivateKey} from 'node:crypto';
import {afterAll, afterEach, beforeAll, describe, expect, test} from '@jest/globals';
import {KEY_PAIR, SERVER, type KeyPair} from '../../crds/index.ts';
import {DEMO, IMAGE_TINY, OTHER, namespaceOf, startHarness, type Call, type Harness, type TestAccount} from '../testing/harness.ts';
import {CLIENT_MOUNT, DOCUMENT_MOUNT} from './profile.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const ED25519 = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ me@example.org';
const ED25519_FINGERPRINT = '46:5d:0f:4b:7b:74:b6:5f:ce:80:b0:33:70:9e:33:96';
const RSA =
  'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCl8yvP4kfyNs+PmEGrnra6ta2tKeYjo7TIVP3/DSybLlUDrTaaI4y0OKWQabyvfSw2MffvvbqXPxl/6/c7nFc9gvOcQcMjdixnuhMaTSsRgrk/xtPO7jjKmBOokY55wlWBiMxtduKNa2lypSSiFVekJb3fFxqWcic6S6NzyoGOUEjS93agsZK24rY50Qy2EwjT57g8B91ImEIPKsIncQ1BiN7KxCJxBUMkGa9kL/7rN6jawCe3NLW38H475fkQU913LryxTnc87nmgqSVNO41E6RN+5XhLgaF6eex8+XEfpp9nf8pUo2hmOUlGzSmFRPXHvAPZdFzBNraV2swnR+u5 me';
const ECDSA =
  'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBKpnN4Oxo7nE7XTEw4nknc8aq8iSzuFEYt5vsPKsxAx/LjFyqDiwtWVCMGwmpkO8ja1EDz7NwbxeiWTQamw6YM0= me';

const call = (method: string, path: string, more: Call = {}, mount: string = CLIENT_MOUNT) =>
  harness.call(method, mount + path, {token: DEMO.token, ...more});
const create = (keypair: unknown, mount: string = CLIENT_MOUNT, account: TestAccount = DEMO) =>
  call('POST', '/os-keypairs', {json: {keypair}, token: account.token}, mount);
const at = (name: string): string => `/os-keypairs/${encodeURIComponent(name)}`;
const list = async (account: TestAccount = DEMO) => {
  const {keypairs} = (await call('GET', '/os-keypairs', {token: account.token})).json<{keypairs: {keypair: Record<string, unknown>}[]}>();
  return keypairs.map(({keypair}) => keypair);
};
const faultName = (text: string): string => Object.keys(JSON.parse(text) as object)[0] ?? '';
const stored = (name: string): KeyPair | undefined =>
  harness.fake.objects(KEY_PAIR, namespaceOf(DEMO)).find(({spec}) => spec.name === name);

afterEach(async () => {
  for (const account of [DEMO, OTHER])
    for (const {name} of await list(account)) expect((await call('DELETE', at(String(name)), {token: account.token})).status).toBe(204);
});

describe.each([DOCUMENT_MOUNT, CLIENT_MOUNT])('CY47 at %s', (mount) => {
  test('without a public key a pair is made; the private half is answered once, and stored nowhere', async () => {
    const reply = await create({name: 'made'}, mount);
    expect(reply.status).toBe(201);
    const {keypair} = reply.json<{keypair: Record<string, string>}>();
    expect(Object.keys(keypair).toSorted()).toEqual(['fingerprint', 'name', 'private_key', 'public_key']);
    const privateKey = createPrivateKey(keypair['private_key'] ?? '');
    expect(keypair['private_key']).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\n/);
    expect(privateKey.asymmetricKeyDetails?.modulusLength).toBe(2048);
    // The public half in OpenSSH form is that of the private one.
    const {n = ''} = createPublicKey(privateKey).export({format: 'jwk'});
    const bytes = Buffer.from(keypair['public_key']?.split(' ')[1] ?? '', 'base64');
    expect(bytes.subarray(0, 11).toString('latin1')).toBe('\0\0\0\x07ssh-rsa');
    expect(bytes.subarray(-257)).toEqual(Buffer.concat([Buffer.alloc(1), Buffer.from(n, 'base64url')]));
    expect(keypair['fingerprint']).toMatch(/^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
    expect(JSON.stringify(harness.fake.objects(KEY_PAIR))).not.toContain('PRIVATE');
    expect((await call('GET', at('made'), {}, mount)).text).not.toContain('private');
  });

  test.each([
    ['ed25519', ED25519, ED25519_FINGERPRINT],
    ['rsa', RSA, '22:50:fc:98:2a:30:79:45:bd:27:e1:00:d2:aa:21:fc'],
    ['ecdsa', ECDSA, '05:52:50:68:75:8d:23:7d:c6:1d:24:a5:c0:24:bc:af'],
    ['something unreadable', 'no key at all', 'unknown fingerprint'],
  ])('imports %s', async (name, publicKey, fingerprint) => {
    const brief = {name, public_key: publicKey, fingerprint};
    const reply = await create({name, public_key: publicKey, type: 'ssh'}, mount);
    expect([reply.status, reply.json()]).toEqual([201, {keypair: brief}]);
    expect(await list()).toEqual([brief]);
    const got = await call('GET', at(name), {}, mount);
    expect([got.status, got.json()]).toEqual([
      200,
      {
        keypair: {
          ...brief,
          id: stored(name)?.spec.id,
          created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/),
          updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/),
          deleted: false,
          deleted_at: null,
        },
      },
    ]);
    const deleted = await call('DELETE', at(name), {}, mount);
    expect([deleted.status, deleted.text]).toEqual([204, '']);
    for (const method of ['GET', 'DELETE']) {
      const gone = await call(method, at(name), {}, mount);
      expect([gone.status, faultName(gone.text)]).toEqual([404, 'itemNotFound']);
    }
  });

  test.each<[string, Call, number, string]>([
    ['an empty object', {json: {}}, 400, 'badRequest'],
    ['no body', {}, 400, 'badRequest'],
    ['another media type', {body: '{}', headers: {'content-type': 'text/plain'}}, 400, 'badRequest'],
    ['no name', {json: {keypair: {public_key: ED25519}}}, 400, 'badRequest'],
    ['a blank name', {json: {keypair: {name: '  '}}}, 400, 'badRequest'],
    ['a name that is no text', {json: {keypair: {name: 5}}}, 400, 'badRequest'],
    ['a control character', {json: {keypair: {name: 'a\u0007'}}}, 400, 'badRequest'],
    ['a line separator', {json: {keypair: {name: 'a\u2028b'}}}, 400, 'badRequest'],
    ['an invisible character', {json: {keypair: {name: 'a\u200b'}}}, 400, 'badRequest'],
    ['a name too long', {json: {keypair: {name: 'n'.repeat(256)}}}, 400, 'badRequest'],
    ['an empty public key', {json: {keypair: {name: 'a', public_key: ''}}}, 400, 'badRequest'],
    ['a private key', {json: {keypair: {name: 'a', public_key: '-----BEGIN OPENSSH PRIVATE KEY-----\n'}}}, 400, 'badRequest'],
    ['another type', {json: {keypair: {name: 'a', public_key: ED25519, type: 'x509'}}}, 400, 'badRequest'],
    ['a public key too long', {json: {keypair: {name: 'a', public_key: `ssh-rsa ${'A'.repeat(16_384)}`}}}, 413, 'overLimit'],
    ['a body too long', {json: {keypair: {name: 'a', public_key: 'A'.repeat(1_100_000)}}}, 413, 'overLimit'],
  ])('refuses %s', async (_name, more, status, fault) => {
    const before = harness.fake.writes;
    const reply = await call('POST', '/os-keypairs', more, mount);
    expect([reply.status, faultName(reply.text)]).toEqual([status, fault]);
    expect(harness.fake.writes).toBe(before);
  });
});

test('a name is taken once in an account; of creates at the same moment one succeeds', async () => {
  const replies = await Promise.all(Array.from({length: 4}, () => create({name: 'mine', public_key: ED25519})));
  expect(replies.map(({status}) => String(status)).toSorted()).toEqual(['201', '409', '409', '409']);
  const again = await create({name: 'mine'});
  expect([again.status, faultName(again.text)]).toEqual([409, 'conflict']);
  expect((await create({name: 'mine', public_key: RSA}, CLIENT_MOUNT, OTHER)).status).toBe(201);
  expect(await list(OTHER)).toEqual([expect.objectContaining({name: 'mine', public_key: RSA})]);
});

test('another account’s is not found', async () => {
  await create({name: 'theirs', public_key: ED25519}, CLIENT_MOUNT, OTHER);
  expect(await list()).toEqual([]);
  for (const method of ['GET', 'DELETE']) expect((await call(method, at('theirs'))).status).toBe(404);
});

test.each([['Schlüssel'], ['κλειδί'], ['鍵'], ['my key'], ['me@host.xml'], ['a/b'], ['UPPER_case'], ['n'.repeat(255)], ['🔑'.repeat(255)]])(
  'a name may be %s',
  async (name) => {
    expect((await create({name, public_key: ED25519})).status).toBe(201);
    expect((await call('GET', at(name))).json<{keypair: {name: string}}>().keypair.name).toBe(name);
    expect(stored(name)?.metadata.name).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
  },
);

test('names that give the same slug are two, and are listed by name', async () => {
  for (const name of ['My Key', 'my-key', 'MY KEY']) expect((await create({name, public_key: ED25519})).status).toBe(201);
  expect((await list()).map(({name}) => name)).toEqual(['MY KEY', 'My Key', 'my-key']);
});

test('ten are enough for an account', async () => {
  const replies = [];
  for (let count = 0; count < 11; count += 1) replies.push(await create({name: `key-${count}`, public_key: ED25519}));
  expect(replies.map(({status}) => status)).toEqual([...Array.from({length: 10}, () => 201), 403]);
  expect(faultName(replies[10]?.text ?? '')).toBe('forbidden');
});

test('a name whose pair was renamed with kubectl is free again', async () => {
  await create({name: 'first', public_key: ED25519});
  const pair = stored('first');
  await harness.program.store.keyPairs.update(
    {namespace: namespaceOf(DEMO), name: pair?.metadata.name ?? ''},
    (current) => ({...current, spec: {...current.spec, name: 'renamed'}}),
    {signal: AbortSignal.timeout(5000)},
  );
  expect((await create({name: 'first', public_key: RSA})).status).toBe(201);
  expect((await list()).map(({name}) => name)).toEqual(['first', 'renamed']);
});

test('faults are XML for who wants them, key pairs are JSON only', async () => {
  const fault = await call('GET', `${at('none')}?format=xml`);
  expect([fault.status, fault.headers.get('content-type')]).toEqual([404, 'application/xml; charset=UTF-8']);
  expect(fault.text).toContain('<itemNotFound');
  expect((await call('GET', '/os-keypairs.xml')).json()).toEqual({keypairs: []});
});

test('a server takes the keys that its create names', async () => {
  await create({name: 'Ada’s laptop', public_key: ED25519});
  const reply = await call('POST', '/servers', {
    json: {server: {name: 'web', imageRef: IMAGE_TINY, flavorRef: 1, key_name: 'Ada’s laptop'}},
  });
  expect(reply.status).toBe(202);
  const {server} = reply.json<{server: {id: string; key_name: string}}>();
  expect(server.key_name).toBe('Ada’s laptop');
  const resource = harness.fake.objects(SERVER, namespaceOf(DEMO)).find(({spec}) => String(spec.id) === server.id);
  expect(resource?.spec.keyPairs).toEqual([stored('Ada’s laptop')?.metadata.name]);
});
