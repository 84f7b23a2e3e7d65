/**
 * `servers/U/set`: what a body changes of a server. Pure. Only the keys that are sent change anything, and a bare key unsets. The body is
 * laid over the server as it is shown and read by the rules of `servers/create`, so that one set of rules holds for both, and a client that
 * sends back everything it was shown changes nothing.
 */
import {isDeepStrictEqual} from 'node:util';
import {ROOT_SLOT, type Server} from '../../crds/index.ts';
import {rootDriveName} from '../../crds/rules/names.ts';
import {valueOf, type Properties} from './codec.ts';
import {compareSlots, isBadDeviceKey, parseDeviceKey} from './devices.ts';
import {Problems} from './errors.ts';
import type {NicFields} from './nic-input.ts';
import {readServerCreate, type DeviceFields, type ServerFields} from './server-input.ts';
import {nicSpec, type NetworkName} from './server-spec.ts';
import {serverToText, type ServerContext} from './server-text.ts';
import {automaticCores} from './units.ts';

type Spec = Server['spec'];
type Disk = NonNullable<Spec['disks']>[number];

/** What the uuids of a body turn out to be; `undefined`: there is no such thing. */
export interface References {
  readonly driveName: (uuid: string) => string | undefined;
  readonly network: (nic: NicFields) => NetworkName | undefined;
  /** Name of the Secret for a password of the console that the body brings. */
  readonly vncSecret: string;
}

/** A set that is in order. */
export interface ServerChange {
  /** The whole spec as it should be. */
  readonly spec: Spec;
  /** Keys whose change needs a stopped server. */
  readonly needsStop: readonly string[];
  /** Drives that are connected anew, or elsewhere; `key` is how the body spelled the device. */
  readonly connected: readonly {readonly slot: string; readonly key: string; readonly drive: string; readonly driveUuid: string}[];
  /** Drives that are let go, by name. */
  readonly disconnected: readonly string[];
  /** The console's password: a new one, or none any more; absent: as it was. */
  readonly password?: {readonly value: string | undefined};
}

/** The server as it is shown while it is stopped, with the values that a client would send to get it. */
function shownOf(server: Server, context: ServerContext): Map<string, string> {
  const stopped = {...server, status: {...server.status, phase: 'STOPPED' as const}};
  const shown = new Map<string, string>();
  for (const [key, value] of Object.entries(serverToText(stopped, context))) if (value !== undefined) shown.set(key, String(value));
  if (server.spec.cpu !== undefined && server.spec.cpu.cores === undefined) shown.set('smp', 'auto');
  return shown;
}

/** The key in its one spelling: `block:0:3` is `block:3`. */
function spelled(key: string): string {
  const device = parseDeviceKey(key);
  if (device === undefined) return key;
  return device.property === 'drive' ? device.slot : `${device.slot}:media`;
}

/** The address that a key shows while the server runs, in place of `auto`. */
function shownAddress({status}: Server, key: string): string | undefined {
  const index = key === 'vnc:ip' ? '0' : /^nic:(\d+):dhcp$/.exec(key)?.[1];
  return status?.nics?.find((nic) => String(nic.index) === index)?.address;
}

/** What is sent, without the keys that say what is the case already: those were shown, and come back unread. */
function withoutEchoes(shown: ReadonlyMap<string, string>, sent: Properties, server: Server): Map<string, string | undefined> {
  const isEcho = (name: string, value: string): boolean => value === shown.get(name) || value === shownAddress(server, name);
  return new Map([...sent].filter(([key, value]) => value === undefined || !isEcho(spelled(key), value.trim())));
}

function overlaid(shown: ReadonlyMap<string, string>, sent: Properties): Map<string, string | undefined> {
  const merged = new Map<string, string | undefined>(shown);
  for (const [key, value] of sent) {
    const name = spelled(key);
    if (value !== undefined && value.trim() !== '') {
      merged.set(name, value);
      continue;
    }
    merged.delete(name);
    // A device without a drive has no medium either, and of a card without a model there is nothing.
    if (parseDeviceKey(key)?.property === 'drive' && !sent.has(`${key}:media`)) merged.delete(`${name}:media`);
    const card = /^nic:\d+:(?=model$)/.exec(name)?.[0];
    if (card !== undefined) for (const other of [...merged.keys()]) if (other.startsWith(card)) merged.delete(other);
  }
  return merged;
}

