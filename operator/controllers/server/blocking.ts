/** What a server waits for that somebody has to provide: worth an event when it changes. Pure. */
import type {Condition, ServerStatus} from '../../../crds/index.ts';

/** Reasons whose message names what is missing, so that another message is another obstacle. */
const NAMED: ReadonlySet<string> = new Set([
  'DependencyMissing',
  'DependencyNotReady',
  'NotPermitted',
  'NoAccount',
  'SecretMissing',
  'AttachmentMissing',
  'DriveInUse',
  'QuotaExceeded',
]);
/** Reasons whose message counts hosts, and changes with them. */
const COUNTED: ReadonlySet<string> = new Set(['NoCapacity', 'Unschedulable']);

const readyOf = (status: ServerStatus | undefined): Condition | undefined => status?.conditions?.find(({type}) => type === 'Ready');

const obstacleOf = (status: ServerStatus | undefined): string | undefined => {
  const ready = readyOf(status);
  if (ready?.status !== 'False') return undefined;
  if (NAMED.has(ready.reason)) return `${ready.reason} ${ready.message}`;
  return COUNTED.has(ready.reason) ? ready.reason : undefined;
};

/** The condition `Ready` of `after`, if it names an obstacle that `before` did not. */
export function newObstacle(before: ServerStatus | undefined, after: ServerStatus | undefined): Condition | undefined {
  const obstacle = obstacleOf(after);
  return obstacle === undefined || obstacle === obstacleOf(before) ? undefined : readyOf(after);
}
