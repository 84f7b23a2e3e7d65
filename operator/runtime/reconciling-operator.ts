/**
 * The programming model of `@dot-i/k8s-operator` (init → watchResource → handleResourceFinalizer → setResourceStatus) over this
 * project's own machinery, put in through the package's protected methods. Why, and what the stock machinery does instead, is in
 * docs/decisions/0001-operator-runtime.md. This is the only file that imports the package.
 *
 * What differs for who writes a handler:
 * - Events are hints, coalesced per object: the handler gets the latest state, may be called again for the same state, and never runs
 *   twice at once for one object. Objects of one kind, and kinds, run side by side.
 * - An error that a handler throws is logged and the event is delivered again, with back-off. Failed writes throw `ApiError`.
 * - Deletions that happened while disconnected are delivered, with the last state seen.
 */
import mod from '@dot-i/k8s-operator';
import type {ResourceEvent, ResourceMeta} from '@dot-i/k8s-operator';
import type {KubeConfig, V1CustomResourceDefinitionVersion} from '@kubernetes/client-node';
import {readFile} from 'node:fs/promises';
import {parse} from 'yaml';
import type {KubeClient} from '../../kube/client.ts';
import type {Informer} from '../../kube/informer.ts';
import type {Logger} from '../../kube/log.ts';
import type {KubeObject, ResourceType} from '../../kube/objects.ts';
import type {Manager} from './manager.ts';
import {clusterPath, createKindDirectory} from './kind-directory.ts';
import type {KindDirectory} from './kind-directory.ts';
import {createEventReconciler} from './event-reconciler.ts';
import type {ControllerDefinition} from './types.ts';

const {default: StockOperator, ResourceMetaImpl} = mod;

/** Field managers of the writes that the base class's contract asks for. */
const STATUS_MANAGER = 'basalt-operator-status';
const OBJECT_MANAGER = 'basalt-operator';

/** What an operator runs on. */
export interface ReconcilingOperatorOptions {
  /** Only `getCustomResourceApiUri` and the base class's own helpers look at it; all calls go through `client`. */
  readonly kubeConfig: KubeConfig;
  readonly client: KubeClient;
  readonly manager: Manager;
  readonly log: Logger;
  /** Makes the informer of a kind for `watchResource`. */
  createInformer(type: ResourceType<KubeObject>, namespace: string | undefined): Informer<KubeObject>;
}

/** Extend it, add watches in `init`, call `start`, await `finished`; end with `shutdown`. */
export abstract class ReconcilingOperator extends StockOperator {
  readonly #client: KubeClient;
  readonly #manager: Manager;
  readonly #kinds: KindDirectory;
  readonly #createInformer: ReconcilingOperatorOptions['createInformer'];

  constructor(options: ReconcilingOperatorOptions) {
    super({
      debug: (message) => options.log.debug({}, message),
      info: (message) => options.log.info({}, message),
      warn: (message) => options.log.warn({}, message),
      error: (message) => options.log.error({}, message),
    });
    this.kubeConfig = options.kubeConfig; // the base loaded its own from the default places, without a pool
    this.#client = options.client;
    this.#manager = options.manager;
    this.#kinds = createKindDirectory(options.client);
    this.#createInformer = options.createInformer;
  }

  /** Runs `init`, then fills the caches and runs for leadership. Resolves once that is under way; `finished` tells how it ended. */
  override async start(): Promise<void> {
    await super.start();
    this.#manager.start();
  }

  /** Resolves after `shutdown`; rejects when leadership is lost or a controller cannot start. Never exits the process. */
  get finished(): Promise<void> {
    return this.#manager.finished;
  }

  /** Begins a shutdown, without waiting for it: the base class's signature is synchronous. */
  override stop(): void {
    void this.shutdown();
  }

  /** Takes no more work, lets running work end (bounded), gives leadership back. */
  shutdown(): Promise<void> {
    return this.#manager.shutdown();
  }

  /** Adds a controller: the richer form of {@link watchResource}, whose result can ask for a later run. */
  watch(definition: ControllerDefinition): void {
    this.#manager.addController(definition);
  }

