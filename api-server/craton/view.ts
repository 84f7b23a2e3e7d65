/** What one caller may see of the inventory: their project's regions, with the cells and hosts in them; admins see everything. */
import type {Cell, Host, Region} from '../../crds/index.ts';
import {Failure} from '../http/failure.ts';
import {hasRole, type Caller} from '../http/types.ts';
import type {Collection, Store, Stored} from '../store/types.ts';
import type {Reference} from './fields.ts';
import {isDeleting} from '../../kube/objects.ts';

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

/** A project in its one spelling: an integer of at most ten digits without leading zeros, or a hyphenated lower-case UUID. Undefined when it is neither. */
export function normalProject(text: string): string | undefined {
  if (/^\d{1,10}$/.test(text)) return String(Number(text));
  if (!UUID.test(text)) return undefined;
  return text
    .toLowerCase()
    .replaceAll('-', '')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/**
 * The project in which a caller acts: that of the triple, else the account's, else one of its own (its uuid). Someone else's project is
 * 401 for everybody but admins, because the credentials do not open it; one that is neither integer nor UUID is 401, too.
 */
export function projectOf(caller: Caller): string {
  const own = caller.account.spec.projectId;
  const wanted = caller.projectId ?? own ?? caller.uuid;
  const project = normalProject(wanted);
  if (project === undefined) throw new Failure('unauthenticated', `Project ${wanted} is neither an integer nor a UUID`);
  if (hasRole(caller, 'admin') || project === normalProject(own ?? caller.uuid)) return project;
  throw new Failure('unauthenticated', `Project ${wanted} is not one of this user`);
}

/** A caller's look at the inventory. Objects that are being deleted are not in it. */
export interface View {
  readonly store: Store;
  readonly project: string;
  readonly admin: boolean;
  seesRegion(region: Region): boolean;
  seesCell(cell: Cell): boolean;
  seesHost(host: Host): boolean;
  /** By metadata.name, as cells and hosts refer to it. */
  regionOf(object: Cell | Host): Region | undefined;
  cellOf(host: Host): Cell | undefined;
}

/** Opens the view. Cheap: nothing is copied, look-ups go to the cache. */
export function viewOf(store: Store, caller: Caller): View {
  const admin = hasRole(caller, 'admin');
  const project = projectOf(caller);
  const regionNamed = (name: string | undefined): Region | undefined => (name === undefined ? undefined : store.regions.get({name}));
  const owns = (region: Region): boolean => admin || normalProject(region.spec.projectId ?? '') === project;
  // A child whose region is not there (yet) belongs to nobody but admins.
  const ownsParent = (child: Cell | Host): boolean => {
    const region = regionNamed(child.spec.region);
    return region === undefined ? admin : owns(region);
  };
  return {
    store,
    project,
    admin,
    seesRegion: (region) => !isDeleting(region) && owns(region),
    seesCell: (cell) => !isDeleting(cell) && ownsParent(cell),
    seesHost: (host) => !isDeleting(host) && ownsParent(host),
    regionOf: (object) => regionNamed(object.spec.region),
    cellOf: (host) => (host.spec.cell === undefined ? undefined : store.cells.get({name: host.spec.cell})),
  };
}

/** Finds one object by what a path or a body names: an exact id first, then a uuid, then a name. Undefined: not there, or not visible. */
export function find<T extends Stored>(
  collection: Collection<T>,
  reference: Reference,
  visible: (object: T) => boolean,
  what: string,
): T | undefined {
  const text = String(reference);
  if (/^\d{1,15}$/.test(text)) {
    const object = collection.byId(Number(text));
    if (object !== undefined && visible(object)) return object;
  }
  if (UUID.test(text)) {
    const object = collection.byUuid(text.toLowerCase());
    if (object !== undefined && visible(object)) return object;
  }
  const named = collection.byName(text).filter(visible);
  if (named.length < 2) return named[0];
  throw new Failure('bad-request', `${what} ${JSON.stringify(text)} is not unique: there are ${named.length}, name one by id or UUID`);
}
