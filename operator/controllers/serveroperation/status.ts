/** The status of a ServerOperation. Pure. */
import {conditionTime} from '../../../crds/index.ts';
import type {Reason, ServerOperation, ServerOperationStatus} from '../../../crds/index.ts';
import {uuidOf} from '../../../crds/rules/ids.ts';
import {NOT_DELETING, conditionsOf} from '../shared/conditions.ts';

type Phase = NonNullable<ServerOperationStatus['phase']>;

const ENDED: ReadonlySet<Phase> = new Set<Phase>(['Completed', 'Failed', 'Superseded']);

/** The whole status at a phase. Start and end are stamped when the phase first says so. */
export function operationStatus(
  operation: ServerOperation,
  phase: Phase,
  reason: Reason,
  message: string,
  nowMs: number,
): ServerOperationStatus {
  const now = conditionTime(nowMs);
  const startTime = operation.status?.startTime ?? (phase === 'Pending' ? undefined : now);
  const completionTime = operation.status?.completionTime ?? (ENDED.has(phase) ? now : undefined);
  return {
    observedGeneration: operation.metadata.generation ?? 0,
    uuid: uuidOf(operation),
    phase,
    ...(startTime === undefined ? {} : {startTime}),
    ...(completionTime === undefined ? {} : {completionTime}),
    reason,
    message: message.slice(0, 1024),
    conditions: conditionsOf(
      operation,
      [{type: 'Ready', status: phase === 'Completed' ? 'True' : 'False', reason, message}, NOT_DELETING],
      nowMs,
    ),
  };
}
