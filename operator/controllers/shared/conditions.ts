/** Builds the whole list of conditions of an object in one go: every condition of the kind, each pass, so that absence means nothing. */
import {conditionTime, setCondition} from '../../../crds/conditions.ts';
import type {Condition, Reason} from '../../../crds/conditions.ts';
import type {KubeObject} from '../../../kube/objects.ts';

/** A condition as a status function judges it. `message` is for a person and must not change from pass to pass. */
export interface Judgement {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: Reason;
  readonly message: string;
}

/** An object that may carry conditions. */
export interface WithConditions extends KubeObject {
  readonly status?: {readonly conditions?: readonly Condition[]};
}

/** The conditions of `object` as judged now. `lastTransitionTime` moves only when the status of a condition does. `nowMs` is epoch time. */
export function conditionsOf(object: WithConditions, judgements: readonly Judgement[], nowMs: number): Condition[] {
  const observedGeneration = object.metadata.generation ?? 0;
  const before = object.status?.conditions;
  // One by one against what was there, so that a condition which the kind no longer has goes away.
  return judgements.flatMap((judgement) => {
    const old = before?.filter(({type}) => type === judgement.type);
    return [...setCondition(old, {...judgement, observedGeneration}, conditionTime(nowMs))];
  });
}

/** A condition of an object, if it has it. */
export const conditionOf = (object: WithConditions, type: string): Condition | undefined =>
  object.status?.conditions?.find((condition) => condition.type === type);

/** Whether a condition is there and True. */
export const isTrue = (object: WithConditions, type: string): boolean => conditionOf(object, type)?.status === 'True';

/** "a, b, c and 4 more": the first few names of a list, for messages. */
export function someOf(names: readonly string[], limit = 3): string {
  const shown = names.toSorted().slice(0, limit).join(', ');
  return names.length > limit ? `${shown} and ${names.length - limit} more` : shown;
}

/** The condition of an object that is not being deleted. */
export const NOT_DELETING: Judgement = {type: 'Deleting', status: 'False', reason: 'NotDeleting', message: ''};

/** The condition of an object whose deletion has come to `reason`. */
export const deletingBecause = (reason: Reason, message: string): Judgement => ({type: 'Deleting', status: 'True', reason, message});
