/** The state of a server as the compute API shows it, derived from the resource and a reboot that is under way. Pure. */
import type {Server} from '../../crds/index.ts';
import {wantedPower} from '../../crds/rules/power.ts';
import {isDeleting} from '../../kube/objects.ts';

/** Documented states (SUSPENDED and the like are the other API's). */
export type ApiStatus = 'BUILD' | 'ACTIVE' | 'STOPPED' | 'REBOOT' | 'RESIZE' | 'ERROR' | 'DELETED' | 'UNKNOWN';

/** `SNF:task_state`. */
export type TaskState =
  '' | 'BUILDING' | 'STARTING' | 'STOPPING' | 'REBOOTING' | 'RESIZING' | 'DESTROYING' | 'CONNECTING' | 'DISCONNECTING';

/** A verb that has been asked for and not finished: from ServerOperations. */
export type PendingVerb = 'Reboot' | 'Resize';

/** State and task. */
export interface ServerState {
  readonly status: ApiStatus;
  readonly task: TaskState;
}

/**
 * Derives the state. Between a write of the desired state and the operator's next status, the task is already the one asked for: a
 * client that reads its own stop sees STOPPING.
 */
export function stateOf(server: Server, pending: PendingVerb | undefined): ServerState {
  if (isDeleting(server)) return {status: 'DELETED', task: ''};
  const phase = server.status?.phase ?? 'BUILD';
  switch (phase) {
    case 'BUILD':
      return {status: 'BUILD', task: 'BUILDING'};
    case 'DELETING':
      return {status: 'DELETED', task: ''};
    case 'ERROR':
      return {status: 'ERROR', task: ''};
    case 'REBOOT':
      return {status: 'REBOOT', task: 'REBOOTING'};
    case 'RESIZE':
      return {status: 'RESIZE', task: 'RESIZING'};
    case 'ACTIVE':
    case 'STOPPED':
      return settled(server, phase, pending);
    // A paused guest has no state of its own in this API; neither start nor shutdown means anything to it.
    case 'PAUSED':
    case 'UNKNOWN':
      return {status: 'UNKNOWN', task: ''};
    default:
      return {status: 'UNKNOWN', task: ''};
  }
}

function settled(server: Server, phase: 'ACTIVE' | 'STOPPED', pending: PendingVerb | undefined): ServerState {
  if (pending === 'Reboot') return {status: 'REBOOT', task: 'REBOOTING'};
  if (pending === 'Resize') return {status: 'RESIZE', task: 'RESIZING'};
  const wanted = wantedPower(server.spec);
  // Only a spec that the operator has not looked at yet speaks for itself: a guest that powered itself off is not "starting".
  if (!isObserved(server)) {
    if (phase === 'ACTIVE' && wanted === 'Stopped') return {status: phase, task: 'STOPPING'};
    if (phase === 'STOPPED' && wanted === 'Running') return {status: phase, task: 'STARTING'};
  }
  return {status: phase, task: taskOf(server)};
}

function isObserved({metadata, status}: Server): boolean {
  return metadata.generation === undefined || status?.observedGeneration === undefined || status.observedGeneration >= metadata.generation;
}

const TASKS: readonly string[] = ['STARTING', 'STOPPING', 'REBOOTING', 'RESIZING'];

/** The task that the operator reports. */
function taskOf(server: Server): TaskState {
  const task = server.status?.taskState ?? '';
  return TASKS.includes(task) ? (task as TaskState) : '';
}

/** Percent: what is built of a server in BUILD, or of one that failed (100 when that was later); else 100. */
export function progressOf(server: Server, state: ServerState): number {
  if (state.status !== 'BUILD' && state.status !== 'ERROR') return 100;
  // The operator's 100 says that the first build has ended, which BUILD contradicts.
  const most = state.status === 'BUILD' ? 99 : 100;
  return Math.min(most, Math.max(0, Math.trunc(server.status?.progressPercent ?? 0)));
}
