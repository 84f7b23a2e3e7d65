/** Servers, drives and images on the full cluster, made as a person with kubectl makes them, and looked at until they are as wanted. */
import {DRIVE, IMAGE, SERVER, SERVER_GROUP, SERVER_OPERATION} from '../../crds/index.ts';
import type {Drive, Image, Server, ServerGroup, ServerOperation} from '../../crds/index.ts';
import type {KubeClient} from '../../kube/client.ts';
import {isNotFound} from '../../kube/errors.ts';
import {silentLogger} from '../../kube/log.ts';
import {keyOf, refOfObject} from '../../kube/objects.ts';
import type {KubeObject, ResourceType} from '../../kube/objects.ts';
import {loadKubeConfig} from '../../kube/pooled-kube-config.ts';
import {createClient} from '../../kube/transport.ts';
import {VIRTUAL_MACHINE_INSTANCE} from '../../operator/kubevirt/types.ts';

/** Namespace of the demo account. */
export const HOME = 'acct-demo';
const apiVersion = 'basalt.dev/v1alpha1';
/** How long anything may take, in milliseconds: the machine may be busy with other tests. */
const PATIENCE_MS = 90_000;
const POLL_MS = 100;

/** See the top of this file. */
export class ServerBench {
  readonly client: KubeClient;
  readonly #made: {readonly type: ResourceType; readonly object: KubeObject}[] = [];

  constructor(kubeconfig: string) {
    this.client = createClient({
      kubeConfig: loadKubeConfig({path: kubeconfig}),
      userAgent: 'basalt-test',
      fieldManager: 'kubectl',
      log: silentLogger,
    });
  }

  async #create<T extends KubeObject>(type: ResourceType<T>, name: string, spec: object, namespace = HOME): Promise<T> {
    const object = await this.client.create(type, {apiVersion, kind: type.kind, metadata: {name, namespace}, spec} as unknown as T);
    this.#made.push({type: type as unknown as ResourceType, object});
    return object;
  }

  server(name: string, spec: Partial<Server['spec']>): Promise<Server> {
    return this.#create<Server>(SERVER, name, {name, flavor: 'tiny', ...spec});
  }

  drive(name: string, spec: Partial<Drive['spec']> = {}): Promise<Drive> {
    return this.#create<Drive>(DRIVE, name, {name, sizeBytes: 64 * 1024 ** 2, ...spec});
  }

  image(name: string, spec: Partial<Image['spec']>): Promise<Image> {
    return this.#create<Image>(IMAGE, name, {name, sizeBytes: 64 * 1024 ** 2, ...spec});
  }

  group(name: string, spec: Partial<ServerGroup['spec']>): Promise<ServerGroup> {
    return this.#create<ServerGroup>(SERVER_GROUP, name, {name, ...spec});
  }

  operation(name: string, spec: ServerOperation['spec']): Promise<ServerOperation> {
    return this.#create<ServerOperation>(SERVER_OPERATION, name, spec);
  }

  patch(name: string, spec: object): Promise<Server> {
    return this.client.mergePatch(SERVER, {namespace: HOME, name}, {spec});
  }

  /** What the guest does by itself: switches itself off, or crashes. */
  async guestExits(name: string, how: 'Succeeded' | 'Failed'): Promise<void> {
    await this.client.mergePatch(
      VIRTUAL_MACHINE_INSTANCE,
      {namespace: HOME, name},
      {metadata: {annotations: {'sim.basalt.dev/guest-exit': how}}},
    );
  }

  async find<T extends KubeObject>(type: ResourceType<T>, name: string, namespace = HOME): Promise<T | undefined> {
    try {
      return await this.client.get(type, {namespace, name});
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Resolves with the first state that satisfies `probe`; rejects with the last one seen. */
  async until<T extends KubeObject>(
    type: ResourceType<T>,
    name: string,
    probe: (object: T | undefined) => boolean,
    namespace = HOME,
  ): Promise<T | undefined> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const object = await this.find(type, name, namespace);
      if (probe(object)) return object;
      if (performance.now() > deadline)
        throw new Error(`${type.kind} ${name} never was as ${probe.toString()}; it is ${JSON.stringify(object)}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async serverIs(name: string, phase: string, taskState = ''): Promise<Server> {
    const found = await this.until<Server>(
      SERVER,
      name,
      (server) =>
        server?.status?.phase === phase &&
        (server.status.taskState ?? '') === taskState &&
        server.status.observedGeneration === server.metadata.generation,
    );
    if (found === undefined) throw new Error('unreachable');
    return found;
  }

  async gone<T extends KubeObject>(type: ResourceType<T>, name: string, namespace = HOME): Promise<void> {
    await this.until<T>(type, name, (object) => object === undefined, namespace);
  }

  async delete<T extends KubeObject>(type: ResourceType<T>, name: string, namespace = HOME): Promise<void> {
    await this.client.delete(type, {namespace, name});
  }

  /** Names of all objects of a kind in the demo account whose name begins so. */
  async named(type: ResourceType, prefix: string): Promise<readonly string[]> {
    const {items} = await this.client.list(type, {namespace: HOME});
    return items.map(({metadata}) => metadata.name).filter((name) => name.startsWith(prefix));
  }

  /** Deletes what was made and waits until it is gone, servers first. */
  async close(): Promise<void> {
    const order = [SERVER_OPERATION.plural, SERVER.plural, SERVER_GROUP.plural, DRIVE.plural, IMAGE.plural];
    const made = this.#made.toSorted((left, right) => order.indexOf(left.type.plural) - order.indexOf(right.type.plural));
    for (const {type, object} of made)
      await this.client
        .delete(type, refOfObject(object))
        .catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)));
    for (const {type, object} of made)
      await this.gone(type, object.metadata.name, object.metadata.namespace).catch((error: unknown) =>
        Promise.reject(new Error(`${keyOf(refOfObject(object))} stays`, {cause: error})),
      );
    await this.client.close();
  }
}
