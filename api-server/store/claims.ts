/**
 * Claims on drives: who may attach one. A claim is written to the drive's status under its resourceVersion, so that of two servers that
 * want an exclusive drive at the same moment exactly one gets it.
 */
import type {Drive} from '../../crds/index.ts';
import type {Clock} from '../../kube/clock.ts';
import {Failure} from '../http/failure.ts';
import {isGoneFailure} from './collection.ts';
import type {Collection, DriveClaim, WriteCall} from './types.ts';
import {isDeleting} from './types.ts';

type Claims = NonNullable<NonNullable<Drive['status']>['claims']>;

/** The claims a drive has with one more; the same list when nothing changes. Throws `in-use` and `not-found`. Pure. */
export function withClaim(drive: Drive, claim: DriveClaim, now: string): Claims {
  if (isDeleting(drive)) throw new Failure('not-found', `Drive ${drive.metadata.name} could not be found`);
  const claims = drive.status?.claims ?? [];
  const own = claims.find(({server}) => server === claim.server);
  const exclusive = drive.spec.claimType !== 'Shared';
  if (exclusive && claims.some(({server}) => server !== claim.server)) {
    throw new Failure('in-use', `Drive ${drive.metadata.name} is currently in use`);
  }
  const uid = claim.serverUid ?? own?.uid;
  if (own !== undefined && own.slot === claim.slot && own.uid === uid) return claims;
  const next = {server: claim.server, ...(uid === undefined ? {} : {uid}), slot: claim.slot, claimedAt: own?.claimedAt ?? now};
  return [...claims.filter((held) => held !== own), next];
}

/** The claims without that server's; the same list when it has none. Pure. */
export function withoutClaim(drive: Drive, server: string): Claims {
  const claims = drive.status?.claims ?? [];
  return claims.some((held) => held.server === server) ? claims.filter((held) => held.server !== server) : claims;
}

/** Takes a claim; see `Store.claimDrive`. */
export function claimDrive(drives: Collection<Drive>, claim: DriveClaim, clock: Clock, call: WriteCall): Promise<Drive> {
  const now = new Date(clock.now()).toISOString();
  return drives.update(claim.drive, (drive) => replaceClaims(drive, withClaim(drive, claim, now)), {...call, subresource: 'status'});
}

/** Gives a claim back; see `Store.releaseDrive`. */
export async function releaseDrive(
  drives: Collection<Drive>,
  claim: Omit<DriveClaim, 'slot' | 'serverUid'>,
  call: WriteCall,
): Promise<void> {
  try {
    await drives.update(claim.drive, (drive) => replaceClaims(drive, withoutClaim(drive, claim.server)), {...call, subresource: 'status'});
  } catch (error) {
    if (!isGoneFailure(error)) throw error; // a drive that is gone holds no claim
  }
}

/** The drive with other claims, and `status.server` in step (it is the first claim's server); undefined when nothing changes. */
function replaceClaims(drive: Drive, claims: Claims): Drive | undefined {
  if (claims === drive.status?.claims || (claims.length === 0 && drive.status?.claims === undefined)) return undefined;
  const {server: _stale, ...rest} = drive.status ?? {};
  const first = claims[0]?.server;
  return {...drive, status: {...rest, claims, ...(first === undefined ? {} : {server: first})}} as Drive;
}
