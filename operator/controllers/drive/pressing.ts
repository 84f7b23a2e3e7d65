/** Which changes of a drive's status are written at once; the others wait a little and go together. Pure. */
import type {DriveStatus} from '../../../crds/index.ts';
import {sameJson} from '../shared/same-json.ts';

/** Phases that somebody waits for. */
const ENDS: ReadonlySet<string> = new Set(['Ready', 'Failed', 'AwaitingUpload', 'Deleting']);

const pressing = (status: DriveStatus) => ({
  end: ENDS.has(status.phase ?? '') ? status.phase : undefined,
  claims: status.claims,
  claim: status.persistentVolumeClaim,
  size: status.phase === 'Ready' ? status.capacityBytes : undefined,
  deleting: status.conditions?.find(({type}) => type === 'Deleting')?.reason,
  generation: status.observedGeneration,
});

/**
 * Whether `after` must be written at once. `owned`: a root drive, which nobody looks at before its server has it; usually its first
 * status is its last.
 */
export function isPressing(before: DriveStatus | undefined, after: DriveStatus, owned: boolean): boolean {
  if (before === undefined || (owned && before.phase === undefined)) return !owned || ENDS.has(after.phase ?? '');
  return !sameJson(pressing(before), pressing(after));
}
