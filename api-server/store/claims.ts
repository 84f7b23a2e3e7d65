/**
 * Claims on drives, over REST. A claim is written to the drive's status under its resourceVersion, so that of two servers that want an
 * exclusive drive at the same moment exactly one gets it. Who may have a drive is decided in crds/rules/claims.ts.
 */
import {conditionTime, type Drive} from '../../crds/index.ts';
import {decideClaim, statusWithClaims, withoutClaim} from '../../crds/rules/claims.ts';
import type {Clock} from '../../kube/clock.ts';
import {Failure} from '../http/failure.ts';
import {isGoneFailure} from './collection.ts';
import type {Collection, DriveClaim, WriteCall} from './types.ts';

/** The drive with the claim; undefined when it holds already. Throws `in-use` and `not-found`. `now` is RFC 3339. Pure. */
export function claimed(drive: Drive, {server, slot}: Omit<DriveClaim, 'drive'>, now: string): Drive | undefined {
  const decision = decideClaim(drive, {server, slot}, now);
  switch (decision.kind) {
    case 'held':
      return undefined;
    case 'claim':
      return {...drive, status: statusWithClaims(drive.status, decision.claims)};
    case 'refused':
      if (decision.reason === 'Deleting') throw new Failure('not-found', `Drive ${drive.metadata.name} could not be found`);
      throw new Failure('in-use', `Drive ${drive.metadata.name} is currently in use`);
    default:
      return decision satisfies never;
  }
}

/** Takes a claim; see `Store.claimDrive`. */
export function claimDrive(drives: Collection<Drive>, claim: DriveClaim, clock: Clock, call: WriteCall): Promise<Drive> {
  const now = conditionTime(clock.now());
  return drives.update(claim.drive, (drive) => claimed(drive, claim, now), {...call, subresource: 'status'});
}

/** Gives a claim back; see `Store.releaseDrive`. */
export async function releaseDrive(drives: Collection<Drive>, claim: Omit<DriveClaim, 'slot'>, call: WriteCall): Promise<void> {
  const released = (drive: Drive): Drive | undefined => {
    const held = drive.status?.claims ?? [];
    const claims = withoutClaim(held, claim);
    return claims === held ? undefined : {...drive, status: statusWithClaims(drive.status, claims)};
  };
  try {
    await drives.update(claim.drive, released, {...call, subresource: 'status'});
  } catch (error) {
    if (!isGoneFailure(error)) throw error; // a drive that is gone holds no claim
  }
}
