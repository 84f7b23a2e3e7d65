/** A machine's plan as the arguments of qemu-system-x86_64. Pure; the reasons for the flags are at the lines. */
import {createHash} from 'node:crypto';
import {join} from 'node:path';
import type {MachinePlan, PlannedDisk, PlannedNic} from './machine.ts';
import {portArguments, portOptions} from './ports.ts';

/** The program. */
export const QEMU = 'qemu-system-x86_64';

/** Files of one run of a guest. Sockets may be elsewhere, because their paths must be short. */
export interface RunFiles {
  readonly qmp: string;
  readonly serial: string;
  readonly serialLog: string;
  readonly vnc: string;
  readonly agent: string;
  /** Where a migration's target waits. */
  readonly incoming: string;
}

/** The longest path of a unix socket, without the NUL. */
const LONGEST_SOCKET_PATH = 107;

/** Files in `folder`; sockets in `sockets`. */
export function runFiles(folder: string, sockets: string): RunFiles {
  return {
    qmp: join(sockets, 'qmp'),
    serial: join(sockets, 'serial'),
    serialLog: join(folder, 'serial.log'),
    vnc: join(sockets, 'vnc'),
    agent: join(sockets, 'ga'),
    incoming: join(sockets, 'incoming'),
  };
}

/** Whether sockets can be in this folder. */
export const isShortEnough = (folder: string): boolean => Buffer.byteLength(join(folder, 'incoming')) <= LONGEST_SOCKET_PATH;

const SMALL_GUEST_MIB = 128;

/** Id of a disk's device in qemu. */
export const diskId = (name: string): string => `disk-${name}`;
/** The longest name of a node that qemu takes. */
const LONGEST_NODE_NAME = 31;
/** Name of a disk's bytes in qemu. Of a long one a part and a hash, so that no two disks have the same. */
export function nodeName(name: string): string {
  const whole = `drive-${name}`;
  if (whole.length <= LONGEST_NODE_NAME) return whole;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 12);
  return `${whole.slice(0, LONGEST_NODE_NAME - hash.length - 1)}-${hash}`;
}
/** Id of the balloon's device in qemu: it tells how the guest uses its memory. */
export const BALLOON_ID = 'balloon0';
/** How often the guest is asked for that; KubeVirt's own default. */
const MEMORY_INTERVAL_SECONDS = 10;
/** Id of a NIC's device in qemu. */
export const nicId = (index: number): string => `nic${index}`;

const MODELS: Readonly<Record<PlannedNic['model'], string>> = {virtio: 'virtio-net-pci', e1000: 'e1000', rtl8139: 'rtl8139'};

/** The arguments. `netdevs`: those that the networks gave for each NIC, by its index. `incoming`: it waits for a guest that moves here. */
export function commandLine(
  plan: MachinePlan,
  files: RunFiles,
  netdevs: ReadonlyMap<number, readonly string[]>,
  incoming: boolean,
): readonly string[] {
  // Translated code: 32 MiB are enough for a small guest and half its footprint; Debian boots twice as fast with 256.
  const translated = plan.memoryMiB <= SMALL_GUEST_MIB ? 32 : 256;
  return [
    ...['-name', `guest=${plan.name}`, '-nodefaults', '-no-user-config', '-display', 'none'],
    '-no-shutdown', // a guest that switched itself off stays until we have seen it
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ...['-machine', `${plan.machine},usb=off`, '-accel', `tcg,thread=multi,tb-size=${translated}`, '-cpu', 'max'],
    ...['-smp', String(plan.vcpus), '-m', String(plan.memoryMiB), '-uuid', plan.uuid, '-rtc', 'base=utc'],
    ...(plan.serial === undefined ? [] : ['-smbios', `type=1,serial=${commas(plan.serial)}`]),
    ...(plan.graphics ? ['-vga', 'std', '-vnc', `unix:${commas(files.vnc)}`] : ['-vga', 'none']),
    ...['-qmp', `unix:${commas(files.qmp)},server=on,wait=off`],
    ...['-chardev', `socket,id=serial0,path=${commas(files.serial)},server=on,wait=off,logfile=${commas(files.serialLog)},logappend=on`],
    ...['-serial', 'chardev:serial0', '-device', 'virtio-rng-pci'],
    ...['-device', 'pvpanic-pci'], // tells of a kernel that panics; with -no-shutdown the guest then stays, stopped
    ...['-device', `virtio-balloon-pci,id=${BALLOON_ID},guest-stats-polling-interval=${MEMORY_INTERVAL_SECONDS}`],
    ...['-device', 'virtio-serial-pci', '-chardev', `socket,id=agent0,path=${commas(files.agent)},server=on,wait=off`],
    ...['-device', 'virtserialport,chardev=agent0,name=org.qemu.guest_agent.0'],
    ...['-device', 'virtio-scsi-pci,id=scsi0'],
    ...portArguments(plan),
    ...diskArguments(plan),
    ...plan.nics.flatMap((nic) => [...(netdevs.get(nic.index) ?? []), '-device', nicDevice(plan, nic)]),
    ...(incoming ? ['-incoming', `unix:${files.incoming}`] : []),
  ];
}

