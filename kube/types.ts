/** The core kinds in use: their place on the wire, and of their fields those that this project reads or writes. */
import type {AnyObject, KubeObject, ResourceType} from './objects.ts';

/** Quantities by resource name (`cpu`, `memory`, `devices.kubevirt.io/kvm`, …), as strings. */
export type Quantities = Readonly<Record<string, string>>;

/** A condition of a core kind (Pod, Node, CustomResourceDefinition). */
export interface CoreCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
  readonly lastHeartbeatTime?: string;
}

/** A taint of a node. */
export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
  readonly timeAdded?: string;
}

/** A Kubernetes node (`CoreNode`, because `Node` is a word of other models too). */
export interface CoreNode extends KubeObject {
  readonly spec?: {
    readonly unschedulable?: boolean;
    readonly taints?: readonly Taint[];
    readonly podCIDR?: string;
    readonly providerID?: string;
  };
  readonly status?: {
    readonly capacity?: Quantities;
    readonly allocatable?: Quantities;
    readonly conditions?: readonly CoreCondition[];
    readonly addresses?: readonly {readonly type: string; readonly address: string}[];
    readonly nodeInfo?: Readonly<Record<string, unknown>>;
  };
}

/** A container of a pod. */
export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly resources?: {readonly requests?: Quantities; readonly limits?: Quantities};
  readonly [field: string]: unknown;
}

/** The state of a container as the kubelet reports it. */
export interface ContainerStatus {
  readonly name: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly image?: string;
  readonly imageID?: string;
  readonly state?: {
    readonly waiting?: {readonly reason?: string; readonly message?: string};
    readonly running?: {readonly startedAt?: string};
    readonly terminated?: {readonly exitCode: number; readonly reason?: string; readonly message?: string};
  };
}

