/** etcd and kube-apiserver up, CRDs in, then controllers, hosts and KWOK. */
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {KubeClient} from '../../../kube/client.ts';
import {isNotFound} from '../../../kube/errors.ts';
import {loadKubeConfig} from '../../../kube/pooled-kube-config.ts';
import {createClient} from '../../../kube/transport.ts';
import {LEASE, NODE, SERVICE_ACCOUNT} from '../../../kube/types.ts';
import {Kinds, type Crd} from '../objects/kinds.ts';
import {readDumped, readYaml, readYamlFolder} from '../objects/manifests.ts';
import {NODE_LABEL, nodeOf} from '../objects/nodes.ts';
import {ManifestWriter} from '../objects/writer.ts';
import {HERE, ROOT} from '../paths.ts';
import {apiserver, controllerManager, etcd, KWOK_STAGES, kwok, scheduler} from '../processes/control-plane.ts';
import {probeHttp} from '../probes.ts';
import {waitFor} from '../waiting.ts';
import {keep, waitReady, type StartContext, type UpContext} from './context.ts';

const CRD_DEADLINE_MS = 30_000;

/** Starts etcd and kube-apiserver and waits until the latter is ready. */
export async function startApiserver(context: StartContext): Promise<UpContext> {
  const {ports} = context.settings;
  keep(context, etcd(context));
  await waitReady(context, 'etcd', () => probeHttp(`http://127.0.0.1:${ports.etcd}/readyz`));
  keep(context, apiserver(context));
  const ca = readFileSync(join(context.paths.pki, 'ca.crt'), 'utf8');
  await waitReady(context, 'kube-apiserver', () => probeHttp(`https://127.0.0.1:${ports.apiserver}/readyz`, ca));
  const client = createClient({
    kubeConfig: loadKubeConfig({path: context.paths.adminKubeconfig, inCluster: false}),
    userAgent: 'basalt-cluster',
    fieldManager: 'basalt-cluster',
  });
  const kinds = new Kinds();
  return {...context, client, kinds, writer: await ManifestWriter.open(client, kinds, context.signal)};
}

/**
 * Installs all CRDs and waits until they are served. Before kube-controller-manager starts: its garbage collector learns of a kind that
 * comes later only after 10 s and more.
 */
export async function installCrds(context: UpContext): Promise<void> {
  const crds = [...readYamlFolder(join(ROOT, 'crds/manifests')), ...readYamlFolder(join(HERE, 'manifests/crds'))];
  if (context.settings.tier === 'full') {
    crds.push(...readDumped(context.build.manifests, 'cdi/crds'), ...readDumped(context.build.manifests, 'kubevirt/crds'));
  }
  for (const crd of crds) context.kinds.addCrd(crd as Crd);
  if ((await context.writer.write(crds)) > 0) await waitServed(context.client, crds as Crd[], context.signal);
}

async function waitServed(client: KubeClient, crds: readonly Crd[], signal: AbortSignal): Promise<void> {
  const missing = new Set(
    crds.map((crd) => `${crd.spec.group}/${(crd.spec.versions.find((version) => version.storage) ?? crd.spec.versions[0])?.name}`),
  );
  const probe = async (): Promise<string | undefined> => {
    for (const groupVersion of missing) {
      try {
        const names = crds.filter((crd) => crd.spec.group === groupVersion.split('/')[0]).map((crd) => crd.spec.names.plural);
        const answer = await client.raw('GET', `/apis/${groupVersion}`, {signal});
        const {resources} = JSON.parse(answer.body.toString()) as {resources: {name: string}[]};
        if (names.some((name) => !resources.some((resource) => resource.name === name))) return groupVersion;
      } catch (error) {
        if (!isNotFound(error)) throw error;
        return groupVersion;
      }
      missing.delete(groupVersion);
    }
    return undefined;
  };
  await waitFor(probe, {what: 'CRDs served', deadlineMs: CRD_DEADLINE_MS, signal});
}

/** Starts kube-controller-manager and kube-scheduler. */
export function startControllers(context: UpContext): void {
  keep(context, controllerManager(context), scheduler(context));
}

/** Writes the Node objects, removes those of hosts that are no more, and starts KWOK. */
export async function startHosts(context: UpContext): Promise<void> {
  const {client, signal} = context;
  await context.writer.write(readYaml(join(HERE, 'manifests/kwok-rbac.yaml')));
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  await context.writer.write(context.hosts.map((host) => nodeOf(host, architecture)));
  const wanted = new Set(context.hosts.map((host) => host.name));
  const {items} = await client.list(NODE, {labelSelector: `${NODE_LABEL.name}=${NODE_LABEL.value}`, signal});
  for (const {metadata} of items) if (!wanted.has(metadata.name)) await client.delete(NODE, {name: metadata.name}, {signal});
  keep(context, kwok(context, stagesHash()));
}

/** Namespaces in which programs elect leaders, and that of the nodes' heartbeats. */
const LEASE_NAMESPACES = ['kube-node-lease', 'kubevirt', 'cdi', 'basalt-system'];

/**
 * Removes the leases of an earlier run, when none of their holders can be alive: KWOK leaves pods alone until an old lease of its node runs
 * out (40 s), and a leader that was killed holds its place for 15 s.
 */
export async function dropOldLeases({client, signal, startedAt}: UpContext): Promise<void> {
  for (const namespace of LEASE_NAMESPACES) {
    const {items} = await client.list(LEASE, {namespace, signal});
    for (const {metadata} of items) {
      if (Date.parse(metadata.creationTimestamp ?? '') >= startedAt) continue;
      await client.delete(LEASE, {namespace, name: metadata.name}, {signal});
    }
  }
}

function stagesHash(): string {
  const hash = createHash('sha256');
  for (const file of KWOK_STAGES) hash.update(readFileSync(join(HERE, file)));
  return hash.digest('hex').slice(0, 16);
}

/** Waits for what shows that the controllers work: ServiceAccount `default`, and every host Ready. */
export async function waitForControllers(context: UpContext): Promise<void> {
  const {client, signal, settings} = context;
  await waitReady(context, 'kube-controller-manager', async () => {
    try {
      await client.get(SERVICE_ACCOUNT, {namespace: 'default', name: 'default'}, {signal});
      return undefined;
    } catch (error) {
      if (isNotFound(error)) return 'no ServiceAccount default yet';
      throw error;
    }
  });
  await waitReady(context, 'kube-scheduler', () => probeHttp(`https://127.0.0.1:${settings.ports.scheduler}/healthz`));
  await waitReady(context, 'kwok', async () => {
    const {items} = await client.list(NODE, {signal});
    const waiting = items.filter((node) => node.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') !== true);
    return waiting.length === 0 ? undefined : `${waiting.length} hosts not Ready`;
  });
}
