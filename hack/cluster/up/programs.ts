/** Our chart, our programs under its ServiceAccounts, and the demo cloud. */
import {execFile} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {isNotFound} from '../../../kube/errors.ts';
import type {AnyObject, ResourceType} from '../../../kube/objects.ts';
import {CONFIG_MAP, SECRET} from '../../../kube/types.ts';
import {filesBelow} from '../files.ts';
import {readYaml, readYamlFolder} from '../objects/manifests.ts';
import {HERE, ROOT} from '../paths.ts';
import {probeHttp} from '../probes.ts';
import {apiServer, imageServer, NAMESPACE, operator, OPERATOR_ACCOUNT, type ProgramOptions} from '../processes/programs.ts';
import {hypervisor, podRunner} from '../processes/virtualization.ts';
import {waitFor} from '../waiting.ts';
import {hostObjects} from './cloud-hosts.ts';
import {imageVariables, placeImages, removeOutdatedImages} from './cloud-images.ts';
import {keep, waitReady, type UpContext} from './context.ts';
import {ACCOUNT_NAMES, credentialsSecret, DIGEST_ANNOTATION, digestOf, type Credentials} from './credentials.ts';
import {imageUrl} from './env-file.ts';

const HELM_TIMEOUT_MS = 120_000;
const CLOUD_DEADLINE_MS = 90_000;
const CHART = join(ROOT, 'helm/basalt');
const CHART_RECORD = {namespace: 'kube-system', name: 'basalt-cluster-chart'};

/** A hash of source files, tests left out: when it changes, the program is restarted. */
export function sourceHash(root: string, folders: readonly string[]): string {
  const hash = createHash('sha256');
  for (const folder of folders) {
    for (const file of filesBelow(join(root, folder))) {
      if (!file.endsWith('.ts') || file.endsWith('.test.ts') || file.includes('testing/')) continue;
      hash
        .update(`${folder}/${file}\0`)
        .update(readFileSync(join(root, folder, file)))
        .update('\0');
    }
  }
  return hash.digest('hex').slice(0, 16);
}

function program(context: UpContext, folders: readonly string[]): ProgramOptions {
  return {node: process.execPath, revision: sourceHash(ROOT, folders), logLevel: context.logLevel};
}

/** Starts the hypervisor. */
export function startHypervisor(context: UpContext): void {
  requireProgram('hack/cluster/hypervisor/main.ts');
  const {node, revision, logLevel} = program(context, ['hack/cluster/hypervisor', 'kube']);
  keep(context, hypervisor(context, node, revision, logLevel));
}

/** Starts the pod runner, where bytes are real. */
export function startPodRunner(context: UpContext): void {
  if (context.settings.guests !== 'qemu') return;
  const {node, revision, logLevel} = program(context, ['hack/cluster/podrunner', 'kube']);
  keep(context, podRunner(context, node, revision, logLevel));
}

/** Waits for the hypervisor. */
export async function waitForHypervisor(context: UpContext): Promise<void> {
  await waitReady(context, 'hypervisor', () => probeHttp(`http://127.0.0.1:${context.settings.ports.hypervisorMetrics}/readyz`));
}

function requireProgram(path: string): void {
  if (!existsSync(join(ROOT, path))) throw new Error(`${path} is not there; use --no-programs to leave our programs out`);
}

/** Installs the chart with helm, or upgrades it when it or its values changed. Its pods are fakes; its RBAC is real. */
export async function installChart(context: UpContext): Promise<void> {
  const {client, signal, settings, paths} = context;
  const values = join(HERE, 'values.yaml');
  const hash = createHash('sha256').update(readFileSync(values));
  for (const file of filesBelow(CHART)) hash.update(`${file}\0`).update(readFileSync(join(CHART, file)));
  const digest = hash.digest('hex').slice(0, 16);
  if ((await installedChart(context)) === digest) return;
  const args = ['upgrade', '--install', 'basalt', CHART, '--namespace', NAMESPACE, '--create-namespace', '--values', values, '--skip-crds'];
  try {
    await promisify(execFile)(join(settings.bin, 'helm'), args, {
      env: {
        ...process.env,
        KUBECONFIG: paths.adminKubeconfig,
        HELM_CACHE_HOME: join(paths.run, 'helm'),
        HELM_CONFIG_HOME: join(paths.run, 'helm'),
        HELM_DATA_HOME: join(paths.run, 'helm'),
      },
      timeout: HELM_TIMEOUT_MS,
      signal,
    });
  } catch (error) {
    const {stderr} = error as {stderr?: string};
    throw new Error(`helm install: ${stderr === undefined || stderr === '' ? (error as Error).message : stderr.trim()}`, {cause: error});
  }
  await client.apply(
    CONFIG_MAP as ResourceType,
    {apiVersion: 'v1', kind: 'ConfigMap', metadata: CHART_RECORD, data: {digest}},
    {force: true, signal},
  );
}

