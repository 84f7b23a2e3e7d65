/**
 * Which claims on a drive still stand. Taking one is the shared rule of crds/rules/claims.ts; giving one up for a server that cannot do so
 * itself is the drive controller's part. Pure.
 */
import type {DriveClaim as Claim, Drive, Server} from '../../../crds/index.ts';
import {ROOT_SLOT, conditionTime} from '../../../crds/index.ts';
import {ORPHANED_CLAIM_GRACE_MS, owningServer} from '../../../crds/rules/claims.ts';

/** What the drive controller can see of the server behind a claim. */
export interface ClaimantView {
  /** Absent: no such server in the cache. */
  readonly server: Server | undefined;
  /** Whether a VirtualMachine or guest of that name still mounts the drive's volume. */
  readonly mounted: boolean;
}

/**
 * Why a claim is stale, or `undefined` while it stands. A volume that is still mounted is never given up, whatever became of the server.
 * A server that no longer lists the drive, or is not there, gets {@link ORPHANED_CLAIM_GRACE_MS} from the claim on, because a claim is stored
 * before the server that it is for.
 */
export function staleBecause(drive: Drive, claim: Claim, {server, mounted}: ClaimantView, nowMs: number): string | undefined {
  if (mounted) return undefined;
  const young = nowMs - Date.parse(claim.claimedAt) < ORPHANED_CLAIM_GRACE_MS;
  if (server === undefined) return young ? undefined : `server ${claim.server} does not exist`;
  if (claim.uid !== undefined && claim.uid !== server.metadata.uid) return `server ${claim.server} is another one than claimed the drive`;
  const lists = (server.spec.disks ?? []).some((disk) => disk.drive === drive.metadata.name);
  if (lists) return undefined;
  return young ? undefined : `server ${claim.server} no longer lists the drive`;
}

/** When the youngest claim that is spared only by its youth may be looked at again, in milliseconds from now; `undefined` if there is none. */
export function nextStaleCheckMs(claims: readonly Claim[], nowMs: number): number | undefined {
  const waits = claims.map((claim) => Date.parse(claim.claimedAt) + ORPHANED_CLAIM_GRACE_MS - nowMs).filter((wait) => wait > 0);
  return waits.length === 0 ? undefined : Math.max(...waits);
}

/** The claims that a drive should show: the standing ones, and its owner's. */
export function standingClaims(drive: Drive, viewOf: (claim: Claim) => ClaimantView, nowMs: number): readonly Claim[] {
  const owner = owningServer(drive);
  if (owner !== undefined) {
    const claimedAt = drive.metadata.creationTimestamp ?? conditionTime(nowMs);
    return [{server: owner.name, uid: owner.uid, slot: ROOT_SLOT, claimedAt}];
  }
  return (drive.status?.claims ?? []).filter((claim) => staleBecause(drive, claim, viewOf(claim), nowMs) === undefined);
}
