/** The status of a Drive, computed in one place from what was seen. Pure. */
import type {DriveClaim as Claim, Drive, DriveStatus, Reason} from '../../../crds/index.ts';
import {formatBytes} from '../../../crds/rules/sizes.ts';
import {uuidOf} from '../../../crds/rules/ids.ts';
import type {PersistentVolumeClaim} from '../../../kube/types.ts';
import type {VolumePhase, VolumeState} from '../../kubevirt/data-volume-state.ts';
import {NOT_DELETING, conditionsOf, deletingBecause, someOf} from '../shared/conditions.ts';
import type {Judgement} from '../shared/conditions.ts';
import {bytesOf} from '../shared/quantity.ts';
import {isGrown} from './growth.ts';
import {isDeleting} from '../../../kube/objects.ts';

/** What was seen of a drive. */
export interface DriveSeen {
  readonly drive: Drive;
  /** Why there is no volume (yet). */
  readonly blocked?: {readonly reason: Reason; readonly message: string; readonly permanent: boolean};
  readonly claim?: PersistentVolumeClaim;
  /** Absent for a blank drive. */
  readonly volume?: VolumeState;
  /** The storage class provides a volume only when a server starts on it. */
  readonly waitsForConsumer: boolean;
  /** Why growth was refused, if it was. */
  readonly growthRefused?: string;
  readonly growing: boolean;
  readonly claims: readonly Claim[];
  readonly deleting?: {readonly reason: Reason; readonly message: string};
  readonly duplicate?: Judgement;
  readonly nowMs: number;
}

/** Phase while alive. A blank drive whose class waits for its first consumer is as ready as it can be without one. */
function phaseOf({blocked, claim, volume, waitsForConsumer}: DriveSeen): VolumePhase {
  if (blocked !== undefined) return blocked.permanent ? 'Failed' : 'Pending';
  if (volume !== undefined) return volume.phase;
  if (claim?.status?.phase === 'Lost') return 'Failed';
  return claim?.status?.phase === 'Bound' || (claim !== undefined && waitsForConsumer) ? 'Ready' : 'Creating';
}

function bound({blocked, claim, waitsForConsumer}: DriveSeen): Judgement {
  const type = 'Bound';
  if (blocked !== undefined || claim === undefined)
    return {type, status: 'Unknown', reason: 'Pending', message: 'no storage has been asked for yet'};
  const {name} = claim.metadata;
  switch (claim.status?.phase ?? 'Pending') {
    case 'Bound':
      return {type, status: 'True', reason: 'Bound', message: `claim ${name} has its volume`};
    case 'Lost':
      return {type, status: 'False', reason: 'VolumeLost', message: `the volume of claim ${name} is gone`};
    case 'Pending':
      if (!waitsForConsumer) return {type, status: 'False', reason: 'WaitingForVolume', message: `claim ${name} waits for a volume`};
      return {type, status: 'False', reason: 'WaitingForConsumer', message: 'storage is provided when a server with the drive starts'};
  }
}

function populated(seen: DriveSeen): Judgement {
  const type = 'Populated';
  const {drive, blocked, volume} = seen;
  if (blocked !== undefined) return {type, status: 'False', reason: blocked.reason, message: blocked.message};
  if (volume === undefined) return {type, status: 'True', reason: 'Blank', message: 'the drive starts empty'};
  if (volume.fault !== undefined) {
    const {reason, message} = volume.fault;
    return {
      type,
      status: 'False',
      reason: reason === 'ImportFailed' && drive.spec.source?.upload === undefined ? 'CloneFailed' : reason,
      message,
    };
  }
  if (volume.phase === 'Ready') return {type, status: 'True', reason: 'Populated', message: 'all bytes are there'};
  return {type, status: 'False', reason: volume.phase, message: 'the bytes are not there yet'};
}

function resized({claim, growing, growthRefused}: DriveSeen): Judgement {
  const type = 'Resized';
  if (growthRefused !== undefined) return {type, status: 'False', reason: 'ResizeFailed', message: growthRefused};
  if (claim === undefined) return {type, status: 'Unknown', reason: 'Pending', message: 'there is no storage yet'};
  if (growing || (claim.status?.phase === 'Bound' && !isGrown(claim)))
    return {type, status: 'False', reason: 'Resizing', message: 'the storage is growing'};
  return {type, status: 'True', reason: 'Resized', message: 'the drive has its size'};
}

function inUse(claims: readonly Claim[]): Judgement {
  const type = 'InUse';
  if (claims.length === 0) return {type, status: 'False', reason: 'NotInUse', message: 'no server holds it'};
  return {type, status: 'True', reason: 'InUse', message: `held by ${someOf(claims.map(({server}) => server))}`};
}

function ready(seen: DriveSeen, parts: readonly Judgement[]): Judgement {
  const type = 'Ready';
  if (seen.duplicate !== undefined) return seen.duplicate;
  if (seen.deleting !== undefined) return {type, status: 'False', reason: 'Deleting', message: 'the drive is being deleted'};
  // Why nothing was asked for says more than that nothing was.
  if (seen.blocked !== undefined) return {type, status: 'False', reason: seen.blocked.reason, message: seen.blocked.message};
  // Nothing can be bound before a server starts, so that alone does not make a drive unready.
  const missing = parts.find(({status, reason}) => status !== 'True' && reason !== 'WaitingForConsumer');
  if (missing === undefined) return {type, status: 'True', reason: 'Ready', message: 'a server can use it'};
  return {type, status: 'False', reason: missing.reason, message: missing.message};
}

/** The whole status. Claims are shown as they stand; everything else is computed anew. */
export function driveStatus(seen: DriveSeen): DriveStatus {
  const {drive, claim, volume, claims, deleting, nowMs} = seen;
  const parts = [bound(seen), populated(seen), resized(seen)];
  const capacityBytes = bytesOf(claim?.status?.capacity?.['storage']);
  const progressPercent = volume?.progressPercent;
  const server = claims[0]?.server;
  return {
    observedGeneration: drive.metadata.generation ?? 0,
    uuid: uuidOf(drive),
    phase: isDeleting(drive) ? 'Deleting' : phaseOf(seen),
    ...(progressPercent === undefined ? {} : {progressPercent}),
    size: formatBytes(drive.spec.sizeBytes),
    ...(capacityBytes === 0 ? {} : {capacityBytes}),
    ...(claim === undefined ? {} : {persistentVolumeClaim: claim.metadata.name}),
    ...(server === undefined ? {} : {server}),
    ...(claims.length === 0 ? {} : {claims: [...claims]}),
    conditions: conditionsOf(
      drive,
      [
        ready(seen, parts),
        ...parts,
        inUse(claims),
        deleting === undefined ? NOT_DELETING : deletingBecause(deleting.reason, deleting.message),
      ],
      nowMs,
    ),
  };
}
