/**
 * Claims: whether a server may have a drive. Nothing but the claim stands between two guests and one disk, so it is stored under the
 * resourceVersion that it was decided on, before anything is promised. The operator and the api-server decide by this one function.
 */
import type {Drive, DriveClaim, DriveStatus} from '../drive.ts';

/** A claim whose server is not to be seen is left alone for so long, in milliseconds: it is stored before its server is. */
export const ORPHANED_CLAIM_GRACE_MS = 30_000;

/** Who wants the drive. `uid` is absent while the server does not exist yet. */
export interface Claimant {
  readonly server: string;
  readonly uid?: string | undefined;
  readonly slot: string;
}

/** What a wish for a drive comes to. `claim`: store these claims. */
export type ClaimDecision =
  | {readonly kind: 'held'}
  | {readonly kind: 'claim'; readonly claims: readonly DriveClaim[]}
  | {readonly kind: 'refused'; readonly reason: 'DriveInUse' | 'Deleting'; readonly message: string};

/** The server that the drive was made for (a root drive), if any: it holds the drive from birth. */
export const owningServer = (drive: Drive): {readonly name: string; readonly uid: string} | undefined =>
  drive.metadata.ownerReferences?.find((owner) => owner.controller === true && owner.kind === 'Server');

const sameServer = (claim: DriveClaim, {server, uid}: Pick<Claimant, 'server' | 'uid'>): boolean =>
  claim.server === server && (claim.uid === undefined || uid === undefined || claim.uid === uid);

const refused = (reason: 'DriveInUse' | 'Deleting', message: string): ClaimDecision => ({kind: 'refused', reason, message});

/** Decides. `now` is RFC 3339. Claims of other servers are kept as they are, whatever became of those: releasing is not claiming. */
export function decideClaim(drive: Drive, claimant: Claimant, now: string): ClaimDecision {
  const {server, uid, slot} = claimant;
  const {name, deletionTimestamp} = drive.metadata;
  const owner = owningServer(drive);
  if (owner !== undefined && (owner.name !== server || (uid !== undefined && owner.uid !== uid))) {
    return refused('DriveInUse', `drive ${name} is the root drive of server ${owner.name}`);
  }
  const claims = drive.status?.claims ?? [];
  const own = claims.find((claim) => sameServer(claim, claimant));
  const namesake = claims.find((claim) => claim.server === server && claim !== own);
  if (namesake !== undefined) return refused('DriveInUse', `drive ${name} is still held by an earlier server ${server}`);
  const other = claims.find((claim) => claim !== own);
  if (drive.spec.claimType !== 'Shared' && other !== undefined)
    return refused('DriveInUse', `drive ${name} is in use by server ${other.server}`);
  const wantedUid = uid ?? own?.uid;
  if (own !== undefined && own.slot === slot && own.uid === wantedUid) return {kind: 'held'};
  if (own === undefined && deletionTimestamp !== undefined) return refused('Deleting', `drive ${name} is being deleted`);
  const claim: DriveClaim = {server, ...(wantedUid === undefined ? {} : {uid: wantedUid}), slot, claimedAt: own?.claimedAt ?? now};
  return {kind: 'claim', claims: own === undefined ? [...claims, claim] : claims.map((held) => (held === own ? claim : held))};
}

/** The status with these claims, and with `server` (a column) in step. No claims: neither is there. */
export function statusWithClaims(status: DriveStatus | undefined, claims: readonly DriveClaim[]): DriveStatus {
  const {server: _server, claims: _claims, ...rest} = status ?? {};
  const first = claims[0];
  return first === undefined ? rest : {...rest, server: first.server, claims: [...claims]};
}

/** The claims without that server's; the same list when it has none, so `===` tells whether to write. A `uid` spares a namesake's. */
export function withoutClaim(claims: readonly DriveClaim[], server: Pick<Claimant, 'server' | 'uid'>): readonly DriveClaim[] {
  return claims.some((claim) => sameServer(claim, server)) ? claims.filter((claim) => !sameServer(claim, server)) : claims;
}
