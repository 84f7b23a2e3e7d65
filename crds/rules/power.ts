/** Power: what the verbs of the APIs wish for, and whether a wish has come true. Pure. */
import type {Server, ServerSpec} from '../server.ts';

/** Verbs that are wishes. A reboot is not one: it is a ServerOperation. */
export type PowerVerb = 'start' | 'stop' | 'shutdown';

/** The part of a server's spec that says what power state is wanted. */
export type PowerWish = Pick<ServerSpec, 'powerState' | 'powerOffMode'>;

/** The patch of `spec` for a verb. `stop` pulls the plug; `shutdown` asks the guest, with force at the end unless `mode` is Soft. */
export function powerWish(verb: PowerVerb, mode: 'Soft' | 'TrySoft' = 'TrySoft'): PowerWish {
  switch (verb) {
    case 'start':
      return {powerState: 'Running'};
    case 'stop':
      return {powerState: 'Stopped', powerOffMode: 'Hard'};
    case 'shutdown':
      return {powerState: 'Stopped', powerOffMode: mode};
  }
}

/** The power state that is wanted: the schema's default counts also for an object that no server has defaulted. */
export const wantedPower = (spec: PowerWish): 'Running' | 'Stopped' => spec.powerState ?? 'Running';

/** How far a wish is. `failed`: the server is in ERROR, and will not get there by waiting. */
export type PowerProgress = 'reached' | 'underway' | 'failed';

/**
 * Whether the server is as its spec wants it. A status that describes an older spec (`observedGeneration`) proves nothing, whatever
 * phase it shows: a stopped server whose start was just asked for is not "reached".
 */
export function powerProgress(server: Server): PowerProgress {
  const {generation = 0} = server.metadata;
  const {phase, observedGeneration = 0} = server.status ?? {};
  if (phase === undefined || observedGeneration < generation) return 'underway';
  switch (phase) {
    case 'ACTIVE':
    case 'PAUSED':
      return wantedPower(server.spec) === 'Running' ? 'reached' : 'underway';
    case 'STOPPED':
      return wantedPower(server.spec) === 'Stopped' ? 'reached' : 'underway';
    case 'ERROR':
      return 'failed';
    case 'BUILD':
    case 'REBOOT':
    case 'RESIZE':
    case 'DELETING':
    case 'UNKNOWN':
      return 'underway';
  }
}