/** A pod. */
export interface Pod extends KubeObject {
  readonly spec?: {
    readonly nodeName?: string;
    readonly containers?: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly nodeSelector?: Readonly<Record<string, string>>;
    readonly volumes?: readonly Readonly<Record<string, unknown>>[];
    readonly overhead?: Quantities;
    readonly restartPolicy?: string;
    readonly serviceAccountName?: string;
    readonly [field: string]: unknown;
  };
  readonly status?: {
    readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
    readonly reason?: string;
    readonly message?: string;
    readonly podIP?: string;
    readonly podIPs?: readonly {readonly ip: string}[];
    readonly hostIP?: string;
    readonly startTime?: string;
    readonly conditions?: readonly CoreCondition[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

/** A Secret; `data` holds base64, `stringData` (write only) cleartext. */
export interface Secret extends KubeObject {
  readonly type?: string;
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
}

/** A ConfigMap. */
export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
}

/** A namespace. */
export interface Namespace extends KubeObject {
  readonly spec?: {readonly finalizers?: readonly string[]};
  readonly status?: {readonly phase?: 'Active' | 'Terminating'; readonly conditions?: readonly CoreCondition[]};
}

/** A ServiceAccount. */
export type ServiceAccount = KubeObject;

/** A PersistentVolumeClaim. */
export interface PersistentVolumeClaim extends KubeObject {
  readonly spec?: {
    readonly accessModes?: readonly string[];
    readonly resources?: {readonly requests?: Quantities; readonly limits?: Quantities};
    readonly storageClassName?: string;
    readonly volumeName?: string;
    readonly volumeMode?: 'Filesystem' | 'Block';
    readonly dataSource?: {readonly apiGroup?: string; readonly kind: string; readonly name: string};
    readonly dataSourceRef?: {readonly apiGroup?: string; readonly kind: string; readonly name: string; readonly namespace?: string};
  };
  readonly status?: {
    readonly phase?: 'Pending' | 'Bound' | 'Lost';
    readonly accessModes?: readonly string[];
    readonly capacity?: Quantities;
    readonly conditions?: readonly CoreCondition[];
  };
}

/** What an event, or an endpoint, is about. */
export interface ObjectReference {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly fieldPath?: string;
}

/** An event (`events.k8s.io/v1`). Times are MicroTime strings. */
export interface Event extends KubeObject {
  readonly eventTime: string;
  readonly series?: {readonly count: number; readonly lastObservedTime: string};
  readonly reportingController: string;
  readonly reportingInstance: string;
  readonly action: string;
  readonly reason: string;
  readonly regarding: ObjectReference;
  readonly related?: ObjectReference;
  readonly note?: string;
  readonly type: 'Normal' | 'Warning';
}

/** A Lease (`coordination.k8s.io/v1`). Times are MicroTime strings. */
export interface Lease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

/** A RoleBinding, or a ClusterRoleBinding. */
export interface RoleBinding extends KubeObject {
  readonly roleRef: {readonly apiGroup: string; readonly kind: string; readonly name: string};
  readonly subjects?: readonly {readonly kind: string; readonly apiGroup?: string; readonly name: string; readonly namespace?: string}[];
}

/** A CustomResourceDefinition. */
export interface CustomResourceDefinition extends KubeObject {
  readonly spec: {
    readonly group: string;
    readonly scope: 'Namespaced' | 'Cluster';
    readonly names: {readonly kind: string; readonly plural: string; readonly [field: string]: unknown};
    readonly versions: readonly {
      readonly name: string;
      readonly served: boolean;
      readonly storage: boolean;
      readonly [field: string]: unknown;
    }[];
    readonly [field: string]: unknown;
  };
  readonly status?: {readonly conditions?: readonly CoreCondition[]; readonly storedVersions?: readonly string[]};
}

/** A volume, as far as it is a folder of a node. Cluster-wide. */
export interface PersistentVolume extends KubeObject {
  readonly spec: {
    readonly hostPath?: {readonly path: string};
    readonly local?: {readonly path: string};
    readonly claimRef?: {readonly name: string; readonly namespace: string};
  };
}

const core = {group: '', version: 'v1'} as const;
const rbac = {group: 'rbac.authorization.k8s.io', version: 'v1'} as const;

export const NAMESPACE: ResourceType<Namespace> = {...core, plural: 'namespaces', kind: 'Namespace', namespaced: false};
export const NODE: ResourceType<CoreNode> = {...core, plural: 'nodes', kind: 'Node', namespaced: false};
export const POD: ResourceType<Pod> = {...core, plural: 'pods', kind: 'Pod', namespaced: true};
export const SECRET: ResourceType<Secret> = {...core, plural: 'secrets', kind: 'Secret', namespaced: true};
export const CONFIG_MAP: ResourceType<ConfigMap> = {...core, plural: 'configmaps', kind: 'ConfigMap', namespaced: true};
export const SERVICE_ACCOUNT: ResourceType<ServiceAccount> = {...core, plural: 'serviceaccounts', kind: 'ServiceAccount', namespaced: true};
export const PERSISTENT_VOLUME_CLAIM: ResourceType<PersistentVolumeClaim> = {
  ...core,
  plural: 'persistentvolumeclaims',
  kind: 'PersistentVolumeClaim',
  namespaced: true,
};
export const PERSISTENT_VOLUME: ResourceType<PersistentVolume> = {
  ...core,
  plural: 'persistentvolumes',
  kind: 'PersistentVolume',
  namespaced: false,
};
export const EVENT: ResourceType<Event> = {group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event', namespaced: true};
export const LEASE: ResourceType<Lease> = {group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease', namespaced: true};
export const ROLE_BINDING: ResourceType<RoleBinding> = {...rbac, plural: 'rolebindings', kind: 'RoleBinding', namespaced: true};
export const CUSTOM_RESOURCE_DEFINITION: ResourceType<CustomResourceDefinition> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

/** The type of objects of which only the place on the wire is known. */
export function anyType(apiVersion: string, kind: string, plural: string, namespaced: boolean): ResourceType<AnyObject> {
  const slash = apiVersion.indexOf('/');
  return {group: slash < 0 ? '' : apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1), plural, kind, namespaced};
}
