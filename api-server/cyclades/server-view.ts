/** A server on the compute API's wire. Pure: everything it depends on is handed in. */
import type {Flavor, Image, KeyPair, Network, Server} from '../../crds/index.ts';
import {idOf, uuidOf} from '../../crds/rules/ids.ts';
import {createdMs, updatedMs} from '../store/times.ts';
import {apiDate} from './dates.ts';
import {progressOf, type ServerState} from './status.ts';
import {isDeleting} from '../../kube/objects.ts';

/** Where links point. */
export interface LinkBase {
  /** The mount of the request: `http://host/compute/v2.0`. */
  readonly baseUrl: string;
  /** `http://host`. */
  readonly origin: string;
}

/** What a server's view is made of. */
export interface ServerSources extends LinkBase {
  readonly server: Server;
  readonly state: ServerState;
  /** uuid of the owning account. */
  readonly owner: string;
  readonly flavor: Flavor | undefined;
  readonly image: Image | undefined;
  readonly keyPairs: readonly (KeyPair | undefined)[];
  /** Network of a NIC, by its index. */
  readonly networkOf: (index: number) => Network | undefined;
}

/** A link. */
export interface Link {
  readonly href: string;
  readonly rel: 'self' | 'bookmark' | 'alternate';
}

/** The two links that everything has. */
export function links(url: string): readonly Link[] {
  return [
    {href: url, rel: 'self'},
    {href: url, rel: 'bookmark'},
  ];
}

/** id, name, links: a member of a brief list. */
export function briefServer(server: Server, baseUrl: string) {
  const id = String(idOf(server));
  return {id, name: server.spec.name, links: links(`${baseUrl}/servers/${id}`)};
}

/** One address of a connection. */
export interface ApiAddress {
  readonly version: 4 | 6;
  readonly addr: string;
  readonly 'OS-EXT-IPS:type': 'fixed' | 'floating';
}

type StatusNic = NonNullable<NonNullable<Server['status']>['nics']>[number];

/** Port ids: integers that stay with the NIC. Servers have at most 16 NICs. */
const NICS_PER_SERVER = 16;

/** `addresses` and `attachments` of the NICs that are connected. */
export function connections({server, networkOf}: Pick<ServerSources, 'server' | 'networkOf'>) {
  const addresses: Record<string, ApiAddress[]> = {};
  const nics = (server.status?.nics ?? []).filter(({macAddress}) => macAddress !== undefined && macAddress !== '');
  const attachments = nics.map((nic) => {
    const network = networkOf(nic.index);
    const networkId = network === undefined ? nameOfNetwork(nic) : String(idOf(network) ?? uuidOf(network));
    const type = addressType(nic, network);
    const list = (addresses[networkId] ??= []);
    const address = nic.address === undefined || nic.address === '' ? undefined : nic.address;
    const version = address?.includes(':') === true ? 6 : 4;
    if (address !== undefined) list.push({version, addr: address, 'OS-EXT-IPS:type': type});
    return {
      id: (idOf(server) ?? 0) * NICS_PER_SERVER + nic.index,
      network_id: networkId,
      mac_address: nic.macAddress,
      ipv4: version === 4 ? (address ?? '') : '',
      ipv6: version === 6 ? (address ?? '') : '',
      ...(address === undefined ? {} : {'OS-EXT-IPS:type': type}),
    };
  });
  return {addresses, attachments};
}

function nameOfNetwork(nic: StatusNic): string {
  return String(nic.network ?? '');
}

function addressType(nic: StatusNic, network: Network | undefined): 'fixed' | 'floating' {
  const told = String(nic.addressType ?? '').toLowerCase();
  if (told === 'fixed' || told === 'floating') return told;
  return network?.spec.type === 'Public' ? 'floating' : 'fixed';
}

/** Metadata as an object, in the order of the list. */
export function metadataOf(server: Pick<Server, 'spec'>): Record<string, string> {
  return Object.fromEntries((server.spec.metadata ?? []).map(({key, value}) => [key, value]));
}

/** All documented members, and the later ones. */
export function fullServer(sources: ServerSources) {
  const {server, state, owner, baseUrl, keyPairs} = sources;
  const id = String(idOf(server));
  const names = keyPairs.map((pair, at) => pair?.spec.name ?? server.spec.keyPairs?.[at] ?? '').filter((name) => name !== '');
  return {
    id,
    name: server.spec.name,
    status: state.status,
    'SNF:task_state': state.task,
    progress: progressOf(server, state),
    created: apiDate(createdMs(server)),
    updated: apiDate(updatedMs(server)),
    user_id: owner,
    tenant_id: owner,
    hostId: '',
    accessIPv4: '',
    accessIPv6: '',
    config_drive: '',
    suspended: false,
    deleted: state.status === 'DELETED' || isDeleting(server),
    key_name: names[0] ?? null,
    'SNF:key_names': names,
    security_groups: [{name: 'default'}],
    image: imageOf(sources),
    flavor: flavorOf(sources),
    metadata: metadataOf(server),
    ...connections(sources),
    volumes: [],
    tags: [],
    shared_to_project: false,
    'SNF:rescue': false,
    'SNF:fqdn': `snf-${id}.vm.basalt.internal`,
    'SNF:port_forwarding': {},
    diagnostics: diagnosticsOf(server),
    links: links(`${baseUrl}/servers/${id}`),
  };
}

/** A server that boots from a drive has no image: OpenStack's own way to say so is an empty string. */
function imageOf({image, baseUrl, origin}: ServerSources) {
  if (image === undefined) return '';
  const id = uuidOf(image);
  return {id, links: [...links(`${baseUrl}/images/${id}`), {href: `${origin}/image/v1.0/images/${id}`, rel: 'alternate'}]};
}

/** A server made with free sizes has no flavor; 0 is no flavor's id, and every client finds the member it expects. */
function flavorOf({flavor, baseUrl}: ServerSources) {
  const id = flavor === undefined ? 0 : (idOf(flavor) ?? 0);
  return {id, links: id === 0 ? [] : links(`${baseUrl}/flavors/${id}`)};
}

/** Why a server is in ERROR, in the shape of a diagnostic. */
function diagnosticsOf(server: Server) {
  const fault = server.status?.fault;
  if (fault === undefined) return [];
  const created = apiDate(Date.parse(fault.time ?? '') || createdMs(server));
  return [{level: 'ERROR', created, source: fault.reason ?? 'server', source_date: created, message: fault.message ?? '', details: null}];
}
