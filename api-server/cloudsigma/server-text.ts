/** Servers as the API shows them. Pure. */
import {ROOT_SLOT, type Server} from '../../crds/index.ts';
import {rootDriveName} from '../../crds/rules/names.ts';
import {uuidOf} from '../../crds/rules/ids.ts';
import type {TextObject} from './codec.ts';
import {compareSlots} from './devices.ts';
import {automaticCores, MHZ_PER_COUNTED_CORE} from './units.ts';

/** What a server's text needs beyond the server. */
export interface ServerContext {
  /** uuid of the account. */
  readonly user: string;
  /** uuid of a drive of the server's namespace; undefined when there is none of that name. */
  readonly driveUuid: (name: string) => string | undefined;
  /** uuid of a VLAN; undefined for the public network. */
  readonly vlanUuid: (network: {readonly namespace?: string | undefined; readonly name: string} | undefined) => string | undefined;
  /** Size of the server's flavor, for servers that were made with one and not yet seen by the operator. */
  readonly flavor: {readonly vcpus: number; readonly memoryMiB: number; readonly cpuMHz?: number | undefined} | undefined;
}

type Phase = NonNullable<NonNullable<Server['status']>['phase']>;

/** A state that no client knows is shown as such rather than as one that it is not. */
const STATUS = {
  BUILD: 'stopped',
  ACTIVE: 'active',
  STOPPED: 'stopped',
  REBOOT: 'active',
  RESIZE: 'stopped',
  PAUSED: 'paused',
  ERROR: 'dead',
  DELETING: 'stopped',
  UNKNOWN: 'unknown',
} as const satisfies Record<Phase, string>;

/** `active`, `stopped`, `paused`, `dead` (it failed) or `unknown` (its host does not answer). Not observed yet: `stopped`. */
export function serverStatus(server: Pick<Server, 'status'>): (typeof STATUS)[Phase] {
  return STATUS[server.status?.phase ?? 'BUILD'];
}

function sizeText({spec, status}: Server, {flavor}: ServerContext): TextObject {
  const resolved = status?.resources;
  const cores = spec.cpu?.cores ?? resolved?.cores ?? flavor?.vcpus;
  const perCore = flavor?.cpuMHz ?? MHZ_PER_COUNTED_CORE;
  const mhz = spec.cpu?.mhz || resolved?.cpuMHz || (cores ?? 1) * perCore;
  return {cpu: mhz, smp: cores ?? automaticCores(mhz), mem: spec.memoryMiB ?? resolved?.memoryMiB ?? flavor?.memoryMiB ?? 0};
}

function diskText(server: Server, context: ServerContext): TextObject {
  const {spec, metadata} = server;
  const disks = (spec.disks ?? []).map(({slot, drive, media}) => ({slot, uuid: context.driveUuid(drive) ?? drive, media}));
  if (spec.image !== undefined && !disks.some((disk) => disk.slot === ROOT_SLOT)) {
    const uuid = context.driveUuid(rootDriveName(metadata.name));
    if (uuid !== undefined) disks.push({slot: ROOT_SLOT, uuid, media: 'Disk'});
  }
  disks.sort((left, right) => compareSlots(left.slot, right.slot));
  const text: Record<string, string> = {};
  for (const {slot, uuid, media} of disks) {
    text[slot] = uuid;
    text[`${slot}:media`] = media === 'Cdrom' ? 'cdrom' : 'disk';
  }
  const boot = spec.bootOrder !== undefined && spec.bootOrder.length > 0 ? spec.bootOrder.join(' ') : (disks[0]?.slot ?? 'ide:0:0');
  return {...text, boot};
}

function nicText(server: Server, context: ServerContext, running: boolean): {text: TextObject; firstAddress: string | undefined} {
  const text: Record<string, string | undefined> = {};
  // No list at all means one card on the public network; an empty list means none.
  const nics = server.spec.nics ?? [{index: 0, model: 'virtio' as const, addressing: 'Auto' as const}];
  let firstAddress: string | undefined;
  for (const nic of nics) {
    const seen = server.status?.nics?.find((candidate) => candidate.index === nic.index);
    const address = running ? seen?.address : undefined;
    if (nic.index === 0) firstAddress = address;
    const vlan = context.vlanUuid('network' in nic ? nic.network : undefined);
    const key = `nic:${nic.index}`;
    text[`${key}:model`] = nic.model ?? 'virtio';
    if (vlan === undefined) {
      const fixed = 'address' in nic ? nic.address : undefined;
      text[`${key}:dhcp`] = nic.addressing === 'Manual' ? undefined : (address ?? fixed ?? 'auto');
    } else {
      text[`${key}:vlan`] = vlan;
      text[`${key}:mac`] = seen?.macAddress ?? ('macAddress' in nic ? nic.macAddress : undefined);
    }
  }
  return {text, firstAddress};
}

/** All keys of a server. `vncPassword` is for its owner's eyes; absent: the console is closed. */
export function serverToText(server: Server, context: ServerContext, vncPassword?: string): TextObject {
  const {spec, status} = server;
  const running = serverStatus(server) === 'active';
  const nics = nicText(server, context, running);
  const metadata = Object.fromEntries((spec.metadata ?? []).map(({key, value}) => [`user:${key.replaceAll(/\s/g, '_')}`, value]));
  return {
    server: uuidOf(server),
    name: spec.name,
    user: context.user,
    status: serverStatus(server),
    ...sizeText(server, context),
    persistent: spec.lifecycle !== 'Ephemeral',
    started: running && status?.startedAt !== undefined ? Math.floor(Date.parse(status.startedAt) / 1000) : undefined,
    ...diskText(server, context),
    ...nics.text,
    'vnc:ip': nics.firstAddress ?? 'auto',
    'vnc:password': vncPassword,
    'vnc:tls': spec.console?.vnc?.tls === 'Enabled' ? 'on' : undefined,
    use: spec.use === undefined || spec.use.length === 0 ? undefined : spec.use.join(' '),
    description: spec.description === '' ? undefined : spec.description,
    ...metadata,
  };
}
