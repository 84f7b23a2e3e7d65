/**
 * From the body of `servers/create` to what a Server needs. Pure: drives and VLANs stay uuids here; who resolves them (servers-create.ts)
 * adds its problems to the same list, so that one answer names everything that is wrong.
 */
import {MAX_MEMORY_MIB, MAX_VCPUS} from '../../crds/index.ts';
import {isUuid} from '../../crds/rules/names.ts';
import {hasForbiddenCharacter, valueOf, wordsOf, type Properties} from './codec.ts';
import {compareSlots, isBadDeviceKey, parseDevice, parseDeviceKey} from './devices.ts';
import type {Problems} from './errors.ts';
import {readNics, type NicFields} from './nic-input.ts';
import {parseCpu, parseInteger, parseMemoryMiB, smpProblem} from './units.ts';

/** A drive on a device. `key` is how the body spelled the device, for error messages. */
export interface DeviceFields {
  readonly slot: string;
  readonly key: string;
  readonly driveUuid: string;
  readonly media: 'Disk' | 'Cdrom';
}

/** What the body says. */
export interface ServerFields {
  readonly name: string;
  /** Total MHz; `cores` absent = `smp auto`. */
  readonly cpu: {readonly mhz: number; readonly cores: number | undefined};
  readonly memoryMiB: number;
  readonly persistent: boolean;
  readonly devices: readonly DeviceFields[];
  readonly bootOrder: readonly string[];
  readonly nics: readonly NicFields[];
  readonly vnc: {readonly password: string; readonly tls: boolean} | undefined;
  readonly use: readonly string[];
  readonly description: string | undefined;
  /** From `user:<key>`. */
  readonly metadata: readonly {readonly key: string; readonly value: string}[];
}

/** Bounds of a server's size, as the Server kind has them. */
const MIN_MEMORY_MIB = 16;
const MIN_MHZ = 100;
const MAX_MHZ = 5_000_000;

const REQUIRED = 'This field is required.';

function readCpu(body: Properties, problems: Problems): ServerFields['cpu'] {
  const text = valueOf(body, 'cpu');
  const cpu = text === undefined ? undefined : parseCpu(text);
  if (text === undefined) problems.add('cpu', REQUIRED);
  else if (cpu === undefined) problems.add('cpu', `${text} is not a number of core MHz`);
  else if (cpu.mhz < MIN_MHZ || cpu.mhz > MAX_MHZ) problems.add('cpu', `must be from ${MIN_MHZ} to ${MAX_MHZ} core MHz`);
  const mhz = cpu?.mhz ?? 0;
  const smp = valueOf(body, 'smp')?.trim() ?? 'auto';
  if (smp === 'auto') return {mhz, cores: cpu?.counted};
  const cores = parseInteger(smp);
  if (cores === undefined || cores === 0 || cores > MAX_VCPUS) {
    problems.add('smp', `must be a number of processors up to ${MAX_VCPUS}, or auto`);
    return {mhz, cores: undefined};
  }
  // A count of cores in `cpu` says nothing about their speed, so only MHz can contradict `smp`.
  const problem = cpu === undefined || cpu.counted !== undefined ? undefined : smpProblem(cores, mhz);
  if (problem !== undefined) problems.add('smp', problem);
  return {mhz, cores};
}

function readMemory(body: Properties, problems: Problems): number {
  const text = valueOf(body, 'mem');
  const memoryMiB = text === undefined ? undefined : parseMemoryMiB(text);
  if (text === undefined) problems.add('mem', REQUIRED);
  else if (memoryMiB === undefined) problems.add('mem', `${text} is not a number of MB`);
  else if (memoryMiB < MIN_MEMORY_MIB || memoryMiB > MAX_MEMORY_MIB)
    problems.add('mem', `must be from ${MIN_MEMORY_MIB} to ${MAX_MEMORY_MIB} MB`);
  return memoryMiB ?? 0;
}

function readBoolean(
  body: Properties,
  key: string,
  words: readonly [no: string, yes: string],
  fallback: boolean,
  problems: Problems,
): boolean {
  const text = valueOf(body, key)?.trim();
  if (text === undefined) return fallback;
  if (!words.includes(text)) problems.add(key, `must be ${words[1]} or ${words[0]}`);
  return text === words[1];
}