// The digest counts only while the release is there: a person may have uninstalled it.
async function installedChart({client, signal}: UpContext): Promise<string | undefined> {
  try {
    await client.get(
      {group: '', version: 'v1', plural: 'serviceaccounts', kind: 'ServiceAccount', namespaced: true},
      {namespace: NAMESPACE, name: OPERATOR_ACCOUNT},
      {signal},
    );
    return (await client.get(CONFIG_MAP, CHART_RECORD, {signal})).data?.['digest'];
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Starts the image server, operator and api-server. */
export async function startPrograms(context: UpContext): Promise<void> {
  requireProgram('operator/main.ts');
  requireProgram('api-server/main.ts');
  await placeImages(context);
  keep(
    context,
    imageServer(context, program(context, ['hack/cluster/image-server'])),
    operator(context, program(context, ['operator', 'crds', 'kube'])),
    apiServer(context, program(context, ['api-server', 'crds', 'kube'])),
  );
}

/** Writes the accounts' secrets, unless the cluster has these very ones. */
export async function writeCredentials(context: UpContext, credentials: Credentials): Promise<void> {
  const {client, signal} = context;
  await context.writer.write([{apiVersion: 'v1', kind: 'Namespace', metadata: {name: NAMESPACE}}]);
  for (const account of ACCOUNT_NAMES) {
    const secret = credentialsSecret(account, credentials[account]);
    try {
      const {metadata} = await client.get(SECRET, {namespace: NAMESPACE, name: secret.metadata.name}, {signal});
      if (metadata.annotations?.[DIGEST_ANNOTATION] === digestOf(credentials[account])) continue;
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    await context.writer.write([secret], {always: true});
  }
}

/** Applies cloud/ and the hosts. Objects that a person changed keep what we do not name. */
export async function applyCloud(context: UpContext): Promise<AnyObject[]> {
  const [tiny, ...others] = imageVariables(context.guestImages, context.settings.ports);
  const objects = readYamlFolder(join(HERE, 'cloud'), tiny);
  for (const image of others) objects.push(...readYaml(join(HERE, 'cloud/images.yaml'), image));
  objects.push(...(await hostObjects(context)));
  await reserveFlavorIds(context, objects);
  await removeOutdatedImages(context, objects);
  await context.writer.write(objects, {always: true});
  return objects;
}

// The flavors above have ids of their own: the sequence goes on after them.
async function reserveFlavorIds({writer, client, signal}: UpContext, objects: readonly AnyObject[]): Promise<void> {
  const ids = objects.filter(({kind}) => kind === 'Flavor').map((flavor) => (flavor['spec'] as {id?: number}).id ?? 0);
  const sequence = {namespace: NAMESPACE, name: 'ids-flavor'};
  try {
    await client.get(CONFIG_MAP, sequence, {signal});
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await writer.write([{apiVersion: 'v1', kind: 'ConfigMap', metadata: sequence, data: {next: String(Math.max(0, ...ids) + 1)}}], {
      always: true,
    });
  }
}

interface Conditioned extends AnyObject {
  readonly status?: {
    readonly conditions?: readonly {readonly type: string; readonly status: string; readonly reason?: string; readonly message?: string}[];
  };
}

/** Why an object is not Ready; undefined when it is. */
export function notReady(object: AnyObject): string | undefined {
  const ready = (object as Conditioned).status?.conditions?.find(({type}) => type === 'Ready');
  if (ready?.status === 'True') return undefined;
  const why = ready === undefined ? 'no condition Ready yet' : `${ready.reason ?? ''} ${ready.message ?? ''}`.trim();
  return `${object.kind} ${object.metadata.name}: ${why}`;
}

/** Waits until both programs answer, and every object of the demo cloud is Ready. */
export async function waitForPrograms(context: UpContext, cloud: readonly AnyObject[]): Promise<void> {
  const {ports} = context.settings;
  await waitReady(context, 'image-server', () => probeHttp(imageUrl(ports)));
  await waitReady(context, 'operator', () => probeHttp(`http://127.0.0.1:${ports.operator}/readyz`));
  await waitReady(context, 'api-server', () => probeHttp(`http://127.0.0.1:${ports.apiMetrics}/readyz`));
  const waiting = [...cloud];
  const probe = async (): Promise<string | undefined> => {
    while (waiting[0] !== undefined) {
      const {metadata} = waiting[0];
      const ref = metadata.namespace === undefined ? {name: metadata.name} : {name: metadata.name, namespace: metadata.namespace};
      const reason = notReady(await context.client.get(context.kinds.of(waiting[0]), ref, {signal: context.signal}));
      if (reason !== undefined) return reason;
      waiting.shift();
    }
    return undefined;
  };
  await waitFor(probe, {what: 'the demo cloud', deadlineMs: CLOUD_DEADLINE_MS, intervalMs: 100, signal: context.signal});
}
