/** Power: what the verbs of the APIs wish for, and what a spec wishes for. Pure. */
import type {ServerSpec} from '../server.ts';

/** Verbs that are wishes. A reboot is not one: it is a ServerOperation. */
export type PowerVerb = 'start' | 'stop' | 'shutdown';

/** A power state that can be wanted. */
export type PowerState = 'Running' | 'Stopped';

/** The part of a server's spec that says what power state is wanted. */
export type PowerWish = Pick<ServerSpec, 'powerState' | 'powerOffMode'>;

/** The patch of `spec` for a verb. `stop` pulls the plug; `shutdown` asks the guest, with force at the end unless `mode` is Soft. */
export function powerWish(verb: PowerVerb, mode: 'Soft' | 'TrySoft' = 'TrySoft'): PowerWish & {readonly powerState: PowerState} {
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
export const wantedPower = (spec: PowerWish): PowerState => spec.powerState ?? 'Running';
