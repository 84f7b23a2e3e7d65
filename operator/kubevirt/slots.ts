/**
 * Where a drive is plugged in: our slot addresses (`ide:B:U`, `block:N`, `scsi:0:N`, as CloudSigma names them) as KubeVirt's bus, device
 * name and serial. q35 has no IDE: `ide` slots become SATA ports (six there, four used).
 */

/** The bus of a disk entry. */
export type Bus = 'sata' | 'virtio' | 'scsi';

/** A slot, taken apart. */
export interface SlotAddress {
  readonly bus: Bus;
  /** Name of disk and volume: a DNS label, since it becomes a container name. */
  readonly deviceName: string;
  /** Serial number by which a guest finds the disk again. */
  readonly serial: string;
}

const PATTERNS: readonly {readonly pattern: RegExp; readonly bus: Bus; readonly serial: string}[] = [
  {pattern: /^ide:([01]):([01])$/, bus: 'sata', serial: 'ide'},
  {pattern: /^block:(\d{1,2})$/, bus: 'virtio', serial: 'blk'},
  {pattern: /^scsi:0:(\d{1,2})$/, bus: 'scsi', serial: 'scsi'},
];

/** Device name of a slot: `ide-0-0`, `block-0`. */
export const deviceNameOf = (slot: string): string => slot.replaceAll(':', '-');

/** Takes a slot apart; `undefined` for something that is no slot (the schema refuses those, so it is a defect where it happens). */
export function parseSlot(slot: string): SlotAddress | undefined {
  for (const {pattern, bus, serial} of PATTERNS) {
    const match = pattern.exec(slot);
    if (match !== null) return {bus, deviceName: deviceNameOf(slot), serial: serial + match.slice(1).join('')};
  }
  return undefined;
}