const indexesOf = (sent: Properties): Set<number> =>
  new Set([...sent.keys()].flatMap((key) => /^nic:(\d+):/.exec(key)?.[1] ?? []).map(Number));

/** Disks after the change: touched devices as the body has them, the others as they were. */
function disksOf(server: Server, sent: Properties, devices: readonly DeviceFields[], references: References, problems: Problems) {
  const before = server.spec.disks ?? [];
  const touched = new Map<string, string>();
  for (const key of sent.keys()) {
    const device = parseDeviceKey(key);
    if (device !== undefined) touched.set(device.slot, touched.get(device.slot) ?? key.replace(/:media$/, ''));
  }
  const hasRoot = server.spec.image !== undefined && !before.some(({slot}) => slot === ROOT_SLOT);
  const disks: Disk[] = before.filter(({slot}) => !touched.has(slot));
  const connected: ServerChange['connected'][number][] = [];
  for (const [slot, key] of touched) {
    const device = devices.find((candidate) => candidate.slot === slot);
    const drive = device === undefined ? undefined : references.driveName(device.driveUuid);
    if (hasRoot && slot === ROOT_SLOT) {
      if (drive !== rootDriveName(server.metadata.name) || device?.media !== 'Disk')
        problems.add(key, 'the drive of the server’s image is here, and goes with the server');
    } else if (device !== undefined && drive === undefined) {
      problems.add(key, `Drive ${device.driveUuid} could not be found`);
    } else if (device !== undefined && drive !== undefined) {
      disks.push({slot, drive, media: device.media});
      if (before.find((disk) => disk.drive === drive)?.slot !== slot) connected.push({slot, key, drive, driveUuid: device.driveUuid});
    }
  }
  disks.sort((left, right) => compareSlots(left.slot, right.slot));
  const kept = new Set(disks.map(({drive}) => drive));
  return {
    disks,
    connected,
    disconnected: before.map(({drive}) => drive).filter((drive) => !kept.has(drive)),
    changed: [...touched].flatMap(([slot, key]) => {
      const at = (list: readonly Disk[]) => list.find((disk) => disk.slot === slot);
      const [was, is] = [at(before), at(disks)];
      return was?.drive === is?.drive && (was?.media ?? 'Disk') === (is?.media ?? 'Disk') ? [] : [key];
    }),
  };
}

function nicsOf(server: Server, sent: Properties, before: ServerFields, after: ServerFields, references: References, problems: Problems) {
  const current = server.spec.nics ?? [{index: 0, model: 'virtio' as const, addressing: 'Auto' as const}];
  const changed = [...indexesOf(sent)].filter((index) => {
    const of = (fields: ServerFields): NicFields | undefined => fields.nics.find((nic) => nic.index === index);
    return !isDeepStrictEqual(of(before), of(after));
  });
  const anew = after.nics
    .filter(({index}) => changed.includes(index))
    .flatMap((nic) => {
      const network = references.network(nic);
      if (network !== undefined) return [nicSpec(nic, network)];
      problems.add(`nic:${nic.index}:vlan`, `VLAN ${nic.vlanUuid} could not be found`);
      return [];
    });
  const nics = [...current.filter(({index}) => !changed.includes(index)), ...anew].toSorted((left, right) => left.index - right.index);
  return {nics: changed.length === 0 ? server.spec.nics : nics, changed: changed.map((index) => `nic:${index}`)};
}

function metadataOf(spec: Spec, sent: Properties): Spec['metadata'] {
  const keys = [...sent.keys()].filter((key) => key.startsWith('user:'));
  if (keys.length === 0) return spec.metadata;
  const items = new Map((spec.metadata ?? []).map(({key, value}) => [key, value]));
  for (const key of keys) {
    const value = valueOf(sent, key);
    if (value === undefined) items.delete(key.slice('user:'.length));
    else items.set(key.slice('user:'.length), value);
  }
  return [...items].map(([key, value]) => ({key, value}));
}

