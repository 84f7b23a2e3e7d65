/**
 * The few KubeVirt and CDI shapes in use, as this project's objects (`KubeObject`: raw JSON, never the generated serialisers), and the
 * resources they travel under. Types only: nothing of the typings package exists at run time. What is newer than the typings (KubeVirt
 * 1.7.0, CDI of May 2026) is added here by intersection, with its version.
 */
import type {
  K8sIoApiCoreV1Affinity,
  V1Disk,
  V1Interface,
  V1Network,
  V1VirtualMachine,
  V1VirtualMachineInstance,
  V1VirtualMachineInstanceMigration,
  V1VirtualMachineInstanceSpec,
  V1Volume,
} from '@kubevirt-ui-ext/kubevirt-api/kubevirt';
import type {
  V1beta1DataSource,
  V1beta1DataVolume,
  V1beta1DataVolumeSource,
  V1beta1DataVolumeSourceHTTP,
  V1beta1DataVolumeSpec,
} from '@kubevirt-ui-ext/kubevirt-api/containerized-data-importer';
import type {KubeObject, ResourceType} from '../../kube/objects.ts';

/** `kubevirt.io/v1`. */
export type VirtualMachine = KubeObject & Pick<V1VirtualMachine, 'spec' | 'status'>;
export type VirtualMachineInstance = KubeObject & Pick<V1VirtualMachineInstance, 'spec' | 'status'>;
export type VirtualMachineInstanceMigration = KubeObject & {
  readonly spec: V1VirtualMachineInstanceMigration['spec'];
  readonly status?: V1VirtualMachineInstanceMigration['status'];
};
export type InstanceSpec = V1VirtualMachineInstanceSpec;
export type Affinity = K8sIoApiCoreV1Affinity;
export type Disk = V1Disk;
export type Volume = V1Volume;
export type Interface = V1Interface;
export type InstanceNetwork = V1Network;

/** CDI 1.65 added `checksum` (`md5|sha1|sha256|sha512:<hex>`) to http imports. */
export type HttpSource = V1beta1DataVolumeSourceHTTP & {readonly checksum?: string};
/** What a claim asks for; plain strings where the typings declare enums, which exist only as values. */
export interface StorageSpec {
  readonly accessModes: string[];
  readonly volumeMode: 'Filesystem' | 'Block';
  readonly resources: {readonly requests: {readonly storage: string}};
  readonly storageClassName?: string;
}
/** `cdi.kubevirt.io/v1beta1`. */
export type DataVolumeSpec = Omit<V1beta1DataVolumeSpec, 'source' | 'storage' | 'pvc'> & {
  readonly storage?: StorageSpec;
  readonly source?: Omit<V1beta1DataVolumeSource, 'http'> & {readonly http?: HttpSource};
};
export type DataVolume = KubeObject & {readonly spec: DataVolumeSpec; readonly status?: V1beta1DataVolume['status']};
export type DataSource = KubeObject & Pick<V1beta1DataSource, 'spec' | 'status'>;

export const VIRTUAL_MACHINE: ResourceType<VirtualMachine> = {
  group: 'kubevirt.io',
  version: 'v1',
  plural: 'virtualmachines',
  kind: 'VirtualMachine',
  namespaced: true,
};
export const VIRTUAL_MACHINE_INSTANCE: ResourceType<VirtualMachineInstance> = {
  group: 'kubevirt.io',
  version: 'v1',
  plural: 'virtualmachineinstances',
  kind: 'VirtualMachineInstance',
  namespaced: true,
};
export const MIGRATION: ResourceType<VirtualMachineInstanceMigration> = {
  group: 'kubevirt.io',
  version: 'v1',
  plural: 'virtualmachineinstancemigrations',
  kind: 'VirtualMachineInstanceMigration',
  namespaced: true,
};
export const DATA_VOLUME: ResourceType<DataVolume> = {
  group: 'cdi.kubevirt.io',
  version: 'v1beta1',
  plural: 'datavolumes',
  kind: 'DataVolume',
  namespaced: true,
};
export const DATA_SOURCE: ResourceType<DataSource> = {
  group: 'cdi.kubevirt.io',
  version: 'v1beta1',
  plural: 'datasources',
  kind: 'DataSource',
  namespaced: true,
};