  /** Calls `onEvent` for the objects of a kind, level-triggered (see the top of this file). Throws when the kind is not served. */
  protected override async watchResource(
    group: string,
    version: string,
    plural: string,
    onEvent: (event: ResourceEvent) => Promise<void>,
    namespace?: string,
  ): Promise<void> {
    const type = await this.#kinds.resolve(group, version, plural);
    const informer = this.#createInformer(type, namespace);
    this.#manager.addInformer({type, informer});
    this.#manager.addController(
      createEventReconciler({name: plural, informer, onEvent, describe: (event, object) => toResourceEvent(plural, event, object)}),
    );
  }

  /** PUT of `/status` under `meta.resourceVersion`. Throws `ApiError`; never resolves with null. */
  protected override async setResourceStatus(meta: ResourceMeta, status: unknown): Promise<ResourceMeta> {
    const type = this.#kinds.byId(meta.id);
    const stored = await this.#client.replace(type, withStatus(meta, status), {subresource: 'status', fieldManager: STATUS_MANAGER});
    return ResourceMetaImpl.createWithId(meta.id, stored as never);
  }

  /** Merge patch of `/status` under `meta.resourceVersion`. Throws `ApiError`; never resolves with null. */
  protected override async patchResourceStatus(meta: ResourceMeta, status: unknown): Promise<ResourceMeta> {
    const type = this.#kinds.byId(meta.id);
    const patch = {metadata: {resourceVersion: meta.resourceVersion}, status};
    const stored = await this.#client.mergePatch(type, meta, patch, {subresource: 'status', fieldManager: STATUS_MANAGER});
    return ResourceMetaImpl.createWithId(meta.id, stored as never);
  }

  /**
   * Merge patch of the whole list, which is why it carries the resourceVersion: another controller's finalizer cannot be lost, a stale
   * list is a conflict and the event comes again. `handleResourceFinalizer` of the base calls this.
   */
  protected override async setResourceFinalizers(meta: ResourceMeta, finalizers: string[]): Promise<void> {
    const patch = {metadata: {resourceVersion: meta.resourceVersion, finalizers}};
    await this.#client.mergePatch(this.#kinds.byId(meta.id), meta, patch, {fieldManager: OBJECT_MANAGER});
  }

  /** As the base, which pushes into the event's list of finalizers: it gets a copy, because the object belongs to the cache. */
  protected override handleResourceFinalizer(
    event: ResourceEvent,
    finalizer: string,
    deleteAction: (event: ResourceEvent) => Promise<void>,
  ): Promise<boolean> {
    return super.handleResourceFinalizer({...event, object: structuredClone(event.object)}, finalizer, deleteAction);
  }

  /** The base reads `k8sApi.basePath`, which client-node 2 no longer has. */
  protected override getCustomResourceApiUri(group: string, version: string, plural: string, namespace?: string): string {
    const server = this.kubeConfig.getCurrentCluster()?.server ?? '';
    return server.replace(/\/$/, '') + clusterPath(group, version, plural, namespace);
  }

  /** Server-side apply of the manifest as it is. Installing CRDs is the chart's business: the operator's own account may not. */
  protected override async registerCustomResourceDefinition(
    crdFile: string,
  ): Promise<{group: string; versions: V1CustomResourceDefinitionVersion[]; plural: string}> {
    const manifest = parse(await readFile(crdFile, 'utf8')) as KubeObject & {
      readonly spec: {
        readonly group: string;
        readonly versions: V1CustomResourceDefinitionVersion[];
        readonly names: {readonly plural: string};
      };
    };
    if (!manifest.apiVersion.startsWith('apiextensions.k8s.io/')) throw new Error(`${crdFile} is not a CustomResourceDefinition`);
    const type = await this.#kinds.resolve('apiextensions.k8s.io', 'v1', 'customresourcedefinitions');
    await this.#client.apply(type, manifest, {fieldManager: OBJECT_MANAGER, force: true});
    const {group, versions, names} = manifest.spec;
    return {group, versions, plural: names.plural};
  }
}

const withStatus = (meta: ResourceMeta, status: unknown): KubeObject & {readonly status: unknown} => ({
  apiVersion: meta.apiVersion,
  kind: meta.kind,
  metadata: {name: meta.name, resourceVersion: meta.resourceVersion, ...(meta.namespace === undefined ? {} : {namespace: meta.namespace})},
  status,
});

const toResourceEvent = (plural: string, type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): ResourceEvent => ({
  meta: ResourceMetaImpl.createWithPlural(plural, object as never),
  type: type as never,
  object: object as never,
});
