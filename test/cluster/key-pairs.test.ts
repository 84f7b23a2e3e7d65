/** Key pairs with the real openstack command: from the file of a public key to the seed that a guest reads. Runs on the full and on the light cluster. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {afterAll, beforeAll, expect, test} from '@jest/globals';
import {KEY_PAIR, SERVER, type KeyPair} from '../../crds/index.ts';
import {cloudInitSecretName} from '../../crds/rules/names.ts';
import {ensureClients} from '../../hack/clients/venv.ts';
import {waitFor} from '../../hack/cluster/waiting.ts';
import {attempt, run} from '../../hack/lib/process.ts';
import type {KubeClient} from '../../kube/client.ts';
import {isNotFound} from '../../kube/errors.ts';
import {loadKubeConfig} from '../../kube/pooled-kube-config.ts';
import {createClient} from '../../kube/transport.ts';
import {SECRET} from '../../kube/types.ts';
import {HOME} from '../lib/server-bench.ts';

const {KUBECONFIG, BASALT_CLUSTER_DIR = '.cluster'} = process.env;
const NAME = 'Key pairs’ test';
const SERVER_NAME = 'keypairs-test';
const PUBLIC_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ me@example.org';
const FINGERPRINT = '46:5d:0f:4b:7b:74:b6:5f:ce:80:b0:33:70:9e:33:96';

let client: KubeClient;
let command: string;
let folder: string;
const environment = {
  PATH: process.env['PATH'],
  HOME: process.env['HOME'],
  OS_CLIENT_CONFIG_FILE: resolve(BASALT_CLUSTER_DIR, 'clouds.yaml'),
};
const openstack = async (...args: readonly string[]): Promise<string> =>
  (await run(command, ['--os-cloud', 'basalt', ...args], {env: environment})).stdout;
const keyPair = async (): Promise<KeyPair | undefined> =>
  (await client.list(KEY_PAIR, {namespace: HOME})).items.find(({spec}) => spec.name === NAME);

async function removeAll(): Promise<void> {
  const servers = (await client.list(SERVER, {namespace: HOME})).items.filter(({spec}) => spec.name === SERVER_NAME);
  const pair = await keyPair();
  const ignoreGone = (error: unknown): void => {
    if (!isNotFound(error)) throw error;
  };
  for (const {metadata} of servers) await client.delete(SERVER, {namespace: HOME, name: metadata.name}).catch(ignoreGone);
  if (pair !== undefined) await client.delete(KEY_PAIR, {namespace: HOME, name: pair.metadata.name}).catch(ignoreGone);
  const gone = async (): Promise<string | undefined> => {
    const {items} = await client.list(SERVER, {namespace: HOME});
    return items.some(({spec}) => spec.name === SERVER_NAME) ? `${SERVER_NAME} is still there` : undefined;
  };
  await waitFor(gone, {what: `${SERVER_NAME} gone`});
}

beforeAll(async () => {
  if (KUBECONFIG === undefined)
    throw new Error('KUBECONFIG is not set: run this with make test-cluster, on a cluster that make up started');
  client = createClient({kubeConfig: loadKubeConfig({path: KUBECONFIG}), userAgent: 'basalt-test', fieldManager: 'basalt-test'});
  await removeAll();
  ({openstack: command} = await ensureClients(() => undefined));
  folder = await mkdtemp(join(tmpdir(), 'basalt-keys-'));
  await writeFile(join(folder, 'key.pub'), `${PUBLIC_KEY}\n`);
}, 300_000);
afterAll(async () => {
  await removeAll();
  await client.close();
  await rm(folder, {recursive: true, force: true});
}, 120_000);

test('a public key is imported, and shown by the command and by kubectl', async () => {
  await openstack('keypair', 'create', '--public-key', join(folder, 'key.pub'), NAME);
  const listed = JSON.parse(await openstack('keypair', 'list', '-f', 'json')) as {Name: string; Fingerprint: string}[];
  expect(listed.find(({Name}) => Name === NAME)).toMatchObject({Fingerprint: FINGERPRINT});
  expect((await openstack('keypair', 'show', '--public-key', NAME)).trim()).toBe(PUBLIC_KEY);
  const judged = async (): Promise<string | undefined> =>
    (await keyPair())?.status?.fingerprint === FINGERPRINT ? undefined : 'the operator has not written the fingerprint';
  await waitFor(judged, {what: 'the fingerprint in the status'});
  const {exitCode, stderr} = await attempt(
    command,
    ['--os-cloud', 'basalt', 'keypair', 'create', '--public-key', join(folder, 'key.pub'), NAME],
    {
      env: environment,
    },
  );
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining('409')]);
}, 120_000);

test('a server that names it has it in its seed', async () => {
  const args = ['--image', 'tiny', '--flavor', 'tiny', '--key-name', NAME, '--wait', SERVER_NAME, '-f', 'json'];
  expect(JSON.parse(await openstack('server', 'create', ...args))).toMatchObject({status: 'ACTIVE', key_name: NAME});
  const server = (await client.list(SERVER, {namespace: HOME})).items.find(({spec}) => spec.name === SERVER_NAME);
  const seed = await client.get(SECRET, {namespace: HOME, name: cloudInitSecretName(server?.metadata.name ?? '')});
  const userData = Buffer.from(seed.data?.['userdata'] ?? '', 'base64').toString();
  expect(userData).toContain(`ssh_authorized_keys:\n  - ${PUBLIC_KEY}\n`);
}, 180_000);

test('what is deleted is gone, and the server does not mind', async () => {
  await openstack('keypair', 'delete', NAME);
  expect(await keyPair()).toBeUndefined();
  expect(JSON.parse(await openstack('server', 'show', SERVER_NAME, '-f', 'json'))).toMatchObject({status: 'ACTIVE'});
  await openstack('server', 'delete', '--wait', SERVER_NAME);
}, 120_000);