/** Commas separate options; a doubled one is a comma. */
const commas = (text: string): string => text.replaceAll(',', ',,');

/** The bytes of a disk, as qemu's `blockdev-add` and `-blockdev` take them. */
export function blockdev(
  disk: Pick<PlannedDisk, 'name' | 'file' | 'format' | 'readOnly' | 'shareable'>,
): Readonly<Record<string, unknown>> {
  return {
    driver: disk.format,
    'node-name': nodeName(disk.name),
    'read-only': disk.readOnly,
    discard: 'unmap',
    file: {
      driver: 'file',
      filename: disk.file,
      ...(disk.readOnly ? {} : {discard: 'unmap'}),
      ...(disk.shareable ? {locking: 'off'} : {}),
    },
  };
}

function diskArguments(plan: MachinePlan): readonly string[] {
  let ide = 0;
  return plan.disks.flatMap((disk) => {
    const bytes = disk.file === undefined ? [] : ['-blockdev', JSON.stringify(blockdev(disk))];
    const slot = disk.bus === 'sata' ? ide++ : 0;
    return [...bytes, '-device', diskDevice(plan, disk, slot)];
  });
}

/** The device of a disk. `ideSlot` counts those on the IDE bus, into which nothing is plugged later. */
export function diskDevice(plan: MachinePlan, disk: PlannedDisk, ideSlot = 0): string {
  const options = [
    `id=${diskId(disk.name)}`,
    ...(disk.file === undefined ? [] : [`drive=${nodeName(disk.name)}`]),
    ...(disk.bootOrder === undefined ? [] : [`bootindex=${disk.bootOrder}`]),
    ...(disk.serial === undefined ? [] : [`serial=${commas(disk.serial)}`]),
    ...(disk.shareable && !disk.readOnly && disk.bus !== 'sata' ? ['share-rw=on'] : []),
  ].join(',');
  const kind = disk.kind === 'cdrom' ? 'cd' : 'hd';
  switch (disk.bus) {
    case 'virtio':
      return `virtio-blk-pci,${options}${portOptions(plan, disk.port)}`;
    case 'scsi':
      return `scsi-${kind},bus=scsi0.0,${options}${disk.port === undefined ? '' : `,scsi-id=0,lun=${disk.port}`}`;
    case 'sata':
      return `ide-${kind},bus=ide.${ideSlot >> 1},unit=${ideSlot & 1},${options}`;
    default:
      return disk.bus satisfies never;
  }
}

/** The device of a NIC: no boot ROM, which would cost a second of every boot. */
export function nicDevice(plan: MachinePlan, nic: PlannedNic): string {
  const boot = nic.bootOrder === undefined ? '' : `,bootindex=${nic.bootOrder}`;
  return `${MODELS[nic.model]},id=${nicId(nic.index)},netdev=net${nic.index},mac=${nic.mac}${boot},romfile=${portOptions(plan, nic.port)}`;
}
