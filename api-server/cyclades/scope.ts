/** What a caller may see: flavors by project, images by owner or visibility, networks by owner or as public ones. */
import type {Flavor, Image, KeyPair, Network} from '../../crds/index.ts';
import {uuidOf} from '../../crds/rules/ids.ts';
import type {Caller, Role} from '../http/types.ts';
import type {Store} from '../store/types.ts';
import {isDeleting} from '../../kube/objects.ts';

/** Who may use compute and what stands beside it. */
export const TENANT: readonly Role[] = ['tenant'];

type Stores = Pick<Store, 'projects' | 'flavors' | 'images' | 'networks' | 'keyPairs'>;

/** Every name under which a caller's projects may be granted something: the account itself is its first project. */
export function projectsOf(caller: Caller, {projects}: Stores): ReadonlySet<string> {
  const names = new Set([caller.name, caller.uuid]);
  if (caller.projectId !== undefined) names.add(caller.projectId);
  for (const project of projects.list()) {
    const {account, members, id, name} = project.spec;
    if (account !== caller.name && members?.includes(caller.name) !== true) continue;
    for (const alias of [project.metadata.name, name, uuidOf(project), id === undefined ? undefined : String(id)]) {
      if (alias !== undefined) names.add(alias);
    }
  }
  return names;
}

/** Of a flavor's grants those that reach the caller; empty for a public flavor. */
export function grantsOf(flavor: Flavor, projects: ReadonlySet<string>): readonly string[] {
  return flavor.spec.visibility === 'Restricted' ? (flavor.spec.projects ?? []).filter((project) => projects.has(project)) : [];
}

/** Whether a flavor is shown to members of these projects. */
export function seesFlavor(flavor: Flavor, projects: ReadonlySet<string>): boolean {
  return flavor.spec.visibility !== 'Restricted' || grantsOf(flavor, projects).length > 0;
}

/** Whether the caller may use an image: an own one, or a public one of anybody. */
export function seesImage(image: Image, caller: Caller): boolean {
  return image.metadata.namespace === caller.namespace || image.spec.visibility === 'Public';
}

/** The disk images a caller may start servers from, by id. CD images are CloudSigma's. */
export function imagesOf(caller: Caller, {images}: Stores): readonly Image[] {
  return images.list().filter((image) => seesImage(image, caller) && image.spec.type !== 'Cdrom' && !isDeleting(image));
}

/** An image by its uuid; also by its name in the cluster, for those made with kubectl. */
export function findImage(id: string, caller: Caller, {images}: Stores): Image | undefined {
  const image = images.byUuid(id);
  return image === undefined || isDeleting(image) || !seesImage(image, caller) ? undefined : image;
}

/** The networks a caller may connect to. */
export function networksOf(caller: Caller, {networks}: Stores, systemNamespace: string): readonly Network[] {
  return networks.list().filter((network) => seesNetwork(network, caller, systemNamespace));
}

/** A network by integer id or uuid. */
export function findNetwork(id: string, caller: Caller, {networks}: Stores, systemNamespace: string): Network | undefined {
  const network = (/^\d{1,15}$/.test(id) ? networks.byId(Number(id)) : undefined) ?? networks.byUuid(id);
  return network === undefined || !seesNetwork(network, caller, systemNamespace) ? undefined : network;
}

function seesNetwork(network: Network, caller: Caller, systemNamespace: string): boolean {
  if (isDeleting(network)) return false;
  return (
    network.metadata.namespace === caller.namespace || (network.metadata.namespace === systemNamespace && network.spec.type === 'Public')
  );
}

/** A keypair of the caller by its display name. */
export function findKeyPair(name: string, caller: Caller, {keyPairs}: Stores): KeyPair | undefined {
  return keyPairs.byName(name, caller.namespace).find((pair) => !isDeleting(pair));
}