/** The console: open to whoever has its password, closed without one. */
function consoleOf({console: access}: Spec, sent: Properties, vncSecret: string): Spec['console'] {
  const name = sent.has('vnc:password')
    ? valueOf(sent, 'vnc:password') === undefined
      ? undefined
      : vncSecret
    : access?.vnc?.passwordSecret?.name;
  if (name === undefined) return undefined;
  const tls = sent.has('vnc:tls') ? valueOf(sent, 'vnc:tls')?.trim() === 'on' : access?.vnc?.tls === 'Enabled';
  return {vnc: {passwordSecret: {name}, tls: tls ? 'Enabled' : 'Disabled'}};
}

const coresOf = ({cpu}: ServerFields): number => cpu.cores ?? automaticCores(cpu.mhz);

/** Decides. Throws the 400 that names every problem of the keys that were sent. */
export function changeServer(server: Server, body: Properties, context: ServerContext, references: References): ServerChange {
  const {spec} = server;
  const shown = shownOf(server, context);
  const sent = withoutEchoes(shown, body, server);
  // What is shown may break a rule of this API already (a server made otherwise): that is no problem of the body's.
  const known = new Problems();
  const before = readServerCreate(shown, known);
  const problems = new Problems();
  const after = readServerCreate(overlaid(shown, sent), problems);
  problems.forget(known);
  for (const key of sent.keys()) if (isBadDeviceKey(key) && !problems.has(key)) problems.add(key, 'there is no such device');

  const resized = {
    cpu: before.cpu.mhz !== after.cpu.mhz,
    smp: coresOf(before) !== coresOf(after),
    mem: before.memoryMiB !== after.memoryMiB,
  };
  const sizeKeys = (['cpu', 'smp', 'mem'] as const).filter((key) => resized[key]);
  if (spec.flavor !== undefined) for (const key of sizeKeys) problems.add(key, `the server has the size of its flavor ${spec.flavor}`);
  const disks = disksOf(server, sent, after.devices, references, problems);
  const nics = nicsOf(server, sent, before, after, references, problems);
  const bootChanged = sent.has('boot') && !isDeepStrictEqual(before.bootOrder, after.bootOrder);
  problems.throwIfAny(body);

  const slots = new Set(disks.disks.map(({slot}) => slot).concat(spec.image === undefined ? [] : [ROOT_SLOT]));
  const bootOrder = (bootChanged ? (valueOf(sent, 'boot') === undefined ? [] : after.bootOrder) : (spec.bootOrder ?? [])).filter((slot) =>
    slots.has(slot),
  );
  const {description: _description, console: _console, ...rest} = spec;
  const metadata = metadataOf(spec, sent);
  const access = consoleOf(spec, sent, references.vncSecret);
  return {
    spec: {
      ...rest,
      name: after.name,
      lifecycle: after.persistent ? 'Persistent' : 'Ephemeral',
      ...(sizeKeys.includes('cpu') || sizeKeys.includes('smp')
        ? {cpu: {mhz: after.cpu.mhz, ...(after.cpu.cores === undefined ? {} : {cores: after.cpu.cores})}}
        : {}),
      ...(resized.mem ? {memoryMiB: after.memoryMiB} : {}),
      ...(disks.changed.length === 0 ? {} : {disks: disks.disks}),
      ...(bootOrder.length === 0 && spec.bootOrder === undefined ? {} : {bootOrder}),
      ...(nics.nics === undefined ? {} : {nics: nics.nics}),
      ...(sent.has('use') ? {use: [...after.use]} : {}),
      ...(after.description === undefined ? {} : {description: after.description}),
      ...(metadata === undefined ? {} : {metadata}),
      ...(access === undefined ? {} : {console: access}),
    },
    needsStop: [...sizeKeys, ...disks.changed, ...(bootChanged ? ['boot'] : []), ...nics.changed],
    connected: disks.connected,
    disconnected: disks.disconnected,
    ...(sent.has('vnc:password') ? {password: {value: valueOf(sent, 'vnc:password')}} : {}),
  };
}