function readDevices(body: Properties, problems: Problems): DeviceFields[] {
  const drives = new Map<string, {key: string; uuid: string}>();
  const media = new Map<string, {key: string; value: string}>();
  for (const key of body.keys()) {
    const device = parseDeviceKey(key);
    const value = valueOf(body, key)?.trim();
    if (device === undefined) {
      if (isBadDeviceKey(key)) problems.add(key, 'there is no such device');
    } else if (value === undefined) {
      continue;
    } else if (device.property === 'media') {
      media.set(device.slot, {key, value});
    } else if (!isUuid(value.toLowerCase())) {
      problems.add(key, `${value} is not the uuid of a drive`);
    } else {
      drives.set(device.slot, {key, uuid: value.toLowerCase()});
    }
  }
  for (const [slot, {key, value}] of media) {
    if (value !== 'disk' && value !== 'cdrom') problems.add(key, 'must be disk or cdrom');
    else if (!drives.has(slot)) problems.add(key, `there is no drive at ${slot}`);
    // KubeVirt has no virtio CD-ROM.
    else if (value === 'cdrom' && slot.startsWith('block:')) problems.add(key, 'a cdrom goes into an ide or scsi device');
  }
  const seen = new Map<string, string>();
  for (const [slot, {key, uuid}] of drives) {
    const other = seen.get(uuid);
    if (other === undefined) seen.set(uuid, slot);
    else problems.add(key, `drive ${uuid} is already connected as ${other}`);
  }
  return [...drives]
    .map(([slot, {key, uuid}]) => ({
      slot,
      key,
      driveUuid: uuid,
      media: media.get(slot)?.value === 'cdrom' ? ('Cdrom' as const) : ('Disk' as const),
    }))
    .toSorted((left, right) => compareSlots(left.slot, right.slot));
}

function readBoot(body: Properties, problems: Problems): string[] {
  const slots: string[] = [];
  for (const word of wordsOf(body, 'boot')) {
    const slot = parseDevice(word);
    if (slot === undefined) problems.add('boot', `${word} is not a device`);
    else if (!slots.includes(slot)) slots.push(slot);
  }
  return slots;
}

function readVnc(body: Properties, problems: Problems): ServerFields['vnc'] {
  const password = valueOf(body, 'vnc:password');
  const tls = readBoolean(body, 'vnc:tls', ['off', 'on'], false, problems);
  const address = valueOf(body, 'vnc:ip')?.trim();
  if (address !== undefined && address !== 'auto') problems.add('vnc:ip', `${address} is not a static address of this account; use auto`);
  if (password === undefined) return undefined;
  // The VNC protocol cuts a longer one silently, which would make the rest of it a false promise.
  if (password.length > 8) problems.add('vnc:password', 'must not be longer than 8 characters');
  return {password, tls};
}

function readMetadata(body: Properties, problems: Problems): {key: string; value: string}[] {
  const items: {key: string; value: string}[] = [];
  for (const key of body.keys()) {
    const value = valueOf(body, key);
    if (!key.startsWith('user:') || value === undefined) continue;
    const name = key.slice('user:'.length);
    if (name === '' || name.length > 50) problems.add(key, 'the name must have 1 to 50 characters');
    else if (value.length > 500) problems.add(key, 'must not be longer than 500 characters');
    else items.push({key: name, value});
  }
  return items;
}

/** Reads the body; problems go to `problems`, and the caller throws them together with its own. Unknown keys are dropped. */
export function readServerCreate(body: Properties, problems: Problems): ServerFields {
  const name = valueOf(body, 'name');
  if (name === undefined) problems.add('name', REQUIRED);
  else if (name.length > 255) problems.add('name', 'must not be longer than 255 characters');
  else if (hasForbiddenCharacter(name)) problems.add('name', 'must not have control characters');
  return {
    name: name ?? '',
    cpu: readCpu(body, problems),
    memoryMiB: readMemory(body, problems),
    persistent: readBoolean(body, 'persistent', ['false', 'true'], true, problems),
    devices: readDevices(body, problems),
    bootOrder: readBoot(body, problems),
    nics: readNics(body, problems),
    vnc: readVnc(body, problems),
    use: [...new Set(wordsOf(body, 'use'))],
    description: valueOf(body, 'description'),
    metadata: readMetadata(body, problems),
  };
}

/** Whether the server is started at create: a drive hangs on a device named by `boot`, or, without `boot`, on any device. */
export function isBootable(fields: Pick<ServerFields, 'devices' | 'bootOrder'>): boolean {
  if (fields.bootOrder.length === 0) return fields.devices.length > 0;
  return fields.devices.some((device) => fields.bootOrder.includes(device.slot));
}
