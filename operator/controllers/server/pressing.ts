/** Which changes of a server's status are written at once; the others wait a little and go together. Pure. */
import type {ServerStatus} from '../../../crds/index.ts';
import {sameJson} from '../shared/same-json.ts';
import {lastCrash} from './status.ts';

const condition = (status: ServerStatus | undefined, type: string) => status?.conditions?.find((candidate) => candidate.type === type);

const pressing = (status: ServerStatus | undefined) => ({
  phase: status?.phase,
  taskState: status?.taskState,
  fault: status?.fault?.reason,
  generation: status?.observedGeneration,
  ip: status?.ip,
  nics: status?.nics,
  resources: status?.resources,
  pendingChanges: status?.pendingChanges,
  ready: condition(status, 'Ready')?.status,
  // Their messages are also the memory of an eviction.
  running: condition(status, 'Running')?.status === 'True' ? condition(status, 'Running')?.message : undefined,
  power: condition(status, 'PowerStateSynced')?.reason === 'Starting' ? condition(status, 'PowerStateSynced')?.message : undefined,
  paused: condition(status, 'Paused')?.status,
  // A failed instance is gone within a moment.
  crash: lastCrash(status)?.time,
});

/**
 * The first status of a server in whose way there is nothing: its drives are filled, its machine is there and about to start. ACTIVE follows within a moment, so
 * the two are one write; until then the APIs show a server without a status as being built, which it is. What this status records (size,
 * addresses) is found again by the same rules should we crash before.
 */
const isPromising = (after: ServerStatus): boolean =>
  after.phase === 'BUILD' &&
  after.fault === undefined &&
  condition(after, 'DrivesReady')?.status === 'True' &&
  condition(after, 'VirtualMachineSynced')?.status === 'True' &&
  condition(after, 'Placed')?.status !== 'False';

/** Whether `after` must be written at once: clients wait for it, or it must survive a crash of ours. */
export function isPressing(before: ServerStatus | undefined, after: ServerStatus): boolean {
  // Most deletions are over before anybody could read about their steps; the deletionTimestamp says it at once.
  if (after.phase === 'DELETING') return false;
  return before === undefined ? !isPromising(after) : !sameJson(pressing(before), pressing(after));
}
