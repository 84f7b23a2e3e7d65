/** A guest's machine, worked out from its VMI and from where its bytes are: everything that the command line is made of. Pure. */
import type {Vmi} from '../types.ts';
import {macOf} from '../network.ts';
import {unsupportedOf, wantedMachine} from './domain.ts';
import type {Domain} from './domain.ts';
import {withPorts} from './ports.ts';

/** Buses that disks sit on. */
export type DiskBus = 'virtio' | 'scsi' | 'sata';

/** A disk or CD-ROM with its bytes. */
export interface PlannedDisk {
  /** Name in the VMI. */
  readonly name: string;
  readonly kind: 'disk' | 'cdrom';
  readonly bus: DiskBus;
  /** Absent: an empty CD-ROM. */
  readonly file: string | undefined;
  readonly format: 'raw' | 'qcow2';
  readonly readOnly: boolean;
  /** 1 is tried first. */
  readonly bootOrder: number | undefined;
  readonly serial: string | undefined;
  /** Several guests have it at once: qemu must not lock it. */
  readonly shareable: boolean;
  /** Its place (ports.ts): a port for virtio, a unit for SCSI; absent: qemu's choice. */
  readonly port?: number;
}

/** A NIC. */
export interface PlannedNic {
  readonly name: string;
  readonly index: number;
  readonly model: 'virtio' | 'e1000' | 'rtl8139';
  /** Lower case. */
  readonly mac: string;
  /** `namespace/name` of the NetworkAttachmentDefinition; absent: the pod network. */
  readonly attachment: string | undefined;
  readonly bootOrder: number | undefined;
  /** Whether its cable is plugged in. */
  readonly linkUp: boolean;
  /** As for disks; virtio only. */
  readonly port?: number;
}

/** The machine. */
export interface MachinePlan {
  readonly name: string;
  /** Firmware uuid, which cloud-init and licences hang on. */
  readonly uuid: string;
  readonly serial: string | undefined;
  readonly memoryMiB: number;
  readonly vcpus: number;
  /** `pc` where disks sit on IDE: the small guest's kernel has no AHCI, and every old one has IDE. */
  readonly machine: 'q35' | 'pc';
  readonly graphics: boolean;
  /** Ports for virtio devices, free ones among them. */
  readonly ports: number;
  readonly disks: readonly PlannedDisk[];
  readonly nics: readonly PlannedNic[];
  /** What the VMI asks for beyond it, a sentence each; it is remembered with the machine. Default: nothing. */
  readonly unsupported?: readonly string[];
}

/** A plan, and what the VMI asks for that it cannot honour: a sentence each, for an event and a condition. */
export interface Planned {
  readonly plan: MachinePlan;
  readonly unsupported: readonly string[];
}

/** Where the bytes of a volume are; `unsupported` when there is no such place. */
export interface VolumeFile {
  readonly file: string | undefined;
  readonly format: 'raw' | 'qcow2';
  readonly readOnly: boolean;
}

interface DiskTarget {
  readonly bus?: string;
  readonly readonly?: boolean;
}

/** A disk of a VMI's spec, as far as a driver looks at it. */
export interface DiskSpec {
  readonly name: string;
  readonly disk?: DiskTarget;
  readonly cdrom?: DiskTarget;
  readonly lun?: DiskTarget;
  readonly bootOrder?: number;
  readonly serial?: string;
  readonly shareable?: boolean;
  readonly cache?: string;
  readonly io?: string;
  readonly blockSize?: object;
  readonly dedicatedIOThread?: boolean;
}

/** MiB of a Kubernetes quantity; undefined when it is none. */
export function mebibytesOf(quantity: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|k|M|G|T)?$/.exec(quantity ?? '');
  if (match === null) return undefined;
  const units: Record<string, number> = {Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, k: 1e3, M: 1e6, G: 1e9, T: 1e12};
  return Math.floor((Number(match[1]) * (match[2] === undefined ? 1 : (units[match[2]] ?? 1))) / 2 ** 20);
}

const DEFAULT_MEMORY_MIB = 128;
/** Disks and CD-ROMs that the two IDE buses of a `pc` take. */
const IDE_PLACES = 4;

