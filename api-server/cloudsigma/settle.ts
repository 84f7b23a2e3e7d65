/** Waits of the synchronous verbs: a command answers when the state that it asked for has been observed, or with 504. */
import type {Server} from '../../crds/index.ts';
import {wantedPower, type PowerState} from '../../crds/rules/power.ts';
import {isDeleting, refOfObject} from '../../kube/objects.ts';
import {Failure} from '../http/failure.ts';
import type {Store} from '../store/types.ts';

/**
 * How long start, stop and destroy wait. Below the 60 s after which libcloud and the request's own deadline give up, so that the client
 * gets the API's 504 rather than a broken connection.
 */
export const SETTLE_DEADLINE_MS = 50_000;

/** How long a shutdown waits: the guest has a minute to obey before it is switched off (the operator's grace for `TrySoft`). */
export const SHUTDOWN_DEADLINE_MS = 80_000;

/** How an observed server stands to a power state that was asked for. Pure. */
export type Settlement = 'waiting' | 'settled' | 'failed' | 'overruled' | 'gone';

const REACHED = {Running: 'ACTIVE', Stopped: 'STOPPED'} as const;

/**
 * Looks at a server. What the operator observed before it saw the present spec does not count. `overruled`: someone asked for the
 * opposite meanwhile. A server that failed counts as stopped only when it says so.
 */
export function settlement(server: Server | undefined, wanted: PowerState): Settlement {
  if (server === undefined || isDeleting(server)) return 'gone';
  if (wantedPower(server.spec) !== wanted) return 'overruled';
  const {observedGeneration, phase} = server.status ?? {};
  if ((observedGeneration ?? 0) < (server.metadata.generation ?? 0)) return 'waiting';
  if (phase === REACHED[wanted]) return 'settled';
  return phase === 'ERROR' && wanted === 'Running' ? 'failed' : 'waiting';
}

/** Options of a wait. */
export interface SettleCall {
  readonly signal: AbortSignal;
  readonly deadlineMs?: number;
}

/** Waits for a power state. Resolves with the server, or undefined when it is gone; throws 504, 500 (it failed) or 409 (overruled). */
export async function waitForPower(
  store: Store,
  server: Server,
  wanted: PowerState,
  {signal, deadlineMs = SETTLE_DEADLINE_MS}: SettleCall,
): Promise<Server | undefined> {
  const seen = await store.servers.waitFor(refOfObject(server), (candidate) => settlement(candidate, wanted) !== 'waiting', {
    signal,
    deadlineMs,
  });
  const result = settlement(seen, wanted);
  switch (result) {
    case 'settled':
      return seen;
    case 'gone':
      return undefined;
    case 'failed':
      throw new Failure(
        'internal',
        `Server ${server.metadata.name} failed to start: ${seen?.status?.fault?.message ?? 'no reason is known'}`,
      );
    case 'overruled':
      throw new Failure('conflict', `Server ${server.metadata.name} was given another command meanwhile`);
    case 'waiting':
      throw new Failure('timeout', `Server ${server.metadata.name} did not settle`);
  }
}

/** Lets a wait run out of time: what is seen so far is the answer then. Other failures pass. */
export async function untilOrTimeout(wait: Promise<unknown>): Promise<void> {
  try {
    await wait;
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'timeout') throw error;
  }
}
