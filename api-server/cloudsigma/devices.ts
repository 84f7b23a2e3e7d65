/** Names of disk devices: `ide:BUS:UNIT`, `block:INDEX`, `scsi:0:UNIT`. Pure. */

/** What a key of a server's body means, when it is about a disk device. */
export interface DeviceKey {
  /** The device in its one spelling, which is also the slot of the Server: `ide:0:0`, `block:3`, `scsi:0:1`. */
  readonly slot: string;
  readonly property: 'drive' | 'media';
}

const DEVICE = /^(?:(ide:[01]:[01])|block:(?:0:)?([0-7])|(scsi:0:[0-7]))(:media)?$/;

/** Reads a key such as `ide:0:0`, `block:1:media`; `block:0:N` is jclouds' spelling of `block:N`. Undefined: not a device. */
export function parseDeviceKey(key: string): DeviceKey | undefined {
  const match = DEVICE.exec(key);
  if (match === null) return undefined;
  const slot = match[1] ?? match[3] ?? `block:${match[2]}`;
  return {slot, property: match[4] === undefined ? 'drive' : 'media'};
}

/** Reads one device of `boot`; undefined when it names none. */
export function parseDevice(name: string): string | undefined {
  const key = parseDeviceKey(name);
  return key?.property === 'drive' ? key.slot : undefined;
}

/** Whether a key looks like a device but names one that does not exist (`ide:2:0`, `block:9`). */
export function isBadDeviceKey(key: string): boolean {
  return /^(?:ide|block|scsi)(?::\d+)+(?::media)?$/.test(key) && parseDeviceKey(key) === undefined;
}

const CONTROLLERS = ['ide', 'block', 'scsi'];

/** Order of devices in answers and of the default boot device: ide, block, scsi, then by number. */
export function compareSlots(left: string, right: string): number {
  const rank = (slot: string): number => CONTROLLERS.indexOf(slot.slice(0, slot.indexOf(':')));
  return rank(left) - rank(right) || left.localeCompare(right, 'en', {numeric: true});
}
