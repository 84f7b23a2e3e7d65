/** The parts of KubeVirt's and CDI's objects that the hypervisor reads or writes, as they travel on the wire. */
import type {KubeObject, ResourceType} from '../../../kube/objects.ts';

/** A condition of a VMI, a VM or a DataVolume. Times are RFC 3339 in whole seconds; KubeVirt sometimes sends null. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly lastProbeTime?: string | null;
  readonly lastHeartbeatTime?: string | null;
  readonly lastTransitionTime?: string | null;
}

/** Life cycle of a VMI. virt-controller owns the phases up to Scheduled and the handler those from there on. */
export type VmiPhase = '' | 'Pending' | 'Scheduling' | 'Scheduled' | 'Running' | 'Succeeded' | 'Failed' | 'WaitingForSync' | 'Unknown';

/** A NIC as the spec asks for it. */
export interface InterfaceSpec {
  readonly name: string;
  readonly macAddress?: string;
  readonly model?: string;
  /** `down`: its cable is pulled; `absent`: it is to be unplugged. */
  readonly state?: string;
  readonly bridge?: object;
  readonly masquerade?: object;
}

/** What a NIC is joined to. */
export interface NetworkSpec {
  readonly name: string;
  readonly pod?: object;
  readonly multus?: {readonly networkName: string};
}

/** Spec of a VMI, and of the template of a VM. */
export interface VmiSpec {
  readonly domain: {
    readonly devices?: {readonly interfaces?: readonly InterfaceSpec[]; readonly disks?: readonly AnyDisk[]};
    readonly machine?: {readonly type?: string};
    readonly [field: string]: unknown;
  };
  readonly networks?: readonly NetworkSpec[];
  readonly volumes?: readonly VolumeSpec[];
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly terminationGracePeriodSeconds?: number;
  readonly hostname?: string;
  readonly [field: string]: unknown;
}

/** A disk of the spec; only its name matters here. */
export interface AnyDisk {
  readonly name: string;
  readonly [field: string]: unknown;
}

/** Where the bytes of a disk come from; only claims matter here. */
export interface VolumeSpec {
  readonly name: string;
  readonly persistentVolumeClaim?: {readonly claimName: string};
  readonly dataVolume?: {readonly name: string};
  readonly [field: string]: unknown;
}

/** A NIC as the status shows it. */
export interface InterfaceStatus {
  readonly name: string;
  readonly mac?: string;
  readonly ipAddress?: string;
  readonly ipAddresses?: readonly string[];
  readonly interfaceName?: string;
  readonly infoSource?: string;
  readonly queueCount?: number;
  readonly linkState?: string;
  readonly [field: string]: unknown;
}

/** State of the newest migration of a VMI: virt-controller names the parties, the handler reports. */
export interface MigrationState {
  readonly migrationUid?: string;
  readonly sourceNode?: string;
  readonly sourcePod?: string;
  readonly targetNode?: string;
  readonly targetPod?: string;
  readonly targetNodeAddress?: string;
  readonly startTimestamp?: string;
  readonly endTimestamp?: string;
  readonly completed?: boolean;
  readonly failed?: boolean;
  readonly abortRequested?: boolean;
  readonly [field: string]: unknown;
}

/** What the guest agent tells about the operating system. */
export interface GuestOsInfo {
  readonly name?: string;
  readonly id?: string;
  readonly version?: string;
  readonly versionId?: string;
  readonly prettyName?: string;
  readonly kernelRelease?: string;
  readonly kernelVersion?: string;
  readonly machine?: string;
}

/** Status of a VMI. */
export interface VmiStatus {
  readonly phase?: VmiPhase;
  readonly nodeName?: string;
  readonly conditions?: readonly Condition[];
  readonly interfaces?: readonly InterfaceStatus[];
  readonly migrationState?: MigrationState;
  readonly phaseTransitionTimestamps?: readonly {readonly phase: VmiPhase; readonly phaseTransitionTimestamp: string}[];
  readonly volumeStatus?: readonly {
    readonly name: string;
    readonly persistentVolumeClaimInfo?: {readonly claimName?: string; readonly accessModes?: readonly string[]};
    /** Present for volumes that came to the running guest. The uid is set once the pod that brings the claim to the node is ready. */
    readonly hotplugVolume?: {readonly attachPodName?: string; readonly attachPodUID?: string};
    readonly phase?: string;
    readonly target?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly [field: string]: unknown;
  }[];
  readonly guestOSInfo?: GuestOsInfo;
  readonly [field: string]: unknown;
}

/** A running (or about to run, or ended) guest: what virt-controller hands to a node's handler. */
export interface Vmi extends KubeObject {
  readonly spec: VmiSpec;
  readonly status?: VmiStatus;
}

