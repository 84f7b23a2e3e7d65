/** Everything that one run of the server controller looks at: read from the caches in one place, so that all phases see the same. */
import type {Drive, Flavor, Image, KeyPair, Network, Server, ServerGroup, ServerOperation} from '../../../crds/index.ts';
import {PUBLIC_NETWORK} from '../../../crds/index.ts';
import {uuidOf} from '../../../crds/rules/ids.ts';
import {rootDriveName} from '../../../crds/rules/names.ts';
import {ROOT_SLOT} from '../../../crds/slots.ts';
import {keyOf, refOfObject} from '../../../kube/objects.ts';
import type {VirtualMachine, VirtualMachineInstance} from '../../kubevirt/types.ts';
import type {Deps} from '../../runtime/types.ts';
import {viewGuest} from './guest.ts';
import type {GuestView} from './guest.ts';

/** A NIC as the spec wants it, with defaults filled in. */
export interface WantedNic {
  readonly index: number;
  /** `namespace/name`. */
  readonly network: string;
  readonly model: 'virtio' | 'e1000' | 'rtl8139';
  readonly macAddress: string | undefined;
  readonly addressing: 'Auto' | 'Static' | 'Manual';
  readonly address: string | undefined;
}

/** A drive as the spec wants it. `root`: made for the server and going with it. */
export interface WantedDisk {
  readonly slot: string;
  readonly drive: string;
  readonly media: 'Disk' | 'Cdrom';
  readonly root: boolean;
}

/** What a run looks at. An absent object is one that the cache does not have. */
export interface Scope {
  readonly server: Server;
  readonly key: string;
  readonly namespace: string;
  readonly uuid: string;
  /** Name of the account whose namespace this is; absent in the system namespace. */
  readonly account: string | undefined;
  readonly flavor: Flavor | undefined;
  readonly image: Image | undefined;
  readonly disks: readonly WantedDisk[];
  readonly nics: readonly WantedNic[];
  readonly machine: VirtualMachine | undefined;
  readonly instance: VirtualMachineInstance | undefined;
  readonly guest: GuestView;
  readonly operations: readonly ServerOperation[];
  driveOf(name: string): Drive | undefined;
  networkOf(key: string): Network | undefined;
  keyPairOf(name: string): KeyPair | undefined;
  /** Groups that the server names, or that name it. */
  readonly groups: readonly ServerGroup[];
}

/** The NICs of a spec: none given means one on the public network. */
export function wantedNics(server: Server, systemNamespace: string): readonly WantedNic[] {
  const home = server.metadata.namespace ?? '';
  return (server.spec.nics ?? [{index: 0}]).map((nic) => ({
    index: nic.index,
    network: nic.network === undefined ? `${systemNamespace}/${PUBLIC_NETWORK}` : `${nic.network.namespace ?? home}/${nic.network.name}`,
    model: nic.model ?? 'virtio',
    macAddress: nic.macAddress,
    addressing: nic.addressing ?? 'Auto',
    address: nic.address,
  }));
}

/** The drives of a spec in slot order. With an image, and nothing else in its slot, the root drive comes first. */
export function wantedDisks(server: Server): readonly WantedDisk[] {
  const listed = (server.spec.disks ?? []).map((disk) => ({
    slot: disk.slot,
    drive: disk.drive,
    media: disk.media ?? ('Disk' as const),
    root: false,
  }));
  const rootWanted = server.spec.image !== undefined && !listed.some(({slot}) => slot === ROOT_SLOT);
  const root = rootWanted ? [{slot: ROOT_SLOT, drive: rootDriveName(server.metadata.name), media: 'Disk' as const, root: true}] : [];
  return [...root, ...listed.toSorted((left, right) => left.slot.localeCompare(right.slot, 'en', {numeric: true}))];
}

/** The guest of the server `key`, with its launcher pods and its node from the caches. */
export function guestOf(
  {pods, nodes}: Pick<Deps['informers'], 'pods' | 'nodes'>,
  key: string,
  machine: VirtualMachine | undefined,
  instance: VirtualMachineInstance | undefined,
): GuestView {
  return viewGuest(machine, instance, pods.byIndex('server', key), nodes.get(instance?.status?.nodeName ?? ''));
}

/** Reads the caches. */
export function gather(deps: Pick<Deps, 'informers' | 'systemNamespace'>, server: Server): Scope {
  const {informers, systemNamespace} = deps;
  const namespace = server.metadata.namespace ?? '';
  const key = keyOf(refOfObject(server));
  const inHome = (name: string): string => keyOf({namespace, name});
  const {image, flavor, serverGroups = []} = server.spec;
  const machine = informers.virtualMachines.get(key);
  const instance = informers.virtualMachineInstances.get(key);
  const groups = informers.serverGroups
    .list(namespace)
    .filter((group) => serverGroups.includes(group.metadata.name) || (group.spec.members ?? []).includes(server.metadata.name));
  return {
    server,
    key,
    namespace,
    uuid: uuidOf(server),
    account: informers.accounts.list().find((candidate) => candidate.status?.namespace === namespace)?.metadata.name,
    flavor: flavor === undefined ? undefined : informers.flavors.get(flavor),
    image: image === undefined ? undefined : informers.images.get(keyOf({namespace: image.namespace ?? namespace, name: image.name})),
    disks: wantedDisks(server),
    nics: wantedNics(server, systemNamespace),
    machine,
    instance,
    guest: guestOf(informers, key, machine, instance),
    operations: informers.serverOperations.byIndex('server', key),
    driveOf: (name) => informers.drives.get(inHome(name)),
    networkOf: (network) => informers.networks.get(network),
    keyPairOf: (name) => informers.keyPairs.get(inHome(name)),
    groups,
  };
}
