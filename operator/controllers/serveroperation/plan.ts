/** When an operation may run: at most one per server, in the order in which they were asked for, and a newer power verb makes older ones idle. Pure. */
import type {ServerOperation} from '../../../crds/index.ts';
import {byAge} from '../../../crds/rules/ids.ts';

type Verb = ServerOperation['spec']['verb'];

/** Verbs that decide whether the guest runs: of several, only the newest matters. */
const POWER_VERBS: ReadonlySet<Verb> = new Set<Verb>(['Start', 'Stop', 'Shutdown', 'Reboot']);

/** Whether an operation has ended. */
export const isOver = ({status}: ServerOperation): boolean =>
  status?.phase === 'Completed' || status?.phase === 'Failed' || status?.phase === 'Superseded';

/** Whether an operation's turn has come. */
export type Turn =
  {readonly kind: 'run'} | {readonly kind: 'superseded'; readonly by: string} | {readonly kind: 'wait'; readonly for: string};

/** Decides over all operations of one server, `operation` among them. */
export function turnOf(operation: ServerOperation, all: readonly ServerOperation[]): Turn {
  const open = all.filter((candidate) => !isOver(candidate)).toSorted(byAge);
  const own = open.findIndex(({metadata}) => metadata.uid === operation.metadata.uid);
  const newer = open.slice(own + 1).findLast(({spec}) => POWER_VERBS.has(spec.verb));
  // A reboot under way is a call or two: it is let finish.
  const idle = POWER_VERBS.has(operation.spec.verb) && !(operation.spec.verb === 'Reboot' && operation.status?.phase === 'InProgress');
  if (newer !== undefined && idle) return {kind: 'superseded', by: newer.metadata.name};
  const running = open.find((candidate) => candidate.status?.phase === 'InProgress');
  const first = running ?? open[0];
  if (first === undefined || first.metadata.uid === operation.metadata.uid) return {kind: 'run'};
  return {kind: 'wait', for: first.metadata.name};
}

/** Time that an ended operation still has, in milliseconds; 0 or less: it is due to go. */
export function remainingMs({spec, status}: ServerOperation, nowMs: number): number {
  const ended = Date.parse(status?.completionTime ?? '');
  return (Number.isNaN(ended) ? nowMs : ended) + (spec.ttlSeconds ?? 86_400) * 1000 - nowMs;
}
