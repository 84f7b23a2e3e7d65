/** Measures of guests in Prometheus' text format, under the names, labels and help texts of KubeVirt's virt-handler. Pure. */
import type {DriveUsage, GuestMeasures, GuestMemory, NicUsage} from './measures.ts';

/** A guest's measures with what names it. */
export interface MeasuredGuest {
  readonly namespace: string;
  readonly name: string;
  /** The VMI's labels, which KubeVirt repeats on every sample. */
  readonly labels: Readonly<Record<string, string>>;
  readonly measures: GuestMeasures;
}

interface Sample {
  readonly value: number | undefined;
  readonly label?: readonly [string, string];
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly samples: (measures: GuestMeasures) => readonly Sample[];
}

const one =
  (read: (measures: GuestMeasures) => number | undefined): Metric['samples'] =>
  (measures) => [{value: read(measures)}];
const perDrive =
  (read: (drive: DriveUsage) => number): Metric['samples'] =>
  ({drives = []}) =>
    drives.map((drive) => ({value: read(drive), label: ['drive', drive.name]}));
const perNic =
  (read: (nic: NicUsage) => number): Metric['samples'] =>
  ({nics}) =>
    nics.map((nic) => ({value: read(nic), label: ['interface', nic.name]}));
const memory = (read: (memory: GuestMemory) => number | undefined): Metric['samples'] =>
  one(({memory: told}) => (told === undefined ? undefined : read(told)));

/** What /proc counts in, without the dust of binary fractions. */
const hundredths = (seconds: number): number => Math.round(seconds * 100) / 100;

const counter = (name: string, help: string, samples: Metric['samples']): Metric => ({
  name: `kubevirt_vmi_${name}`,
  help,
  type: 'counter',
  samples,
});
const gauge = (name: string, help: string, samples: Metric['samples']): Metric => ({
  name: `kubevirt_vmi_${name}`,
  help,
  type: 'gauge',
  samples,
});

/** What is measured. `kubevirt_vmi_info`, with the phase, is virt-controller's to tell, here as everywhere. */
const METRICS: readonly Metric[] = [
  counter(
    'cpu_usage_seconds_total',
    'Total CPU time spent in all modes (sum of both vcpu and hypervisor usage).',
    one(({process}) => (process === undefined ? undefined : hundredths(process.userSeconds + process.systemSeconds))),
  ),
  counter(
    'cpu_user_usage_seconds_total',
    'Total CPU time spent in user mode.',
    one(({process}) => process?.userSeconds),
  ),
  counter(
    'cpu_system_usage_seconds_total',
    'Total CPU time spent in system mode.',
    one(({process}) => process?.systemSeconds),
  ),
  gauge(
    'memory_resident_bytes',
    'Resident set size of the process running the domain.',
    one(({process}) => process?.residentBytes),
  ),
  gauge(
    'memory_domain_bytes',
    'The amount of memory in bytes allocated to the domain. The `memory` value in domain xml file.',
    one(({memoryBytes}) => memoryBytes),
  ),
  gauge(
    'memory_available_bytes',
    'Amount of usable memory as seen by the domain. This value may not be accurate if a balloon driver is in use or if the guest OS does not initialize all assigned pages.',
    memory(({available}) => available),
  ),
  gauge(
    'memory_unused_bytes',
    'The amount of memory left completely unused by the system.',
    memory(({unused}) => unused),
  ),
  gauge(
    'memory_usable_bytes',
    'The amount of memory which can be reclaimed by balloon without pushing the guest system to swap.',
    memory(({usable}) => usable),
  ),
  gauge(
    'memory_cached_bytes',
    'The amount of memory that is being used to cache I/O and is available to be reclaimed.',
    memory(({cached}) => cached),
  ),
  counter(
    'memory_pgmajfault_total',
    'The number of page faults when disk IO was required.',
    memory(({majorFaults}) => majorFaults),
  ),
  counter(
    'memory_pgminfault_total',
    'The number of other page faults, when disk IO was not required.',
    memory(({minorFaults}) => minorFaults),
  ),
  counter(
    'storage_read_traffic_bytes_total',
    'Total number of bytes read from storage.',
    perDrive(({readBytes}) => readBytes),
  ),
  counter(
    'storage_write_traffic_bytes_total',
    'Total number of written bytes.',
    perDrive(({writtenBytes}) => writtenBytes),
  ),
  counter(
    'storage_iops_read_total',
    'Total number of I/O read operations.',
    perDrive(({reads}) => reads),
  ),
  counter(
    'storage_iops_write_total',
    'Total number of I/O write operations.',
    perDrive(({writes}) => writes),
  ),
  counter(
    'storage_read_times_seconds_total',
    'Total time spent on read operations.',
    perDrive(({readSeconds}) => readSeconds),
  ),
  counter(
    'storage_write_times_seconds_total',
    'Total time spent on write operations.',
    perDrive(({writeSeconds}) => writeSeconds),
  ),
  counter(
    'storage_flush_requests_total',
    'Total storage flush requests.',
    perDrive(({flushes}) => flushes),
  ),
  counter(
    'storage_flush_times_seconds_total',
    'Total time spent on cache flushing.',
    perDrive(({flushSeconds}) => flushSeconds),
  ),
  counter(
    'network_receive_bytes_total',
    'Total network traffic received in bytes.',
    perNic(({rxBytes}) => rxBytes),
  ),
  counter(
    'network_transmit_bytes_total',
    'Total network traffic transmitted in bytes.',
    perNic(({txBytes}) => txBytes),
  ),
  counter(
    'network_receive_packets_total',
    'Total network traffic received packets.',
    perNic(({rxPackets}) => rxPackets),
  ),
  counter(
    'network_transmit_packets_total',
    'Total network traffic transmitted packets.',
    perNic(({txPackets}) => txPackets),
  ),
  counter(
    'network_receive_packets_dropped_total',
    'The total number of rx packets dropped on vNIC interfaces.',
    perNic(({rxDropped}) => rxDropped),
  ),
  counter(
    'network_transmit_packets_dropped_total',
    'The total number of tx packets dropped on vNIC interfaces.',
    perNic(({txDropped}) => txDropped),
  ),
];

/** Renders the guests; a metric without a sample is left out. */
export function renderGuests(guests: readonly MeasuredGuest[]): string {
  const named = guests.map((guest) => ({guest, labels: labelsOf(guest)}));
  return METRICS.flatMap(({name, help, type, samples}) => {
    const lines = named.flatMap(({guest, labels}) =>
      samples(guest.measures).flatMap(({value, label}) =>
        value === undefined ? [] : [`${name}{${labels}${label === undefined ? '' : `,${pair(...label)}`}} ${value}`],
      ),
    );
    return lines.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];
  })
    .map((line) => `${line}\n`)
    .join('');
}

function labelsOf({namespace, name, labels, measures}: MeasuredGuest): string {
  const own = Object.entries(labels).map(([key, value]) => pair(`kubernetes_vmi_label_${key.replaceAll(/[./-]/g, '_')}`, value));
  return [pair('node', measures.nodeName), pair('namespace', namespace), pair('name', name), ...own].join(',');
}

const pair = (name: string, value: string): string =>
  `${name}="${value
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`)}"`;
