import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {KubeConfig} from '@kubernetes/client-node';
import {createCredentialSource} from './credentials.ts';
import {loadKubeConfig} from './pooled-kube-config.ts';
import {FakeClock} from './testing/fake-clock.ts';

let directory: string;
let clock: FakeClock;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kube-'));
  clock = new FakeClock();
});
afterEach(() => rm(directory, {recursive: true}));

async function kubeconfig(user: object, cluster: object = {}): Promise<string> {
  const path = join(directory, 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{name: 'c', cluster: {server: 'https://192.0.2.1:6443/prefix/', ...cluster}}],
    users: [{name: 'u', user}],
    contexts: [{name: 'x', context: {cluster: 'c', user: 'u'}}],
    'current-context': 'x',
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('credentials', () => {
  test('name the server, the token and the trust', async () => {
    const path = await kubeconfig({token: 'secret'}, {'certificate-authority-data': base64('CA')});
    const {origin, basePath, headers, shape} = await createCredentialSource(loadKubeConfig({path}), clock).get();
    expect([origin, basePath, headers['authorization'], shape.type]).toEqual([
      'https://192.0.2.1:6443',
      '/prefix',
      'Bearer secret',
      'agent',
    ]);
  });

  test('are read once for many, and again after ten seconds', async () => {
    const path = await kubeconfig({token: 'a'});
    const source = createCredentialSource(loadKubeConfig({path}), clock);
    const [one, two] = await Promise.all([source.get(), source.get()]);
    expect(one).toBe(two);
    clock.advance(10_000);
    expect(await source.get()).not.toBe(one);
  });

  test('a token file is read again when told to, whatever client-node keeps', async () => {
    const tokenFile = join(directory, 'token');
    await writeFile(tokenFile, 'old\n');
    const config = new KubeConfig();
    config.loadFromClusterAndUser(
      {name: 'c', server: 'https://192.0.2.1', skipTLSVerify: false},
      {name: 'u', authProvider: {name: 'tokenFile', config: {tokenFile}}},
    );
    const source = createCredentialSource(config, clock);
    expect((await source.get()).headers['authorization']).toBe('Bearer old');
    await writeFile(tokenFile, 'new');
    clock.advance(20_000);
    expect((await source.get()).headers['authorization']).toBe('Bearer old'); // client-node's own minute
    source.reload();
    expect((await source.get()).headers['authorization']).toBe('Bearer new');
  });

  test('a kubeconfig is read again when told to; new certificates mean new connections', async () => {
    const path = await kubeconfig({'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY')});
    const source = createCredentialSource(loadKubeConfig({path}), clock);
    const before = await source.get();
    await kubeconfig({'client-certificate-data': base64('CERT 2'), 'client-key-data': base64('KEY 2')});
    source.reload();
    expect((await source.get()).key).not.toBe(before.key);
  });

  test('a failed read is told, and not kept', async () => {
    const tokenFile = join(directory, 'token');
    const config = new KubeConfig();
    config.loadFromClusterAndUser(
      {name: 'c', server: 'https://192.0.2.1', skipTLSVerify: false},
      {name: 'u', authProvider: {name: 'tokenFile', config: {tokenFile}}},
    );
    const source = createCredentialSource(config, clock);
    await expect(source.get()).rejects.toThrow('ENOENT');
    await writeFile(tokenFile, 'there');
    expect((await source.get()).headers['authorization']).toBe('Bearer there');
  });
});

describe('loadKubeConfig', () => {
  test('says what is missing', async () => {
    expect(() => loadKubeConfig({path: join(directory, 'nowhere')})).toThrow('ENOENT');
    expect(() => loadKubeConfig({inCluster: false})).toThrow('no kubeconfig given');
    expect(() => loadKubeConfig()).toThrow('KUBERNETES_SERVICE_HOST is unset');
    const path = await kubeconfig({});
    await writeFile(path, '{"apiVersion":"v1","kind":"Config","clusters":[],"users":[],"contexts":[]}');
    expect(() => loadKubeConfig({path})).toThrow('no current context');
  });
});
