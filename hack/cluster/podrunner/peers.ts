/**
 * Names of Services in a container's environment, as lines of its own hosts file: there is no cluster DNS, and no kube-proxy behind a
 * Service's address. A name leads to a ready pod of the Service. CDI's clone source finds its upload server so.
 */
import type {KubeObject} from '../../../kube/objects.ts';
import {NotYet} from './not-yet.ts';
import type {RunnerPod} from './pod.ts';

/** A Service, of which its selector matters. */
export interface Service extends KubeObject {
  readonly spec?: {readonly selector?: Readonly<Record<string, string>>};
}

/** Reads what names lead to. */
export interface PeerReader {
  service(namespace: string, name: string): Promise<Service | undefined>;
  /** Pods of a namespace, from a cache. */
  pods(namespace: string): readonly RunnerPod[];
}

const SERVICE_NAME = /\b([a-z0-9]([-a-z0-9]*[a-z0-9])?)\.([a-z0-9]([-a-z0-9]*[a-z0-9])?)\.svc\b/g;

/** `name.namespace.svc`, each once, in any of the texts. */
export function serviceNames(texts: Iterable<string>): {readonly name: string; readonly namespace: string}[] {
  const found = new Map<string, {name: string; namespace: string}>();
  for (const text of texts) {
    for (const [whole, name = '', , namespace = ''] of text.matchAll(SERVICE_NAME)) found.set(whole, {name, namespace});
  }
  return [...found.values()];
}

/** Whether a pod takes part in a Service: it is selected and ready. */
export function serves(pod: RunnerPod, selector: Readonly<Record<string, string>>): boolean {
  const labels = pod.metadata.labels ?? {};
  return (
    pod.metadata.deletionTimestamp === undefined &&
    pod.status?.podIP !== undefined &&
    pod.status.conditions?.some(({type, status}) => type === 'Ready' && status === 'True') === true &&
    Object.entries(selector).every(([key, value]) => labels[key] === value)
  );
}

/**
 * The text of a hosts file.
 * @throws NotYet while a Service has no ready pod.
 */
export async function hostsFile(
  self: {readonly name: string; readonly address: string},
  environment: ReadonlyMap<string, string>,
  reader: PeerReader,
): Promise<string> {
  const lines = ['127.0.0.1 localhost', `${self.address} ${self.name}`];
  for (const {name, namespace} of serviceNames(environment.values())) {
    const service = await reader.service(namespace, name);
    const selector = service?.spec?.selector;
    if (selector === undefined) throw new NotYet('ContainerCreating', `service "${namespace}/${name}" not found`);
    const pod = reader.pods(namespace).find((candidate) => serves(candidate, selector));
    if (pod === undefined) throw new NotYet('ContainerCreating', `service "${namespace}/${name}" has no ready pod yet`);
    const dotted = `${name}.${namespace}.svc`;
    lines.push(`${pod.status?.podIP} ${dotted} ${dotted}.cluster.local`);
  }
  return `${lines.join('\n')}\n`;
}