/** Works it out. `files` has what volumes.ts found for each volume that has bytes. */
export function planMachine(vmi: Vmi, files: ReadonlyMap<string, VolumeFile | {readonly unsupported: string}>): Planned {
  const domain = vmi.spec.domain as Domain;
  const unsupported = unsupportedOf(domain);
  const disks: PlannedDisk[] = [];
  for (const spec of (vmi.spec.domain.devices?.disks ?? []) as readonly DiskSpec[]) {
    const source = files.get(spec.name);
    if (source === undefined && spec.cdrom === undefined) unsupported.push(`disk ${spec.name}: no volume has this name`);
    else if (source !== undefined && 'unsupported' in source) unsupported.push(`disk ${spec.name}: ${source.unsupported}`);
    else if (isIde(spec) && disks.filter(({bus}) => bus === 'sata').length >= IDE_PLACES)
      unsupported.push(`disk ${spec.name}: sata has ${IDE_PLACES} places, and all are taken`);
    else disks.push(plannedDisk(spec, source, unsupported));
  }
  const machine = disks.some(({bus}) => bus === 'sata') ? 'pc' : 'q35';
  if (machine === 'pc' && wantedMachine(domain) === 'q35')
    unsupported.push('machine: disks on sata are IDE ones, on a pc (i440fx) machine in place of a q35 one');
  if (machine === 'q35' && wantedMachine(domain) === 'pc')
    unsupported.push('machine: only a guest with disks on sata has a pc machine, this is a q35 one');
  const {sockets = 1, cores = 1, threads = 1} = domain.cpu ?? {};
  const plan = withPorts({
    name: vmi.metadata.name,
    uuid: domain.firmware?.uuid ?? vmi.metadata.uid ?? '',
    serial: domain.firmware?.serial,
    memoryMiB: mebibytesOf(domain.memory?.guest) ?? mebibytesOf(domain.resources?.requests?.memory) ?? DEFAULT_MEMORY_MIB,
    vcpus: Math.max(1, sockets * cores * threads),
    machine,
    graphics: domain.devices?.['autoattachGraphicsDevice'] !== false,
    disks: withBootOrder(disks),
    nics: plannedNics(vmi, unsupported),
  });
  return {plan: unsupported.length === 0 ? plan : {...plan, unsupported}, unsupported};
}

/** One disk; what of it cannot be honoured is added to `unsupported`. */
export function plannedDisk(spec: DiskSpec, source: VolumeFile | undefined, unsupported: string[]): PlannedDisk {
  const kind = spec.cdrom === undefined ? 'disk' : 'cdrom';
  const target = spec.cdrom ?? spec.disk ?? spec.lun ?? {};
  if (spec.lun !== undefined) unsupported.push(`disk ${spec.name}: a LUN without pass-through is shown as a disk`);
  unsupported.push(...unsupportedOfDisk(spec));
  return {
    name: spec.name,
    kind,
    bus: busOf(spec.name, target.bus, kind, unsupported),
    file: source?.file,
    format: source?.format ?? 'raw',
    readOnly: kind === 'cdrom' || target.readonly === true || source?.readOnly === true,
    bootOrder: spec.bootOrder,
    serial: spec.serial,
    shareable: spec.shareable === true,
  };
}

function unsupportedOfDisk({name, cache, io, shareable, blockSize, dedicatedIOThread}: DiskSpec): string[] {
  const out: string[] = [];
  // Guests that share a disk share this machine's page cache too: to them it is as if there were none.
  const isHonoured = cache === undefined || cache === '' || cache === 'writeback' || (cache === 'none' && shareable === true);
  if (!isHonoured) out.push(`disk ${name}: cache ${cache} is not there, it is writeback`);
  if (io !== undefined && io !== '' && io !== 'default' && io !== 'threads') out.push(`disk ${name}: io ${io} is not there, it is threads`);
  if (blockSize !== undefined) out.push(`disk ${name}: its blockSize is not there, it has blocks of 512 bytes`);
  if (dedicatedIOThread === true) out.push(`disk ${name}: a dedicated I/O thread is not there`);
  return out;
}

const isIde = (spec: DiskSpec): boolean => plannedDisk(spec, undefined, []).bus === 'sata';

function busOf(name: string, bus: string | undefined, kind: 'disk' | 'cdrom', unsupported: string[]): DiskBus {
  if (bus === 'virtio' || bus === 'scsi' || bus === 'sata') return bus;
  if (bus === undefined) return kind === 'cdrom' ? 'sata' : 'virtio';
  unsupported.push(`disk ${name}: bus ${bus} is not there, it sits on sata`);
  return 'sata';
}

/** Without any number the first disk is tried: as libvirt numbers them. */
function withBootOrder(disks: readonly PlannedDisk[]): readonly PlannedDisk[] {
  if (disks.some(({bootOrder}) => bootOrder !== undefined)) return disks;
  return disks.map((disk, index) => (index === 0 ? {...disk, bootOrder: 1} : disk));
}

/** The NICs that a VMI asks for, but for those that it asks to be unplugged. */
export function plannedNics(vmi: Vmi, unsupported: string[]): readonly PlannedNic[] {
  const networks = new Map((vmi.spec.networks ?? []).map((network) => [network.name, network]));
  return (vmi.spec.domain.devices?.interfaces ?? []).flatMap((nic, index) => {
    const {model = 'virtio', bootOrder, state} = nic as typeof nic & {readonly bootOrder?: number; readonly state?: string};
    if (state === 'absent') return [];
    if (model !== 'virtio' && model !== 'e1000' && model !== 'rtl8139')
      unsupported.push(`interface ${nic.name}: model ${model} is not there, it is a virtio one`);
    const known = model === 'e1000' || model === 'rtl8139' ? model : 'virtio';
    const named = networks.get(nic.name)?.multus?.networkName;
    const attachment = named === undefined || named.includes('/') ? named : `${vmi.metadata.namespace ?? ''}/${named}`;
    return [{name: nic.name, index, model: known, mac: macOf(vmi, index), attachment, bootOrder, linkUp: state !== 'down'}];
  });
}
