/**
 * Where a drive's bytes come from, and whether they may be had: pure. The checks run here because CDI authorises a clone against the
 * operator, which may read everything. Something of another account that was not shared is answered like something that is not there.
 */
import type {Account, Drive, Image, Reason} from '../../../crds/index.ts';
import {uuidOf} from '../../../crds/rules/ids.ts';
import {mayRead} from '../../../crds/rules/readers.ts';
import type {VolumeSource} from '../../kubevirt/volumes.ts';
import {isDeleting} from '../../../kube/objects.ts';

/** What the source is, or why it cannot be used. `permanent`: only a change of the spec helps. */
export type DriveSource =
  | {readonly kind: 'blank'}
  | {readonly kind: 'bytes'; readonly source: VolumeSource; readonly cloning: boolean}
  | {readonly kind: 'blocked'; readonly reason: Reason; readonly message: string; readonly permanent: boolean};

/** What was looked up for a drive. */
export interface SourceView {
  readonly image: Image | undefined;
  readonly sourceDrive: Drive | undefined;
  /** Name of a server whose guest runs on the source drive, if any. */
  readonly sourceMountedBy: string | undefined;
  /** The account whose namespace the drive is in; absent for the system namespace. */
  readonly account: Account | undefined;
}

const blocked = (reason: Reason, message: string, permanent = false): DriveSource => ({kind: 'blocked', reason, message, permanent});

/** What an image says of itself, as the end of a sentence. */
const because = ({status}: Image): string => {
  const message = status?.conditions?.find(({type}) => type === 'Ready')?.message ?? '';
  return message === '' ? '' : `: ${message}`;
};

function fromImage(drive: Drive, name: string, namespace: string, image: Image | undefined): DriveSource {
  const own = namespace === drive.metadata.namespace;
  if (image === undefined || (!own && image.spec.visibility !== 'Public'))
    return blocked('DependencyMissing', `image ${namespace}/${name} does not exist`);
  const claim = image.status?.dataVolume;
  if (image.status?.phase === 'Failed') return blocked('DependencyNotReady', `image ${name} failed to import${because(image)}`, true);
  if (isDeleting(image)) return blocked('ObjectDeleted', `image ${name} is being deleted`);
  if (image.status?.phase !== 'Ready' || claim === undefined) return blocked('DependencyNotReady', `image ${name} is not imported yet`);
  const least = image.status.sizeBytes ?? 0;
  if (drive.spec.sizeBytes < least)
    return blocked('CloneFailed', `the drive has fewer bytes than image ${name}, which needs ${least}`, true);
  return {kind: 'bytes', source: {kind: 'claim', namespace, name: claim}, cloning: true};
}

function fromDrive(drive: Drive, name: string, namespace: string, {sourceDrive, sourceMountedBy, account}: SourceView): DriveSource {
  const own = namespace === drive.metadata.namespace;
  const reader = account === undefined ? undefined : {name: account.metadata.name, uuid: uuidOf(account)};
  if (sourceDrive === undefined || (!own && !mayRead(sourceDrive, reader)))
    return blocked('DependencyMissing', `drive ${namespace}/${name} does not exist`);
  const claim = sourceDrive.status?.persistentVolumeClaim;
  if (isDeleting(sourceDrive)) return blocked('ObjectDeleted', `drive ${name} is being deleted`);
  if (sourceDrive.status?.phase !== 'Ready' || claim === undefined) return blocked('DependencyNotReady', `drive ${name} is not ready yet`);
  if (drive.spec.sizeBytes < sourceDrive.spec.sizeBytes) {
    return blocked('CloneFailed', `the drive has fewer bytes than its source, which has ${sourceDrive.spec.sizeBytes}`, true);
  }
  if (sourceMountedBy !== undefined)
    return blocked('InUse', `drive ${name} is in use by server ${sourceMountedBy}; the copy starts when that has stopped`);
  return {kind: 'bytes', source: {kind: 'claim', namespace, name: claim}, cloning: true};
}

/** Decides the source of a drive. */
export function driveSource(drive: Drive, view: SourceView): DriveSource {
  const {source} = drive.spec;
  const home = drive.metadata.namespace ?? '';
  if (source?.image !== undefined) return fromImage(drive, source.image.name, source.image.namespace ?? home, view.image);
  if (source?.drive !== undefined) return fromDrive(drive, source.drive.name, source.drive.namespace ?? home, view);
  if (source?.upload !== undefined) return {kind: 'bytes', source: {kind: 'upload'}, cloning: false};
  return {kind: 'blank'};
}
