/**
 * Where bytes come from: drives and images as PersistentVolumeClaim, DataVolume and DataSource (CDI). Pure. A DataVolume's spec is
 * immutable, so these builders depend only on fields that cannot change; growth goes to the claim.
 */
import {roundUpToMiB} from '../../crds/rules/sizes.ts';
import {LABELS} from '../../crds/wellknown.ts';
import type {OwnerReference} from '../../kube/objects.ts';
import type {PersistentVolumeClaim} from '../../kube/types.ts';
import type {DataSource, DataVolume, DataVolumeSpec, HttpSource, StorageSpec} from './types.ts';

/** How a storage tier is made of Kubernetes storage. */
export interface StorageTier {
  /** Name of the StorageClass; absent: the cluster's default class. */
  readonly storageClassName?: string;
  /** Default `ReadWriteOnce`; `ReadWriteMany` where the class can, which makes servers live-migratable. */
  readonly accessMode?: 'ReadWriteOnce' | 'ReadWriteMany';
  /** Default `Filesystem`. */
  readonly volumeMode?: 'Filesystem' | 'Block';
}

/** Storage as a drive or image asks for it. */
export interface StorageRequest {
  readonly sizeBytes: number;
  readonly tier: StorageTier;
}

/** Name, owner and label of what is made. */
export interface VolumeIdentity {
  readonly name: string;
  readonly namespace: string;
  readonly owner: OwnerReference;
  readonly labels: Readonly<Record<string, string>>;
}

/** Where a DataVolume's bytes come from. */
export type VolumeSource =
  | {readonly kind: 'http'; readonly url: string; readonly checksum?: string}
  | {readonly kind: 'registry'; readonly url: string}
  | {readonly kind: 'claim'; readonly namespace: string; readonly name: string}
  | {readonly kind: 'dataSource'; readonly namespace: string; readonly name: string}
  | {readonly kind: 'upload'};

/**
 * Size, modes and class. The modes are always said, so that a class without a StorageProfile works, too. The size is a plain byte count:
 * exact, and what the API server gives back unchanged.
 */
function storageOf({sizeBytes, tier}: StorageRequest): StorageSpec {
  return {
    accessModes: [tier.accessMode ?? 'ReadWriteOnce'],
    volumeMode: tier.volumeMode ?? 'Filesystem',
    resources: {requests: {storage: String(roundUpToMiB(sizeBytes))}},
    ...(tier.storageClassName === undefined ? {} : {storageClassName: tier.storageClassName}),
  };
}

/** A blank drive: a claim and nothing else, since no pod of CDI is needed for bytes that are not there. */
export function buildBlankClaim(identity: VolumeIdentity, storage: StorageRequest): PersistentVolumeClaim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {name: identity.name, namespace: identity.namespace, labels: identity.labels, ownerReferences: [identity.owner]},
    spec: storageOf(storage),
  };
}

function sourceOf(source: VolumeSource): Pick<DataVolumeSpec, 'source' | 'sourceRef'> {
  switch (source.kind) {
    case 'http': {
      const http: HttpSource = {url: source.url, ...(source.checksum === undefined ? {} : {checksum: source.checksum})};
      return {source: {http}};
    }
    case 'registry':
      // The node's own cache and credentials: much faster than a pull inside the importer.
      return {source: {registry: {url: source.url, pullMethod: 'node'}}};
    case 'claim':
      return {source: {pvc: {namespace: source.namespace, name: source.name}}};
    case 'dataSource':
      return {sourceRef: {kind: 'DataSource', namespace: source.namespace, name: source.name}};
    case 'upload':
      return {source: {upload: {}}};
    default:
      return source satisfies never;
  }
}

/** Binds and fills at once, although nothing mounts the volume yet. */
const BIND_NOW = {'cdi.kubevirt.io/storage.bind.immediate.requested': 'true'};

/**
 * Scratch space from the start. CDI's importer passes everything that comes over http through it, but asks for it only by failing once: that
 * would cost every import the start of one more pod.
 */
const SCRATCH_AT_ONCE = {'cdi.kubevirt.io/storage.import.requiresScratch': 'true'};

/**
 * A DataVolume. `bindNow` is for images and everything else that nobody will mount soon; a drive leaves the choice of the node to its
 * first server where its class waits for the first consumer.
 */
export function buildDataVolume(
  identity: VolumeIdentity,
  storage: StorageRequest,
  source: VolumeSource,
  options: {readonly bindNow: boolean},
): DataVolume {
  const annotations = {...(options.bindNow ? BIND_NOW : {}), ...(source.kind === 'http' ? SCRATCH_AT_ONCE : {})};
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    metadata: {
      name: identity.name,
      namespace: identity.namespace,
      labels: identity.labels,
      ...(Object.keys(annotations).length === 0 ? {} : {annotations}),
      ownerReferences: [identity.owner],
    },
    // `storage` and not `pvc`: CDI then adds the file system's overhead, so that the whole of the bytes fits.
    spec: {...sourceOf(source), storage: storageOf(storage)},
  };
}

/** The catalogue entry of an image: what clones name, whichever volume or snapshot is behind it. */
export function buildDataSource(identity: VolumeIdentity, claim: {readonly namespace: string; readonly name: string}): DataSource {
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataSource',
    metadata: {name: identity.name, namespace: identity.namespace, labels: identity.labels, ownerReferences: [identity.owner]},
    spec: {source: {pvc: {namespace: claim.namespace, name: claim.name}}},
  };
}

export const driveLabels = (uuid: string): Readonly<Record<string, string>> => ({[LABELS.drive]: uuid});
export const imageLabels = (uuid: string): Readonly<Record<string, string>> => ({[LABELS.image]: uuid});
