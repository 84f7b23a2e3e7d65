/** Conditions: plain metav1.Condition, which of them each kind has, and the one function that changes a list of them. */
import {req, s} from './schema.ts';
import type {Infer} from './schema.ts';

export {REASONS, REASON_SENTENCES, RETIRED_REASONS} from './reasons.ts';
export type {Reason} from './reasons.ts';

/** Longest message of a condition, in characters. */
export const MAX_CONDITION_MESSAGE = 1024;

const conditionSchema = s.object('One aspect of the state, judged.', {
  type: req(s.string('The aspect, in CamelCase.', {min: 1, max: 64, pattern: '^[A-Z][A-Za-z]*$'})),
  status: req(s.oneOf('The judgement.', ['True', 'False', 'Unknown'])),
  observedGeneration: req(s.integer('`metadata.generation` of the spec that was judged.', {min: 0, max: Number.MAX_SAFE_INTEGER})),
  lastTransitionTime: req(s.time('When `status` last changed.')),
  reason: req(s.string('Why, as one CamelCase word of the catalogue.', {min: 1, max: 128, pattern: '^[A-Z][A-Za-z0-9]*$'})),
  message: req(s.string('Why, for a person: what is missing, which object blocks.', {max: MAX_CONDITION_MESSAGE})),
});

/** One condition. */
export type Condition = Infer<typeof conditionSchema>;

/** `status.conditions`. */
export const conditionsField = s.listMap(
  'Every condition of the kind, from the first reconcile on; `Unknown` while not yet judged.',
  conditionSchema,
  {
    key: 'type',
    max: 32,
  },
);

/** The conditions of each kind, the summary first. A status function sets all of them on every pass. */
export const CONDITION_TYPES = {
  Region: ['Ready', 'Deleting'],
  Cell: ['Ready', 'Deleting'],
  Host: ['Ready', 'NodeFound', 'Schedulable', 'KVMAvailable', 'MaintenanceActive', 'Drained', 'Fenced', 'Deleting'],
  Account: ['Ready', 'Deleting'],
  Project: ['Ready', 'Deleting'],
  Flavor: ['Ready', 'Deleting'],
  Image: ['Ready', 'SourceReachable', 'Verified', 'UpToDate', 'Deleting'],
  Drive: ['Ready', 'Bound', 'Populated', 'Resized', 'InUse', 'Deleting'],
  Server: [
    'Ready',
    'Placed',
    'FlavorResolved',
    'ImageReady',
    'DrivesReady',
    'NetworksReady',
    'BootDataReady',
    'QuotaGranted',
    'VirtualMachineSynced',
    'PowerStateSynced',
    'Running',
    'RestartRequired',
    'Migrating',
    'Migratable',
    'AgentConnected',
    'Deleting',
    'Paused',
  ],
  ServerOperation: ['Ready', 'Deleting'],
  ServerGroup: ['Ready', 'Deleting'],
  KeyPair: ['Ready', 'Deleting'],
  Network: ['Ready', 'Deleting'],
} as const satisfies Record<string, readonly string[]>;

/** A kind that has conditions. */
export type ConditionedKind = keyof typeof CONDITION_TYPES;
/** The condition types of a kind. */
export type ConditionType<K extends ConditionedKind = ConditionedKind> = (typeof CONDITION_TYPES)[K][number];

/** A condition as judged now: without the time, which {@link setCondition} keeps. */
export type ConditionUpdate = Omit<Condition, 'lastTransitionTime'>;

/** An epoch time in milliseconds as the RFC 3339 time of whole seconds that conditions carry. */
export const conditionTime = (nowMs: number): string => `${new Date(nowMs).toISOString().slice(0, 19)}Z`;

/**
 * The list with `next` in it; order is kept, a new type goes to the end. `lastTransitionTime` is `now` (RFC 3339) when the status
 * differs from before, else what it was. A list in which nothing changes is returned as it is, so `===` tells whether to write.
 */
export function setCondition(conditions: readonly Condition[] | undefined, next: ConditionUpdate, now: string): readonly Condition[] {
  const list = conditions ?? [];
  const index = list.findIndex(({type}) => type === next.type);
  const before = list[index];
  const message = next.message.slice(0, MAX_CONDITION_MESSAGE);
  const lastTransitionTime = before?.status === next.status ? before.lastTransitionTime : now;
  const {type, status, observedGeneration, reason} = next;
  const after: Condition = {type, status, observedGeneration, lastTransitionTime, reason, message};
  if (before === undefined) return [...list, after];
  const same =
    before.status === status && before.reason === reason && before.message === message && before.observedGeneration === observedGeneration;
  return same ? list : list.with(index, after);
}
