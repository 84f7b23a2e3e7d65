/** Image: its bytes in a DataVolume, its name for clones in a DataSource. Deleting it waits for copies that are being made from it. */
import {IMAGE} from '../../../crds/index.ts';
import type {Drive, Image, ImageStatus, Reason} from '../../../crds/index.ts';
import {keyOf, refOfObject} from '../../../kube/objects.ts';
import type {Ref} from '../../../kube/objects.ts';
import {ensureChild, removeChild} from '../../children/ensure.ts';
import {volumeStateOf} from '../../kubevirt/data-volume-state.ts';
import {claimNameOfDrive, dataSourceNameOfImage, dataVolumeNameOfImage} from '../../kubevirt/names.ts';
import {DATA_SOURCE, DATA_VOLUME} from '../../kubevirt/types.ts';
import type {StorageTier} from '../../kubevirt/volumes.ts';
import {DONE, watchOf} from '../../runtime/types.ts';
import type {ControllerDefinition, Deps, Result} from '../../runtime/types.ts';
import {conditionOf, someOf} from '../shared/conditions.ts';
import {namespaceGot, noAccount} from '../shared/home.ts';
import {removeVolume} from '../shared/remove-volume.ts';
import {createKindController} from '../shared/kind-controller.ts';
import {controllerOf} from '../shared/owner.ts';
import {createStorageClasses} from '../shared/storage.ts';
import {desiredDataSource, desiredDataVolume, imageBytes, imageSource} from './plan.ts';
import {imageStatus} from './status.ts';
import type {ImageSeen} from './status.ts';

/** Options of the controllers of storage. */
export interface StorageOptions {
  /** What a `spec.tier` stands for. Default: the cluster's default class, in the modes that it offers. */
  readonly tierOf?: (tier: string | undefined) => StorageTier;
}

/** How long to wait before an image that is going looks again, in milliseconds, in case the last event of a child was missed. */
const DELETE_POLL_MS = 5_000;

