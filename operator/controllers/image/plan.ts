/** What an Image becomes: a DataVolume whose bytes come from its source, and a DataSource under which clones find it. Pure. */
import type {Drive, Image, Reason} from '../../../crds/index.ts';
import {uuidOf} from '../../../crds/rules/ids.ts';
import {DEFAULT_IMAGE_BYTES} from '../../../crds/rules/sizes.ts';
import {dataSourceNameOfImage, dataVolumeNameOfImage} from '../../kubevirt/names.ts';
import {buildDataSource, buildDataVolume, imageLabels} from '../../kubevirt/volumes.ts';
import type {StorageTier, VolumeSource} from '../../kubevirt/volumes.ts';
import type {DataSource, DataVolume} from '../../kubevirt/types.ts';
import {controllerReference} from '../shared/owner.ts';

/** Something is missing; work goes on when it appears. */
export interface Blocked {
  readonly reason: Reason;
  readonly message: string;
}

/** Where the bytes come from. A source drive must be there, filled, and free. */
export function imageSource(image: Image, sourceDrive: Drive | undefined): VolumeSource | Blocked {
  const {http, registry, drive} = image.spec.source;
  if (http !== undefined) return {kind: 'http', url: http.url, ...(http.checksum === undefined ? {} : {checksum: http.checksum})};
  if (registry !== undefined) return {kind: 'registry', url: registry.url};
  if (drive === undefined) return {kind: 'upload'};
  if (sourceDrive === undefined) return {reason: 'DependencyMissing', message: `drive ${drive.name} does not exist`};
  const claim = sourceDrive.status?.persistentVolumeClaim;
  if (sourceDrive.status?.phase !== 'Ready' || claim === undefined)
    return {reason: 'DependencyNotReady', message: `drive ${drive.name} is not ready yet`};
  return {kind: 'claim', namespace: sourceDrive.metadata.namespace ?? '', name: claim};
}

/** Bytes to ask for: what the image says, at least what its source drive has. */
export function imageBytes(image: Image, sourceDrive: Drive | undefined): number {
  return Math.max(image.spec.sizeBytes ?? 0, sourceDrive?.spec.sizeBytes ?? 0) || DEFAULT_IMAGE_BYTES;
}

const identity = (image: Image, name: string) => ({
  name,
  namespace: image.metadata.namespace ?? '',
  owner: controllerReference(image),
  labels: imageLabels(uuidOf(image)),
});

/** Binds at once: nobody mounts an image, so a class that waits for the first consumer would wait for ever. */
export function desiredDataVolume(image: Image, source: VolumeSource, sizeBytes: number, tier: StorageTier): DataVolume {
  return buildDataVolume(identity(image, dataVolumeNameOfImage(image.metadata.name)), {sizeBytes, tier}, source, {
    bindNow: true,
  });
}

export function desiredDataSource(image: Image): DataSource {
  const namespace = image.metadata.namespace ?? '';
  return buildDataSource(identity(image, dataSourceNameOfImage(image.metadata.name)), {
    namespace,
    name: dataVolumeNameOfImage(image.metadata.name),
  });
}
