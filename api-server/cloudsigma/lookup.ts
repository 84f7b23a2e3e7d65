/** Finds what a request names, inside what its caller may see, and gathers what the texts need. */
import type {Drive, Image, Network, Server} from '../../crds/index.ts';
import {uuidOf} from '../../crds/rules/ids.ts';
import {mayRead} from '../../crds/rules/readers.ts';
import type {Caller, ModuleDeps} from '../http/types.ts';
import type {Store} from '../store/types.ts';
import type {DriveContext} from './drive-text.ts';
import {notFound} from './errors.ts';
import type {ServerContext} from './server-text.ts';
import {isDeleting} from '../../kube/objects.ts';

const alive = <T extends Drive | Image | Server | Network>(object: T | undefined): T | undefined =>
  object === undefined || isDeleting(object) ? undefined : object;

/** A drive of the caller's own; undefined when there is none. */
export function findDrive(store: Store, caller: Caller, uuid: string): Drive | undefined {
  return alive(store.drives.byUuid(uuid.toLowerCase(), caller.namespace));
}

/** As {@link findDrive}, or 404. */
export function driveOf(store: Store, caller: Caller, uuid: string): Drive {
  const drive = findDrive(store, caller, uuid);
  if (drive === undefined) throw notFound('Drive', uuid);
  return drive;
}

/** A drive of another account that names the caller among its readers, with its owner's uuid; undefined when there is none. */
export function findSharedDrive(store: Store, caller: Caller, uuid: string): {readonly drive: Drive; readonly owner: string} | undefined {
  const drive = alive(store.drives.byUuid(uuid.toLowerCase()));
  if (drive === undefined || drive.metadata.namespace === caller.namespace || !mayRead(drive, caller)) return undefined;
  const owner = store.accounts.list().find(({status}) => status?.namespace === drive.metadata.namespace);
  return owner === undefined ? undefined : {drive, owner: uuidOf(owner)};
}

/** A server of the caller's own, or 404. */
export function serverOf(store: Store, caller: Caller, uuid: string): Server {
  const server = alive(store.servers.byUuid(uuid.toLowerCase(), caller.namespace));
  if (server === undefined) throw notFound('Server', uuid);
  return server;
}

/** A VLAN of the caller's own; undefined when there is none. */
export function findVlan(store: Store, caller: Caller, uuid: string): Network | undefined {
  const network = alive(store.networks.byUuid(uuid.toLowerCase(), caller.namespace));
  return network?.spec.type === 'Vlan' ? network : undefined;
}

/** The caller's drives that are not on their way out. */
export function drivesOf(store: Store, caller: Caller): Drive[] {
  return store.drives.list(caller.namespace).filter((drive) => !isDeleting(drive));
}

/** The caller's servers that are not on their way out. */
export function serversOf(store: Store, caller: Caller): Server[] {
  return store.servers.list(caller.namespace).filter((server) => !isDeleting(server));
}

/** Standard drives are the public Images of the system namespace. `kind` keeps to disks or CDs. */
export function standardDrives({store, config}: ModuleDeps, kind?: 'Disk' | 'Cdrom'): Image[] {
  return store.images
    .list(config.systemNamespace)
    .filter((image) => isStandard(image) && (kind === undefined || (image.spec.type ?? 'Disk') === kind));
}

const isStandard = (image: Image): boolean => !isDeleting(image) && image.spec.visibility === 'Public';

/** A standard drive; undefined when there is none. */
export function findStandardDrive({store, config}: ModuleDeps, uuid: string): Image | undefined {
  const image = alive(store.images.byUuid(uuid.toLowerCase(), config.systemNamespace));
  return image !== undefined && isStandard(image) ? image : undefined;
}

/** What the texts of a caller's drives need. */
export function driveContext(store: Store, caller: Caller): DriveContext {
  return {
    user: caller.uuid,
    server(name) {
      const server = store.servers.get({namespace: caller.namespace, name});
      if (server === undefined) return undefined;
      const host = server.status?.host === undefined ? undefined : store.hosts.get({name: server.status.host});
      return {uuid: uuidOf(server), hostUuid: host === undefined ? undefined : uuidOf(host)};
    },
  };
}

/** What the text of one of a caller's servers needs. */
export function serverContext(store: Store, caller: Caller, server: Server): ServerContext {
  const flavor = server.spec.flavor === undefined ? undefined : store.flavors.get({name: server.spec.flavor});
  return {
    user: caller.uuid,
    driveUuid(name) {
      const drive = store.drives.get({namespace: caller.namespace, name});
      return drive === undefined ? undefined : uuidOf(drive);
    },
    vlanUuid(reference) {
      if (reference === undefined) return undefined;
      const network = store.networks.get({namespace: reference.namespace ?? caller.namespace, name: reference.name});
      return network?.spec.type === 'Vlan' ? uuidOf(network) : undefined;
    },
    flavor: flavor?.spec,
  };
}
