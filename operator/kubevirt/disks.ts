/** The disks of a server as KubeVirt's `devices.disks` and `volumes`. Both are atomic lists under server-side apply: always sent whole. */
import {parseSlot} from './slots.ts';
import type {Disk, Volume} from './types.ts';

/** A drive in its slot. */
export interface MachineDisk {
  readonly slot: string;
  /** Name of the PersistentVolumeClaim with the drive's bytes. */
  readonly claimName: string;
  readonly media: 'Disk' | 'Cdrom';
  /** Mounted by several servers at once (`claimType: Shared`). */
  readonly shared: boolean;
}

/** Name of the disk with the cloud-init seed. */
export const CLOUD_INIT_DISK = 'cloudinit';

/**
 * Boot numbers (1 = first) by slot: exactly the wanted list, because once one device has a number, unnumbered ones are never tried.
 * Slots without a drive are skipped. An absent or empty list numbers nothing: the guest's firmware tries the disks in their order.
 */
export function bootNumbers(order: readonly string[] | undefined, present: ReadonlySet<string>): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  for (const slot of order ?? []) if (present.has(slot) && !numbers.has(slot)) numbers.set(slot, numbers.size + 1);
  return numbers;
}

function buildDisk(disk: MachineDisk, bootOrder: number | undefined): Disk {
  const address = parseSlot(disk.slot);
  if (address === undefined) throw new RangeError(`no such slot: ${disk.slot}`);
  const {bus, deviceName, serial} = address;
  const boot = bootOrder === undefined ? {} : {bootOrder};
  // A CD-ROM cannot be virtio; whatever its slot, it sits on SATA.
  if (disk.media === 'Cdrom') return {name: deviceName, ...boot, cdrom: {bus: bus === 'virtio' ? 'sata' : bus, readonly: true}};
  const shared = disk.shared ? {shareable: true, cache: 'none'} : {};
  return {name: deviceName, ...boot, disk: {bus}, serial, ...shared};
}

/**
 * The disk and volume lists. `cloudInitSecret` adds the seed as the last disk, so that it never takes a device name that a guest
 * expects for a drive. Throws `RangeError` for a slot that does not exist.
 */
export function buildDisks(input: {
  readonly disks: readonly MachineDisk[];
  readonly bootOrder?: readonly string[];
  readonly cloudInitSecret?: string;
}): {
  readonly disks: Disk[];
  readonly volumes: Volume[];
} {
  const numbers = bootNumbers(input.bootOrder, new Set(input.disks.map(({slot}) => slot)));
  const disks = input.disks.map((disk) => buildDisk(disk, numbers.get(disk.slot)));
  // No `dataVolume` volumes: the claim's name is known before its DataVolume exists, and virt-controller waits for a populated claim anyway.
  const volumes: Volume[] = input.disks.map((disk, index) => ({
    name: disks[index]?.name ?? '',
    persistentVolumeClaim: {claimName: disk.claimName},
  }));
  if (input.cloudInitSecret !== undefined) {
    const secretRef = {name: input.cloudInitSecret};
    disks.push({name: CLOUD_INIT_DISK, disk: {bus: 'virtio'}});
    // By Secret only: inline seeds are limited to 2048 bytes and would show passwords in the VirtualMachine.
    volumes.push({name: CLOUD_INIT_DISK, cloudInitNoCloud: {secretRef, networkDataSecretRef: secretRef}});
  }
  return {disks, volumes};
}
