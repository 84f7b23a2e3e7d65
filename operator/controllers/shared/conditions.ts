/** Builds the whole list of conditions of an object in one go: every condition of the kind, each pass, so that absence means nothing. */
import type {Condition} from '../../../crds/conditions.ts';
import type {KubeObject} from '../../../kube/objects.ts';

/** A condition as a status function judges it. `message` is for a person and must not change from pass to pass. */
export interface Judgement {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** An object that may carry conditions. */
export interface WithConditions extends KubeObject {
  readonly status?: {readonly conditions?: readonly Condition[]};
}

/** Longest message that the schema admits. */
const MAX_MESSAGE = 1024;

/** The conditions of `object` as judged now. `lastTransitionTime` moves only when the status of a condition does. `nowMs` is epoch time. */
export function conditionsOf(object: WithConditions, judgements: readonly Judgement[], nowMs: number): Condition[] {
  const before = new Map((object.status?.conditions ?? []).map((condition) => [condition.type, condition]));
  return judgements.map(({type, status, reason, message}) => {
    const old = before.get(type);
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
    return {type, status, reason, message: message.slice(0, MAX_MESSAGE), lastTransitionTime, observedGeneration: object.metadata.generation ?? 0};
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
export const deletingBecause = (reason: string, message: string): Judgement => ({type: 'Deleting', status: 'True', reason, message});
