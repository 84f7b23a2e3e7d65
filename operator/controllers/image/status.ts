/** The status of an Image, computed in one place from what was seen. Pure. */
import {conditionTime} from '../../../crds/index.ts';
import type {Image, ImageStatus} from '../../../crds/index.ts';
import {formatBytes} from '../../../crds/rules/sizes.ts';
import {uuidOf} from '../../../crds/rules/ids.ts';
import type {VolumeState} from '../../kubevirt/data-volume-state.ts';
import {NOT_DELETING, conditionsOf, deletingBecause} from '../shared/conditions.ts';
import type {Judgement} from '../shared/conditions.ts';
import type {Blocked} from './plan.ts';
import {isDeleting} from '../../../kube/objects.ts';

/** What was seen of an image. */
export interface ImageSeen {
  readonly image: Image;
  /** Why there is no DataVolume (yet). */
  readonly blocked?: Blocked;
  readonly volume?: VolumeState;
  readonly sizeBytes?: number;
  readonly dataVolume?: string;
  readonly dataSource?: string;
  readonly deleting?: Blocked;
  readonly duplicate?: Judgement;
  readonly nowMs: number;
}

function sourceReachable({volume, blocked}: ImageSeen): Judgement {
  const type = 'SourceReachable';
  if (blocked !== undefined) return {type, status: 'False', ...blocked};
  const fault = volume?.fault;
  if (fault?.reason === 'SourceUnreachable') return {type, status: 'False', reason: fault.reason, message: fault.message};
  if (fault?.reason === 'ChecksumMismatch') return {type, status: 'True', reason: 'SourceReachable', message: 'all bytes arrived'};
  const phase = volume?.phase;
  if (phase === 'Ready') return {type, status: 'True', reason: 'SourceReachable', message: 'all bytes arrived'};
  if (phase === 'AwaitingUpload') return {type, status: 'True', reason: 'AwaitingUpload', message: 'the upload may begin'};
  if (volume?.progressPercent !== undefined) return {type, status: 'True', reason: 'Importing', message: 'bytes are arriving'};
  return {type, status: 'Unknown', reason: 'Pending', message: 'nothing has arrived yet'};
}

function verified({image, volume}: ImageSeen): Judgement {
  const type = 'Verified';
  const fault = volume?.fault;
  if (fault?.reason === 'ChecksumMismatch') return {type, status: 'False', reason: fault.reason, message: fault.message};
  if (volume?.phase !== 'Ready') return {type, status: 'Unknown', reason: 'Pending', message: 'not imported yet'};
  const checksum = image.spec.source.http?.checksum;
  if (checksum === undefined) return {type, status: 'True', reason: 'NoChecksum', message: 'no checksum was given, so none was compared'};
  return {type, status: 'True', reason: 'Verified', message: 'the bytes match the checksum'};
}

function upToDate({volume}: ImageSeen): Judgement {
  const type = 'UpToDate';
  if (volume?.phase !== 'Ready') return {type, status: 'Unknown', reason: 'Pending', message: 'not imported yet'};
  return {type, status: 'True', reason: 'UpToDate', message: 'the image holds what its source had when it was imported'};
}

function ready(seen: ImageSeen): Judgement {
  const type = 'Ready';
  const {volume, blocked, deleting, duplicate} = seen;
  if (duplicate !== undefined) return duplicate;
  if (deleting !== undefined) return {type, status: 'False', reason: 'Deleting', message: 'the image is being deleted'};
  if (blocked !== undefined) return {type, status: 'False', ...blocked};
  if (volume?.fault !== undefined) return {type, status: 'False', reason: volume.fault.reason, message: volume.fault.message};
  if (volume?.phase === 'Ready') return {type, status: 'True', reason: 'Ready', message: 'servers and drives can be made from it'};
  return {type, status: 'False', reason: volume?.phase ?? 'Pending', message: 'the bytes are not there yet'};
}

/** The whole status. Once imported, size and time of import stay, whatever is seen later. */
export function imageStatus(seen: ImageSeen): ImageStatus {
  const {image, volume, deleting, nowMs} = seen;
  const phase = isDeleting(image) ? 'Deleting' : (volume?.phase ?? 'Pending');
  const done = volume?.phase === 'Ready';
  const importedAt = image.status?.importedAt ?? (done ? conditionTime(nowMs) : undefined);
  const progressPercent = done ? 100 : volume?.progressPercent;
  return {
    observedGeneration: image.metadata.generation ?? 0,
    uuid: uuidOf(image),
    phase,
    ...(progressPercent === undefined ? {} : {progressPercent}),
    ...(seen.sizeBytes === undefined ? {} : {sizeBytes: seen.sizeBytes, size: formatBytes(seen.sizeBytes)}),
    ...(seen.dataVolume === undefined ? {} : {dataVolume: seen.dataVolume}),
    ...(seen.dataSource === undefined ? {} : {dataSource: seen.dataSource}),
    ...(importedAt === undefined ? {} : {importedAt}),
    ...(volume === undefined ? {} : {attempts: volume.restarts + 1}),
    conditions: conditionsOf(
      image,
      [
        ready(seen),
        sourceReachable(seen),
        verified(seen),
        upToDate(seen),
        deleting === undefined ? NOT_DELETING : deletingBecause(deleting.reason, deleting.message),
      ],
      nowMs,
    ),
  };
}
