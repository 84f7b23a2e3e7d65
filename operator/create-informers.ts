/** Builds every informer of the operator, with its selector, indexes and transform, and says which kinds it can do without. */
import {
  ACCOUNT,
  CELL,
  DRIVE,
  FLAVOR,
  HOST,
  IMAGE,
  KEY_PAIR,
  NETWORK,
  PROJECT,
  REGION,
  SERVER,
  SERVER_GROUP,
  SERVER_OPERATION,
} from '../crds/index.ts';
import {LABELS} from '../crds/wellknown.ts';
import type {KubeClient} from '../kube/client.ts';
import type {Clock} from '../kube/clock.ts';
import type {IndexFunction, Informer} from '../kube/informer.ts';
import type {Logger} from '../kube/log.ts';
import type {KubeObject, ResourceType} from '../kube/objects.ts';
import {createInformer} from '../kube/reflector.ts';
import type {ReflectorMetrics} from '../kube/reflector.ts';
import {NAMESPACE, NODE, PERSISTENT_VOLUME_CLAIM, POD, ROLE_BINDING, SECRET} from '../kube/types.ts';
import {CLUSTER_INSTANCETYPE, FLAVOR_LABEL} from './controllers/flavor/plan.ts';
import {NETWORK_ATTACHMENT, NETWORK_LABEL} from './controllers/network/plan.ts';
import * as indexes from './indexes.ts';
import type {Informers} from './informers.ts';
import {DATA_SOURCE, DATA_VOLUME, MIGRATION, VIRTUAL_MACHINE, VIRTUAL_MACHINE_INSTANCE} from './kubevirt/types.ts';
import type {ManagedInformer} from './runtime/manager.ts';
import {hashSecret, trimClaim, trimInstance, trimNamespace, trimNode, trimPod} from './transforms.ts';

/** Options of {@link createInformers}. */
export interface InformerOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics?: ReflectorMetrics;
  readonly systemNamespace: string;
}

/** What differs from kind to kind. */
interface Choice<T extends KubeObject> {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
  readonly transform?: (object: T) => T;
  readonly optional?: boolean;
}

/** The informers for the controllers, and the same for the manager, which starts them. */
export function createInformers(options: InformerOptions): {readonly informers: Informers; readonly managed: readonly ManagedInformer[]} {
  const {client, clock, log, metrics, systemNamespace} = options;
  const managed: ManagedInformer[] = [];
  const informerOf = <T extends KubeObject>(type: ResourceType<T>, {optional = false, ...choice}: Choice<T> = {}): Informer<T> => {
    const informer = createInformer<T>({client, type, clock, log, ...choice, ...(metrics === undefined ? {} : {metrics})});
    managed.push({type, informer: informer as unknown as ManagedInformer['informer'], optional});
    return informer;
  };
  const identity = indexes.identityIndexes;
  const informers: Informers = {
    regions: informerOf(REGION, {indexes: identity}),
    cells: informerOf(CELL, {indexes: indexes.cellIndexes}),
    hosts: informerOf(HOST, {indexes: indexes.hostIndexes}),
    accounts: informerOf(ACCOUNT, {indexes: identity}),
    projects: informerOf(PROJECT, {indexes: indexes.projectIndexes}),
    flavors: informerOf(FLAVOR, {indexes: identity}),
    images: informerOf(IMAGE, {indexes: indexes.imageIndexes}),
    drives: informerOf(DRIVE, {indexes: indexes.driveIndexes}),
    servers: informerOf(SERVER, {indexes: indexes.serverIndexes}),
    serverOperations: informerOf(SERVER_OPERATION, {indexes: indexes.serverOperationIndexes}),
    serverGroups: informerOf(SERVER_GROUP, {indexes: identity}),
    keyPairs: informerOf(KEY_PAIR, {indexes: identity}),
    networks: informerOf(NETWORK, {indexes: identity}),
    nodes: informerOf(NODE, {indexes: indexes.nodeIndexes, transform: trimNode}),
    pods: informerOf(POD, {labelSelector: 'kubevirt.io=virt-launcher', indexes: indexes.podIndexes, transform: trimPod}),
    secrets: informerOf(SECRET, {labelSelector: LABELS.server, indexes: indexes.secretIndexes, transform: hashSecret}),
    credentials: informerOf(SECRET, {namespace: systemNamespace, labelSelector: LABELS.account, indexes: indexes.credentialIndexes}),
    namespaces: informerOf(NAMESPACE, {labelSelector: LABELS.account, transform: trimNamespace}),
    roleBindings: informerOf(ROLE_BINDING, {labelSelector: LABELS.account}),
    pvcs: informerOf(PERSISTENT_VOLUME_CLAIM, {transform: trimClaim}),
    dataVolumes: informerOf(DATA_VOLUME),
    dataSources: informerOf(DATA_SOURCE),
    virtualMachines: informerOf(VIRTUAL_MACHINE),
    virtualMachineInstances: informerOf(VIRTUAL_MACHINE_INSTANCE, {indexes: indexes.instanceIndexes, transform: trimInstance}),
    migrations: informerOf(MIGRATION),
    instancetypes: informerOf<KubeObject>(CLUSTER_INSTANCETYPE, {labelSelector: FLAVOR_LABEL, optional: true}),
    networkAttachments: informerOf<KubeObject>(NETWORK_ATTACHMENT, {labelSelector: NETWORK_LABEL, optional: true}),
  };
  return {informers, managed};
}
