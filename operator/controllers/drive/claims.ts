/**
 * Who holds a drive: pure rules over `Drive.status.claims`. Nothing but these claims stands between two guests and one disk: neither
 * admission nor QEMU's locks stop two VirtualMachines from mounting one volume. So a claim is stored, by PUT under the resourceVersion it
 * was decided on, before anything is promised; and a drive that belongs to a server (its root drive) is held by that server from birth.
 */
import {conditionTime} from '../../../crds/index.ts';
import type {Drive, DriveClaim as Claim, Server} from '../../../crds/index.ts';
import {ROOT_SLOT} from '../../kubevirt/slots.ts';
import {isDeleting} from '../shared/finalizer.ts';
import {controllerOf} from '../shared/owner.ts';

/** A claim whose server is not (yet) to be seen is left alone for so long: it is stored before its server is. */
export const ORPHAN_GRACE_MS = 30_000;

/** What claiming comes to. */
export type ClaimDecision =
  | {readonly kind: 'held'}
  | {readonly kind: 'claim'; readonly claims: readonly Claim[]}
  | {readonly kind: 'refused'; readonly reason: 'DriveInUse' | 'Deleting'; readonly message: string};

const claimsOf = (drive: Drive): readonly Claim[] => drive.status?.claims ?? [];

/** Whether a claim is that of this very server: by uid, once recorded, because a name may come again. */
const isClaimOf = (claim: Claim, server: Server): boolean =>
  claim.server === server.metadata.name && (claim.uid === undefined || claim.uid === server.metadata.uid);

/** The Server that a drive was made for and goes with, if any. */
export const owningServer = (drive: Drive) => {
  const owner = controllerOf(drive);
  return owner?.kind === 'Server' ? owner : undefined;
};

/** Decides whether `server` holds `drive`, may claim it now (`nowMs` is epoch time), or may not have it. */
export function decideClaim(drive: Drive, server: Server, slot: string, nowMs: number): ClaimDecision {
  const owner = owningServer(drive);
  if (owner !== undefined) {
    if (owner.uid === server.metadata.uid) return {kind: 'held'};
    return {kind: 'refused', reason: 'DriveInUse', message: `drive ${drive.metadata.name} is the root drive of server ${owner.name}`};
  }
  const others = claimsOf(drive).filter((claim) => !isClaimOf(claim, server));
  const own = claimsOf(drive).find((claim) => isClaimOf(claim, server));
  const other = others[0];
  if (drive.spec.claimType !== 'Shared' && other !== undefined) {
    return {kind: 'refused', reason: 'DriveInUse', message: `drive ${drive.metadata.name} is in use by server ${other.server}`};
  }
  if (own !== undefined) return {kind: 'held'};
  if (isDeleting(drive)) return {kind: 'refused', reason: 'Deleting', message: `drive ${drive.metadata.name} is being deleted`};
  const {name, uid} = server.metadata;
  const claim: Claim = {server: name, ...(uid === undefined ? {} : {uid}), slot, claimedAt: conditionTime(nowMs)};
  return {kind: 'claim', claims: [...others, claim]};
}

/** What the drive controller can see of the server behind a claim. */
export interface ClaimantView {
  /** Absent: no such server in the cache. */
  readonly server: Server | undefined;
  /** Whether a VirtualMachine or guest of that name still mounts the drive's volume. */
  readonly mounted: boolean;
}

/**
 * Why a claim is stale, or `undefined` while it stands. A volume that is still mounted is never given up, whatever became of the server.
 * A server that no longer lists the drive, or is not there, gets {@link ORPHAN_GRACE_MS} from the claim on, because a claim is stored
 * before the server that it is for.
 */
export function staleBecause(drive: Drive, claim: Claim, {server, mounted}: ClaimantView, nowMs: number): string | undefined {
  if (mounted) return undefined;
  const young = nowMs - Date.parse(claim.claimedAt) < ORPHAN_GRACE_MS;
  if (server === undefined) return young ? undefined : `server ${claim.server} does not exist`;
  if (!isClaimOf(claim, server)) return `server ${claim.server} is another one than claimed the drive`;
  const lists = (server.spec.disks ?? []).some((disk) => disk.drive === drive.metadata.name);
  if (lists) return undefined;
  return young ? undefined : `server ${claim.server} no longer lists the drive`;
}

/** When the youngest claim that is spared only by its youth may be looked at again, in milliseconds from now; `undefined` if there is none. */
export function nextStaleCheckMs(claims: readonly Claim[], nowMs: number): number | undefined {
  const waits = claims.map((claim) => Date.parse(claim.claimedAt) + ORPHAN_GRACE_MS - nowMs).filter((wait) => wait > 0);
  return waits.length === 0 ? undefined : Math.max(...waits);
}

/** The claims that a drive should show: the standing ones, and its owner's. */
export function standingClaims(drive: Drive, viewOf: (claim: Claim) => ClaimantView, nowMs: number): readonly Claim[] {
  const owner = owningServer(drive);
  if (owner !== undefined) {
    const claimedAt = drive.metadata.creationTimestamp ?? conditionTime(nowMs);
    return [{server: owner.name, uid: owner.uid, slot: ROOT_SLOT, claimedAt}];
  }
  return claimsOf(drive).filter((claim) => staleBecause(drive, claim, viewOf(claim), nowMs) === undefined);
}
