import type {Condition} from './types.ts';
import {wholeSecond} from './timestamps.ts';

/** What a condition should say; `undefined` as a value in {@link mergeConditions} removes it. */
export interface Verdict {
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message?: string;
}

const says = (condition: Condition, verdict: Verdict): boolean =>
  condition.status === verdict.status &&
  (condition.reason ?? '') === (verdict.reason ?? '') &&
  (condition.message ?? '') === (verdict.message ?? '');

/**
 * The whole list (a merge patch replaces lists whole) with our verdicts in place: conditions of others stay untouched, one that
 * already says the same keeps both its times, and `lastTransitionTime` moves only with the status. Returns the same array when
 * nothing changes, so that callers can skip the write; what is written has both times everywhere. `probe` is the name that the kind has for the other time (CDI says heartbeat).
 */
export function mergeConditions(
  present: readonly Condition[] | undefined,
  verdicts: Readonly<Record<string, Verdict | undefined>>,
  nowMs: number,
  probe: 'lastProbeTime' | 'lastHeartbeatTime' = 'lastProbeTime',
): readonly Condition[] {
  const before = present ?? [];
  const now = wholeSecond(nowMs);
  const pending = new Map(Object.entries(verdicts));
  let changed = false;
  const after: Condition[] = [];
  for (const condition of before) {
    if (!pending.has(condition.type)) {
      after.push(condition);
      continue;
    }
    const verdict = pending.get(condition.type);
    pending.delete(condition.type);
    if (verdict === undefined) {
      changed = true; // dropped
    } else if (says(condition, verdict)) {
      after.push(condition);
    } else {
      changed = true;
      const since = condition.status === verdict.status ? (condition.lastTransitionTime ?? now) : now;
      after.push({type: condition.type, ...verdict, [probe]: now, lastTransitionTime: since});
    }
  }
  for (const [type, verdict] of pending) {
    if (verdict === undefined) continue;
    changed = true;
    after.push({type, ...verdict, [probe]: now, lastTransitionTime: now});
  }
  return changed ? after.map((condition) => timed(condition, probe, now)) : before;
}

/**
 * virt-controller writes some conditions with times that are null. A merge patch drops nulls, also inside lists, and virt-controller's own
 * patches test the whole list with them: it would fail for ever. So what is written has both times.
 */
function timed(condition: Condition, probe: 'lastProbeTime' | 'lastHeartbeatTime', now: string): Condition {
  const since = condition.lastTransitionTime ?? now;
  return {...condition, [probe]: condition[probe] ?? since, lastTransitionTime: since};
}

/** Whether the condition is there with status True. */
export function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
}
