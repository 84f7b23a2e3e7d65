/** Under which values each kind is found in the cache. The names are listed in informers.ts. Pure. */
import type {Cell, Drive, Host, Image, Project, Server, ServerOperation} from '../crds/index.ts';
import {uuidOf} from '../crds/rules/ids.ts';
import {LABELS, TOPOLOGY_LABELS} from '../crds/wellknown.ts';
import type {IndexFunction} from '../kube/informer.ts';
import {keyOf} from '../kube/objects.ts';
import type {KubeObject} from '../kube/objects.ts';
import type {CoreNode, Pod, Secret} from '../kube/types.ts';
import type {WithId} from './controllers/shared/identity.ts';
import type {VirtualMachineInstance} from './kubevirt/types.ts';

type Indexes<T> = Readonly<Record<string, IndexFunction<T>>>;

/** A list of what is there. */
const present = (...values: readonly (string | undefined)[]): readonly string[] =>
  [...new Set(values.filter((value) => value !== undefined && value !== ''))] as string[];

/** The key of something that `object` names, in its own namespace unless the reference says otherwise. */
function keyFrom(object: KubeObject, reference: {readonly name: string; readonly namespace?: string} | undefined): string | undefined {
  if (reference === undefined) return undefined;
  const namespace = reference.namespace ?? object.metadata.namespace;
  return keyOf({name: reference.name, ...(namespace === undefined ? {} : {namespace})});
}

const keysFrom = (object: KubeObject, names: readonly string[] | undefined): readonly string[] =>
  present(...(names ?? []).map((name) => keyFrom(object, {name})));

/** What all kinds of ours have. */
export const identityIndexes: Indexes<WithId> = {
  id: (object) => (object.spec.id === undefined ? [] : [String(object.spec.id)]),
  uuid: (object) => present(uuidOf(object)),
};

export const cellIndexes: Indexes<Cell> = {...identityIndexes, region: (cell) => present(cell.spec.region)};

export const hostIndexes: Indexes<Host> = {
  ...identityIndexes,
  region: (host) => present(host.spec.region),
  cell: (host) => present(host.spec.cell),
  node: (host) => present(host.status?.nodeName),
  // By what a Host may be matched with a Node: the node that it names, or its hostname and address.
  identity: (host) => present(host.spec.nodeName, host.spec.hostname, host.spec.address),
};

export const projectIndexes: Indexes<Project> = {...identityIndexes, account: (project) => present(project.spec.account)};

export const driveIndexes: Indexes<Drive> = {
  ...identityIndexes,
  image: (drive) => present(keyFrom(drive, drive.spec.source?.image)),
  sourceDrive: (drive) => present(keyFrom(drive, drive.spec.source?.drive)),
  server: (drive) =>
    keysFrom(
      drive,
      drive.status?.claims?.map((claim) => claim.server),
    ),
};

export const imageIndexes: Indexes<Image> = {...identityIndexes, drive: (image) => present(keyFrom(image, image.spec.source.drive))};

export const serverIndexes: Indexes<Server> = {
  ...identityIndexes,
  drive: (server) =>
    keysFrom(
      server,
      server.spec.disks?.map((disk) => disk.drive),
    ),
  image: (server) => present(keyFrom(server, server.spec.image)),
  flavor: (server) => present(server.spec.flavor),
  network: (server) => present(...(server.spec.nics ?? []).map((nic) => keyFrom(server, nic.network))),
  keyPair: (server) => keysFrom(server, server.spec.keyPairs),
  serverGroup: (server) => keysFrom(server, server.spec.serverGroups),
  bootSecret: (server) => present(keyFrom(server, server.spec.bootSecret)),
  host: (server) => present(server.status?.host),
  wantedHost: (server) => present(server.spec.placement?.host),
  region: (server) => present(server.spec.placement?.region),
  cell: (server) => present(server.spec.placement?.cell),
};

export const serverOperationIndexes: Indexes<ServerOperation> = {
  server: (operation) => present(keyFrom(operation, {name: operation.spec.server})),
};

export const nodeIndexes: Indexes<CoreNode> = {
  hostname: (node) => present(node.metadata.labels?.['kubernetes.io/hostname']),
  address: (node) => present(...(node.status?.addresses ?? []).filter(({type}) => type === 'InternalIP').map(({address}) => address)),
  host: (node) => present(node.metadata.labels?.[TOPOLOGY_LABELS.host]),
};

export const podIndexes: Indexes<Pod> = {
  node: (pod) => present(pod.spec?.nodeName),
  // A launcher's controller is its VirtualMachineInstance, which has the server's name.
  server: (pod) =>
    present(
      ...(pod.metadata.ownerReferences ?? []).filter(({kind}) => kind === 'VirtualMachineInstance').map(({name}) => keyFrom(pod, {name})),
    ),
};

export const instanceIndexes: Indexes<VirtualMachineInstance> = {node: (instance) => present(instance.status?.nodeName)};

/** By the Server that a Secret was written for, as its label says. */
export const secretIndexes: Indexes<Secret> = {server: (secret) => keysFrom(secret, present(secret.metadata.labels?.[LABELS.server]))};

export const credentialIndexes: Indexes<Secret> = {account: (secret) => present(secret.metadata.labels?.[LABELS.account])};
