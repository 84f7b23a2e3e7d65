/** Who holds a drive. */
import type {Drive, DriveClaim} from '../../crds/index.ts';
import {ORPHANED_CLAIM_GRACE_MS} from '../../crds/rules/claims.ts';
import {Failure} from '../http/failure.ts';
import type {Input} from '../http/types.ts';
import type {Store} from '../store/types.ts';
import {inUse, invalid} from './errors.ts';
import type {Properties} from './codec.ts';

/** A device of a server that is about to exist, with its drive. */
export interface Connection {
  readonly slot: string;
  /** Key of the body, for messages. */
  readonly key: string;
  readonly drive: Drive;
  readonly driveUuid: string;
}

/** The claims that keep a drive from being destroyed. The operator releases the others; until it has, they do not count. */
export function activeClaims(drive: Drive, store: Pick<Store, 'servers'>, nowMs: number): readonly DriveClaim[] {
  const namespace = drive.metadata.namespace ?? '';
  return (drive.status?.claims ?? []).filter((claim) => {
    const server = store.servers.get({namespace, name: claim.server});
    if (server !== undefined) return !claim.uid || claim.uid === server.metadata.uid;
    return !claim.uid && nowMs - Date.parse(claim.claimedAt) < ORPHANED_CLAIM_GRACE_MS;
  });
}

/** Gives back what was taken. Not cut short by the client going away: a claim left behind would block its drive for {@link ORPHANED_CLAIM_GRACE_MS}. */
export async function release(store: Store, namespace: string, server: string, drives: readonly string[]): Promise<void> {
  const {signal} = new AbortController();
  await Promise.all(drives.map((name) => store.releaseDrive({drive: {namespace, name}, server}, {signal})));
}

/**
 * Takes the claims on all drives of a server that does not exist yet, or none: what was taken before a refusal is given back. Throws 409
 * for a drive that another server has, 400 for one that went away meanwhile; both name the key.
 */
export async function claimAll(
  input: Input,
  store: Store,
  server: string,
  connections: readonly Connection[],
  echo: Properties,
): Promise<void> {
  const {namespace} = input.caller;
  const taken: string[] = [];
  for (const {drive, driveUuid, slot, key} of connections) {
    const {name} = drive.metadata;
    try {
      await store.claimDrive({drive: {namespace, name}, server, slot}, {signal: input.signal});
      taken.push(name);
    } catch (error) {
      await release(store, namespace, server, taken);
      if (!(error instanceof Failure)) throw error;
      if (error.code === 'in-use') throw inUse('Drive', driveUuid, {field: key, echo});
      if (error.code === 'not-found') throw invalid([{path: key, message: `Drive ${driveUuid} could not be found`}], echo);
      throw error;
    }
  }
}