/** Makes the Image controller. */
export function createImageController(deps: Deps, {tierOf = () => ({})}: StorageOptions = {}): ControllerDefinition {
  const {client, informers, clock} = deps;
  const storage = createStorageClasses({client, clock});
  const {images, drives, dataVolumes, dataSources, pvcs} = informers;

  const sourceDriveOf = (image: Image): Drive | undefined => {
    const drive = image.spec.source.drive;
    return drive === undefined ? undefined : drives.get(keyOf({namespace: image.metadata.namespace ?? '', name: drive.name}));
  };
  const ownerKey = ({object}: {readonly object: Parameters<typeof controllerOf>[0]}): readonly string[] => {
    const owner = controllerOf(object);
    return owner?.kind === 'Image' ? [keyOf({namespace: object.metadata.namespace ?? '', name: owner.name})] : [];
  };

  /** Drives that are being copied from the image right now: their DataVolume is there and not filled yet. */
  const copiesUnderWay = (image: Image): readonly string[] =>
    drives
      .byIndex('image', keyOf(refOfObject(image)))
      .filter((drive) => {
        const volume = dataVolumes.get(keyOf({...refOfObject(drive), name: claimNameOfDrive(drive.metadata.name)}));
        return volume !== undefined && !['Ready', 'Failed'].includes(volumeStateOf(volume).phase);
      })
      .map((drive) => drive.metadata.name);

  const observe = async (image: Image, signal: AbortSignal): Promise<Omit<ImageSeen, 'image' | 'nowMs'>> => {
    const drive = sourceDriveOf(image);
    const key = keyOf({namespace: image.metadata.namespace ?? '', name: dataVolumeNameOfImage(image.metadata.name)});
    const source = dataVolumes.get(key) === undefined ? imageSource(image, drive) : undefined;
    const homeless = source === undefined ? undefined : noAccount(deps, image);
    if (homeless !== undefined) return {blocked: homeless};
    if (source !== undefined && 'reason' in source) return {blocked: source};
    const sizeBytes = image.status?.sizeBytes ?? imageBytes(image, drive);
    const tier = tierOf(image.spec.tier);
    // A DataVolume that is there is only looked at: its spec cannot change.
    const modes = source === undefined ? tier : await storage.tierFor(tier, 'Exclusive', signal);
    const target = {client, signal};
    const [volume, catalogue] = await Promise.all([
      ensureChild(
        {...target, type: DATA_VOLUME, informer: dataVolumes},
        image,
        desiredDataVolume(image, source ?? {kind: 'upload'}, sizeBytes, modes),
      ),
      ensureChild({...target, type: DATA_SOURCE, informer: dataSources}, image, desiredDataSource(image)),
    ]);
    const obstacle = [volume, catalogue].find(({kind}) => kind !== 'ours');
    if (obstacle !== undefined) {
      const name = `${obstacle.object.kind} ${obstacle.object.metadata.name}`;
      if (obstacle.kind === 'foreign') return {blocked: {reason: 'NotOwned', message: `${name} exists and does not belong to this image`}};
      return {blocked: {reason: 'ObjectDeleted', message: `${name} is being deleted; it is made anew once it is gone`}};
    }
    return {
      volume: volumeStateOf(volume.object, {phase: image.status?.phase, condition: conditionOf(image, 'Ready')}),
      sizeBytes,
      dataVolume: volume.object.metadata.name,
      dataSource: catalogue.object.metadata.name,
    };
  };

  return createKindController<ImageStatus, Image>({
    deps,
    name: 'image',
    type: IMAGE,
    informer: images,
    workers: 4,
    watches: [
      watchOf(informers.accounts, (change) => {
        const namespace = namespaceGot(change);
        return namespace === undefined ? [] : images.list(namespace).map((image) => keyOf(refOfObject(image)));
      }),
      watchOf(dataVolumes, ownerKey),
      watchOf(dataSources, ownerKey),
      // An image that is going waits for its claim.
      watchOf(pvcs, ({kind, object}) => (kind === 'deleted' ? imageKeyOfClaim(refOfObject(object)) : [])),
      watchOf(drives, ({object}) => {
        const image = object.spec.source?.image;
        const waiting =
          image === undefined ? [] : [keyOf({namespace: image.namespace ?? object.metadata.namespace ?? '', name: image.name})];
        return [
          ...images.byIndex('drive', keyOf(refOfObject(object))).map((candidate) => keyOf(refOfObject(candidate))),
          ...waiting.filter((key) => isGoing(images.get(key))),
        ];
      }),
    ],
    async reconcile(image, scope): Promise<Result> {
      const seen = await observe(image, scope.signal);
      const {duplicate, nowMs} = scope;
      await scope.saveStatus(image, imageStatus({image, ...seen, ...(duplicate === undefined ? {} : {duplicate}), nowMs}));
      return seen.blocked === undefined ? DONE : {kind: 'blocked', ...seen.blocked};
    },
    async finalize(image, scope): Promise<Result> {
      const namespace = image.metadata.namespace ?? '';
      const wait = async (reason: Reason, message: string): Promise<Result> => {
        await scope.saveStatus(image, imageStatus({image, deleting: {reason, message}, nowMs: scope.nowMs}));
        return {kind: 'requeue', afterMs: DELETE_POLL_MS, why: message};
      };
      const copies = copiesUnderWay(image);
      if (copies.length > 0) return await wait('WaitingForClones', `drives are being copied from it: ${someOf(copies)}`);
      const target = {client, signal: scope.signal};
      const gone = await Promise.all([
        removeChild(
          {...target, type: DATA_SOURCE, informer: dataSources},
          image,
          {namespace, name: dataSourceNameOfImage(image.metadata.name)},
          'Background',
        ),
        removeVolume({...target, dataVolumes, pvcs}, image, {namespace, name: dataVolumeNameOfImage(image.metadata.name)}),
      ]);
      return gone.every(Boolean) ? DONE : await wait('WaitingForChildren', 'its DataVolume and claim are being deleted');
    },
  });
}

/** The key of the image whose claim may have this name. */
function imageKeyOfClaim({namespace = '', name}: Ref): readonly string[] {
  const prefix = dataVolumeNameOfImage('');
  return name.startsWith(prefix) ? [keyOf({namespace, name: name.slice(prefix.length)})] : [];
}

const isGoing = (image: Image | undefined): boolean => image?.metadata.deletionTimestamp !== undefined;
