/**
 * A thing made one way is visible and usable in the others: servers made with kubectl and over each API, seen and used through all of them,
 * and by nobody else. Runs on the full and on the light cluster.
 */
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {SERVER, type Server} from '../../crds/index.ts';
import {loadKubeConfig} from '../../kube/pooled-kube-config.ts';
import {isNotFound} from '../../kube/errors.ts';
import type {KubeClient} from '../../kube/client.ts';
import {createClient} from '../../kube/transport.ts';

const env = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === '')
    throw new Error(`${name} is not set: run this with make test-cluster, on a cluster that make up started`);
  return value;
};
const NAMESPACE = 'acct-demo';
const MADE = ['three-kubectl', 'three-cyclades'];

describe('one cloud, three ways in', () => {
  let client: KubeClient;

  const compute = async (
    method: string,
    path: string,
    body?: object,
    token = env('TOKEN'),
  ): Promise<{status: number; body: Record<string, unknown>}> => {
    const response = await fetch(`${env('COMPUTE_URL')}${path}`, {
      method,
      headers: {'X-Auth-Token': token, 'Content-Type': 'application/json'},
      ...(body === undefined ? {} : {body: JSON.stringify(body)}),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    return {status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)};
  };
  const cloudSigma = async (
    path: string,
    user = env('CS_USER'),
    password = env('CS_PASSWORD'),
  ): Promise<{status: number; text: string}> => {
    const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    const response = await fetch(`${env('CS_BASE')}${path}`, {headers: {authorization}, signal: AbortSignal.timeout(90_000)});
    return {status: response.status, text: await response.text()};
  };
  const serverNamed = async (name: string): Promise<Server | undefined> =>
    (await client.list(SERVER, {namespace: NAMESPACE})).items.find(({spec}) => spec.name === name);
  const until = async (name: string, phase: string): Promise<Server> => {
    const end = performance.now() + 60_000;
    for (;;) {
      const server = await serverNamed(name);
      if (server?.status?.phase === phase) return server;
      if (performance.now() > end)
        throw new Error(`${name} is ${server?.status?.phase ?? 'absent'}, not ${phase}: ${JSON.stringify(server?.status?.conditions)}`);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  };
  const removeAll = async (): Promise<void> => {
    for (const name of MADE) {
      const server = await serverNamed(name);
      if (server === undefined) continue;
      await client.delete(SERVER, {namespace: NAMESPACE, name: server.metadata.name}).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
      const end = performance.now() + 45_000;
      while ((await serverNamed(name)) !== undefined) {
        if (performance.now() > end) throw new Error(`${name} is still there 45 s after its deletion`);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  };

  beforeAll(async () => {
    client = createClient({kubeConfig: loadKubeConfig({path: env('KUBECONFIG')}), userAgent: 'basalt-test', fieldManager: 'basalt-test'});
    await removeAll();
  }, 120_000);
  afterAll(async () => {
    await removeAll();
    await client.close();
  }, 120_000);

  test('a server made with kubectl is seen over Cyclades and CloudSigma, and has an id of its own', async () => {
    await client.create(SERVER, {
      apiVersion: 'basalt.dev/v1alpha1',
      kind: 'Server',
      metadata: {name: 'three-kubectl', namespace: NAMESPACE},
      spec: {name: 'three-kubectl', flavor: 'tiny'},
    } as Server);
    const server = await until('three-kubectl', 'ACTIVE');
    const id = server.spec.id ?? 0;
    expect(id).toBeGreaterThan(0);
    const shown = await compute('GET', `/servers/${id}`);
    expect(shown).toMatchObject({status: 200, body: {server: {id: String(id), name: 'three-kubectl', status: 'ACTIVE'}}});
    const info = await cloudSigma(`/servers/${server.status?.uuid}/info`);
    expect(info.status).toBe(200);
    expect(info.text).toMatch(/^name three-kubectl$/m);
    expect(info.text).toMatch(/^status active$/m);
  }, 90_000);

  test('a server made over Cyclades is seen by kubectl, and their ids differ', async () => {
    const images = (await compute('GET', '/images')).body['images'] as {id: string}[];
    const made = await compute('POST', '/servers', {server: {name: 'three-cyclades', flavorRef: 1, imageRef: images[0]?.id}});
    expect(made.status).toBe(200);
    const server = await until('three-cyclades', 'ACTIVE');
    expect(String(server.spec.id)).toBe((made.body['server'] as {id: string}).id);
    expect(server.spec.id).not.toBe((await serverNamed('three-kubectl'))?.spec.id);
    const listed = (await compute('GET', '/servers')).body['servers'] as {name: string}[];
    expect(listed.map(({name}) => name)).toEqual(expect.arrayContaining(MADE));
  }, 90_000);

  test('what one API stops, the others see stopped; kubectl starts it again', async () => {
    const server = await until('three-kubectl', 'ACTIVE');
    expect((await cloudSigma(`/servers/${server.status?.uuid}/stop`)).status).toBe(204);
    expect((await compute('GET', `/servers/${server.spec.id}`)).body).toMatchObject({server: {status: 'STOPPED'}});
    expect((await serverNamed('three-kubectl'))?.spec.powerState).toBe('Stopped');
    await client.mergePatch(SERVER, {namespace: NAMESPACE, name: 'three-kubectl'}, {spec: {powerState: 'Running'}});
    await until('three-kubectl', 'ACTIVE');
    expect((await cloudSigma(`/servers/${server.status?.uuid}/info`)).text).toMatch(/^status active$/m);
  }, 180_000);

  test('another account finds none of it: not found, not forbidden', async () => {
    const server = await until('three-kubectl', 'ACTIVE');
    const other = env('OTHER_TOKEN');
    for (const [method, path, body] of [
      ['GET', `/servers/${server.spec.id}`, undefined],
      ['DELETE', `/servers/${server.spec.id}`, undefined],
      ['POST', `/servers/${server.spec.id}/action`, {shutdown: {}}],
      ['PUT', `/servers/${server.spec.id}`, {server: {name: 'mine now'}}],
    ] as const)
      expect(await compute(method, path, body, other)).toMatchObject({status: 404, body: {itemNotFound: {code: 404}}});
    expect((await compute('GET', '/servers', undefined, other)).body).toEqual({servers: []});
    const theirs = await cloudSigma(`/servers/${server.status?.uuid}/stop`, env('OTHER_CS_USER'), env('OTHER_CS_PASSWORD'));
    expect(theirs.status).toBe(404);
    expect(theirs.text).toContain('could not be found');
    expect((await serverNamed('three-kubectl'))?.spec.name).toBe('three-kubectl');
  }, 60_000);

  test('an unknown or foreign token is refused before anything is looked up', async () => {
    expect(await compute('GET', '/servers/999999', undefined, 'no-such-token')).toMatchObject({
      status: 401,
      body: {unauthorized: {code: 401}},
    });
  });
});
