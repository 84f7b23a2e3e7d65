/** The bare-metal hosts of `nodes.yaml`: as Kubernetes nodes for KWOK to play, and as Host objects of the demo cloud. Pure. */
import type {AnyObject} from '../../../kube/objects.ts';

/** One size of host. */
export interface HostSize {
  readonly name: string;
  readonly cpu: number;
  readonly memoryGiB: number;
  readonly diskGiB: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** The table of `nodes.yaml`. */
export interface HostTable {
  readonly count: number;
  /** Machines beside them that nobody has registered yet: nodes without a Host, for a person (or the demo) to register. */
  readonly spare: number;
  readonly sizes: readonly HostSize[];
}

/** Most hosts: three digits in their names. */
const MAX_HOSTS = 1000;
const PODS = 250;

/** Checks a parsed table. Throws with the first thing that is wrong. */
export function parseHostTable(value: unknown): HostTable {
  const table = value as Partial<HostTable> | null;
  if (typeof table !== 'object' || table === null) throw new Error('not a table of hosts');
  const {count, spare, sizes} = table;
  if (!Number.isInteger(count) || (count as number) < 1) throw new Error('count must be a positive integer');
  if (!Number.isInteger(spare) || (spare as number) < 0) throw new Error('spare must be an integer, 0 or more');
  if (!Array.isArray(sizes) || sizes.length === 0) throw new Error('sizes must have an entry');
  for (const [index, size] of (sizes as readonly Partial<HostSize>[]).entries()) {
    for (const field of ['cpu', 'memoryGiB', 'diskGiB'] as const) {
      if (typeof size[field] !== 'number' || size[field] <= 0) throw new Error(`sizes[${index}].${field} must be a positive number`);
    }
  }
  return table as HostTable;
}

/** One host of a cluster. */
export interface PlannedHost {
  /** `bm-000`. */
  readonly name: string;
  readonly size: HostSize;
  /** Racks of eight, so that topology has something to spread over. */
  readonly rack: string;
  /** Whether the demo cloud has a Host for it; a spare machine is only a node. */
  readonly registered: boolean;
}

/** `count` registered hosts, then the table's spare ones; sizes take turns. Throws when there would be more than 1000. */
export function planHosts(table: HostTable, count: number): PlannedHost[] {
  const most = MAX_HOSTS - table.spare;
  if (!Number.isInteger(count) || count < 1 || count > most) throw new Error(`the number of hosts must be 1 to ${most}, not ${count}`);
  return Array.from({length: count + table.spare}, (_, index) => ({
    name: `bm-${String(index).padStart(3, '0')}`,
    size: table.sizes[index % table.sizes.length] as HostSize,
    rack: `rack-${Math.floor(index / 8)}`,
    registered: index < count,
  }));
}

/** `4 hosts and 4 spare machines`. */
export function hostsText(hosts: readonly PlannedHost[]): string {
  const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
  const registered = hosts.filter((host) => host.registered).length;
  const spare = hosts.length - registered;
  return spare === 0 ? count(registered, 'host') : `${count(registered, 'host')} and ${count(spare, 'spare machine')}`;
}

/** Marks the nodes that this program made. */
export const NODE_LABEL = {name: 'type', value: 'kwok'} as const;

/** The Node of a host. KubeVirt wants the labels and the devices; without ephemeral-storage no launcher pod fits. */
export function nodeOf(host: PlannedHost, architecture: string): AnyObject {
  const quantities = {
    cpu: String(host.size.cpu),
    memory: `${host.size.memoryGiB}Gi`,
    'ephemeral-storage': `${host.size.diskGiB}Gi`,
    pods: String(PODS),
    'devices.kubevirt.io/kvm': '1k',
    'devices.kubevirt.io/tun': '1k',
    'devices.kubevirt.io/vhost-net': '1k',
  };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: host.name,
      labels: {
        'kubernetes.io/hostname': host.name,
        'kubernetes.io/arch': architecture,
        'kubernetes.io/os': 'linux',
        'topology.kubernetes.io/zone': host.rack,
        [NODE_LABEL.name]: NODE_LABEL.value,
        'kubevirt.io/schedulable': 'true',
        // A migration's target must have the machine type that the guest runs with.
        'machine-type.node.kubevirt.io/q35': 'true',
        'machine-type.node.kubevirt.io/pc-q35-rhel9.8.0': 'true',
        'machine-type.node.kubevirt.io/pc-q35-7.2': 'true',
        'machine-type.node.kubevirt.io/pc-i440fx-7.2': 'true',
        ...host.size.labels,
      },
      annotations: {'node.alpha.kubernetes.io/ttl': '0', 'kwok.x-k8s.io/node': 'fake'},
    },
    status: {capacity: quantities, allocatable: quantities},
  };
}

/** Marks the Hosts that `up` made: those without it are people's. */
export const MADE_BY_LABEL = {name: 'basalt.dev/made-by', value: 'local-cluster'} as const;

/** The Host object of a host: bound to its node by name, in the demo cloud's region and cell. */
export function hostOf(host: PlannedHost, index: number, place: {readonly region: string; readonly cell: string}): AnyObject {
  return {
    apiVersion: 'basalt.dev/v1alpha1',
    kind: 'Host',
    metadata: {
      name: host.name,
      labels: {'basalt.dev/region': place.region, 'basalt.dev/cell': place.cell, [MADE_BY_LABEL.name]: MADE_BY_LABEL.value},
    },
    spec: {
      hostname: host.name,
      nodeName: host.name,
      // An inventory address, shown and never dialled (198.18.0.0/15 is set aside for benchmarks of network devices).
      address: `198.18.${Math.floor(index / 250)}.${(index % 250) + 1}`,
      region: place.region,
      cell: place.cell,
      type: 'Server',
      manufacturer: 'simulated',
      activity: 'Active',
      data: {rack: host.rack, size: host.size.name},
    },
  };
}
