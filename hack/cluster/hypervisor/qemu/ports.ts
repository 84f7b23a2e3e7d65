/**
 * Where virtio devices and SCSI disks sit. Places are part of the plan and not qemu's choice: a device can only be unplugged from a port of
 * its own, and the qemu that a guest migrates to must have each device where the first one had it, whatever came and went before.
 */
import type {MachinePlan, PlannedDisk, PlannedNic} from './machine.ts';

/** Ports that a new machine has beside those of its own devices. */
const SPARE_PORTS = 4;
/** q35: functions of slots 0x10–0x1d of its root bus. The older machine: slots 0x10–0x1f. */
const MOST_PORTS = {q35: 112, pc: 16} as const;
const FIRST_SLOT = 0x10;

type Placed = Pick<MachinePlan, 'machine' | 'ports'>;

const onPort = (device: PlannedDisk | PlannedNic): boolean => ('bus' in device ? device.bus === 'virtio' : device.model === 'virtio');

/** Gives each virtio device a port and each SCSI disk a unit, in their order, and the machine some ports more. */
export function withPorts(plan: Omit<MachinePlan, 'ports'>): MachinePlan {
  let port = 0;
  let unit = 0;
  const most = MOST_PORTS[plan.machine];
  const next = (): {readonly port?: number} => (port < most ? {port: port++} : {}); // beyond: qemu's choice, and it stays for good
  const disks = plan.disks.map((disk) => ({...disk, ...(disk.bus === 'scsi' ? {port: unit++} : onPort(disk) ? next() : {})}));
  const nics = plan.nics.map((nic) => ({...nic, ...(onPort(nic) ? next() : {})}));
  return {...plan, disks, nics, ports: Math.min(most, port + SPARE_PORTS)};
}

/** The lowest free port, or the lowest free unit for a SCSI disk; undefined when the machine is full. */
export function freePort(plan: MachinePlan, bus: 'virtio' | 'scsi'): number | undefined {
  const disks = plan.disks.filter((disk) => disk.bus === bus);
  const taken = new Set([...disks, ...(bus === 'virtio' ? plan.nics.filter(onPort) : [])].map(({port}) => port));
  const most = bus === 'scsi' ? 256 : plan.ports;
  for (let port = 0; port < most; port++) if (!taken.has(port)) return port;
  return undefined;
}

/** Options of a device on its port, for qemu's command line and `device_add`; empty where qemu chooses. */
export function portOptions({machine}: Placed, port: number | undefined): string {
  if (port === undefined) return '';
  return machine === 'q35' ? `,bus=port${port}` : `,bus=pci.0,addr=0x${(FIRST_SLOT + port).toString(16)}`;
}

/** Arguments for the ports themselves: PCI Express has devices plugged into root ports only; the older machine's bus takes them as it is. */
export function portArguments({machine, ports}: Placed): readonly string[] {
  if (machine === 'pc') return [];
  return Array.from({length: ports}, (_, port) => {
    const address = `0x${(FIRST_SLOT + (port >> 3)).toString(16)}.${port & 7}`;
    return ['-device', `pcie-root-port,id=port${port},chassis=${port + 1},slot=${port + 1},addr=${address},multifunction=on`];
  }).flat();
}