/** A VirtualMachine, as far as the light controllers look at it. */
export interface VirtualMachine extends KubeObject {
  readonly spec: {
    readonly runStrategy?: string;
    readonly running?: boolean;
    readonly template: {
      readonly metadata?: {readonly labels?: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>>};
      readonly spec: VmiSpec;
    };
    readonly [field: string]: unknown;
  };
  readonly status?: VmStatus;
}

/** Status of a VirtualMachine. */
export interface VmStatus {
  readonly created?: boolean;
  readonly ready?: boolean;
  readonly printableStatus?: string;
  readonly runStrategy?: string;
  readonly observedGeneration?: number;
  readonly desiredGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly stateChangeRequests?: readonly {readonly action: 'Start' | 'Stop'; readonly uid?: string}[];
  readonly [field: string]: unknown;
}

/** CDI's DataVolume, as far as the light controller looks at it. */
export interface DataVolume extends KubeObject {
  readonly spec: {
    readonly source?: DataVolumeSource;
    readonly sourceRef?: {readonly kind: string; readonly name: string; readonly namespace?: string};
    readonly pvc?: ClaimSpec;
    readonly storage?: ClaimSpec;
    readonly [field: string]: unknown;
  };
  readonly status?: {
    readonly phase?: string;
    readonly progress?: string;
    readonly claimName?: string;
    readonly conditions?: readonly Condition[];
    readonly [field: string]: unknown;
  };
}

/** Where a DataVolume's bytes come from: exactly one member. */
export interface DataVolumeSource {
  readonly http?: {readonly url: string};
  readonly registry?: {readonly url?: string};
  readonly s3?: {readonly url: string};
  readonly pvc?: {readonly name: string; readonly namespace: string};
  readonly snapshot?: {readonly name: string; readonly namespace: string};
  readonly blank?: object;
  readonly upload?: object;
}

/** The claim that a DataVolume asks for. */
export interface ClaimSpec {
  readonly accessModes?: readonly string[];
  readonly volumeMode?: 'Filesystem' | 'Block';
  readonly storageClassName?: string;
  readonly resources?: {readonly requests?: {readonly storage?: string}};
}

/** CDI's DataSource: a named pointer to the claim that clones come from. */
export interface DataSource extends KubeObject {
  readonly spec: {readonly source: {readonly pvc?: {readonly name: string; readonly namespace: string}}};
}

const kubevirt = <T extends KubeObject>(plural: string, kind: string): ResourceType<T> => ({
  group: 'kubevirt.io',
  version: 'v1',
  plural,
  kind,
  namespaced: true,
});
const cdi = <T extends KubeObject>(plural: string, kind: string): ResourceType<T> => ({
  group: 'cdi.kubevirt.io',
  version: 'v1beta1',
  plural,
  kind,
  namespaced: true,
});

export const VMI: ResourceType<Vmi> = kubevirt('virtualmachineinstances', 'VirtualMachineInstance');
export const VM: ResourceType<VirtualMachine> = kubevirt('virtualmachines', 'VirtualMachine');
export const DATA_VOLUME: ResourceType<DataVolume> = cdi('datavolumes', 'DataVolume');
export const DATA_SOURCE: ResourceType<DataSource> = cdi('datasources', 'DataSource');

/** Labels and annotations of the contract with virt-controller and with the people who drive simulated guests. */
export const LABELS = {
  createdBy: 'kubevirt.io/created-by',
  node: 'kubevirt.io/nodeName',
  migrationTarget: 'kubevirt.io/migrationTargetNodeName',
  launcher: 'kubevirt.io=virt-launcher',
  /** On a Node: `off` while the simulated host has no power. */
  power: 'local.basalt.dev/power',
} as const;

export const ANNOTATIONS = {
  /** JSON object: interface name → address that our own leases gave it. */
  nicAddresses: 'basalt.dev/nic-addresses',
  /** `simulated` or `qemu`: overrides the mode of this program for one VM. */
  guestMode: 'guest.basalt.dev/mode',
  /** `Succeeded` (the guest switches itself off) or `Failed` (it crashes). Simulated guests only. */
  guestExit: 'sim.basalt.dev/guest-exit',
  /** How many seconds the copy of a migration takes, in place of half a second. Simulated guests only. */
  migrationSeconds: 'sim.basalt.dev/migration-seconds',
  /** On a Node: when its power last came back. RFC 3339. */
  poweredOnAt: 'local.basalt.dev/powered-on-at',
  evictionSource: 'kubevirt.io/eviction-source',
  podBridgeMigration: 'kubevirt.io/allow-pod-bridge-network-live-migration',
} as const;
