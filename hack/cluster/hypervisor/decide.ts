/** What to do next about one VMI: a pure decision, from the VMI, its launcher pods and its guest. life-cycle.ts carries it out. */
import type {Pod} from '../../../kube/types.ts';
import type {Guest, GuestEnd, GuestMigration, GuestState} from './guest.ts';
import type {Vmi} from './types.ts';

/** A guest as the decision sees it. */
export type GuestView = Pick<Guest, 'vmiUid'> & {
  readonly state: GuestState;
  readonly migration: Pick<GuestMigration, 'uid' | 'state' | 'failure'> | undefined;
};

/** What is known about one VMI's key. */
export interface Seen {
  readonly vmi: Vmi | undefined;
  readonly guest: GuestView | undefined;
  /** The launcher pods of this VMI's uid. */
  readonly pods: readonly Pod[];
  /** Since when (monotonic) the guest is being shut down, and when the button was last pressed; absent: it is not. */
  readonly stopping: {readonly sinceMs: number; readonly pressedMs: number} | undefined;
  /** What became of the hosts' power. */
  readonly power: PowerSeen;
  /** Monotonic. */
  readonly nowMs: number;
}

/** The power of the hosts that matter to a VMI. */
export interface PowerSeen {
  /** The host of the guest, or where it should be, has none. */
  readonly off: boolean;
  /** It had none since the guest came to it. */
  readonly lost: boolean;
  /** The target of the migration that is asked for has none. */
  readonly targetOff: boolean;
}

/** A step that needs no guest. */
export type VmiStep =
  | {readonly do: 'nothing' | 'forget-guest' | 'start' | 'adopt'; readonly why: string}
  | {readonly do: 'wait'; readonly ms: number; readonly why: string}
  | {readonly do: 'report-end'; readonly phase: 'Succeeded' | 'Failed'; readonly why: string};
/** A step with the guest. */
export type GuestStep = {readonly do: 'report-running' | 'refresh' | 'press-power-button' | 'kill' | 'cut-power'; readonly why: string};
/** A step of the guest's migration. */
export interface MigrationStep {
  readonly do: 'prepare-migration' | 'begin-migration' | 'cancel-migration' | 'report-migration' | 'forget-migration';
  readonly why: string;
}
/** The next step. Each carries the reason for the log. */
export type Step = VmiStep | GuestStep | MigrationStep;

/** KubeVirt's default of `terminationGracePeriodSeconds`. */
export const DEFAULT_GRACE_SECONDS = 30;
/** A guest that still boots misses the power button: it is pressed again so often. */
export const PRESS_AGAIN_MS = 5_000;

const PHASE_OF_END: Record<GuestEnd, 'Succeeded' | 'Failed'> = {
  shutdown: 'Succeeded',
  crashed: 'Failed',
  killed: 'Failed',
  'not-started': 'Failed',
};

const isOver = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
const isTerminating = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;

/** Whether the launcher pod in which the guest lives is going away (namespace deletion takes pods first, eviction without migration). */
export function hostPodTerminating(vmi: Vmi, pods: readonly Pod[]): boolean {
  const hosting = pods.filter((pod) => pod.spec?.nodeName === vmi.status?.nodeName && !isOver(pod));
  return hosting.length > 0 && hosting.every(isTerminating);
}

/** What to do with launcher pods in which no guest lives (any more). */
export interface PodChores {
  /** To be deleted without grace. */
  readonly remove: readonly Pod[];
  /** To be shown as Succeeded: a guest that migrated has left it, and two running pods would block the next migration. */
  readonly complete: readonly Pod[];
}

/**
 * KWOK leaves launcher pods to us because the order matters: were the pod of a running guest to go before the VMI says how the guest
 * ended, virt-controller would call it Failed. Derived from the VMI alone, so that a restart in between loses nothing.
 */
export function podChores(vmi: Vmi | undefined, all: readonly Pod[], isOff: (nodeName: string | undefined) => boolean): PodChores {
  const pods = all.filter((pod) => !isOff(pod.spec?.nodeName)); // a host without power ends no pods
  const phase = vmi?.status?.phase;
  if (phase === 'Succeeded' || phase === 'Failed') return {remove: pods, complete: []};
  if (vmi === undefined || (phase !== 'Scheduled' && phase !== 'Running')) return {remove: pods.filter(isTerminating), complete: []};
  const {nodeName, migrationState: move} = vmi.status ?? {};
  const done = move?.completed === true;
  const deserted = (pod: Pod): boolean =>
    done && move.failed === true && pod.metadata.name === move.targetPod && pod.spec?.nodeName !== nodeName;
  const left = (pod: Pod): boolean => done && move.failed !== true && pod.metadata.name === move.sourcePod && nodeName === move.targetNode;
  return {
    remove: pods.filter((pod) => deserted(pod) || (isTerminating(pod) && (isOver(pod) || pod.spec?.nodeName !== nodeName))),
    complete: pods.filter((pod) => left(pod) && !isOver(pod) && !isTerminating(pod)),
  };
}

/** Decides. */
export function decide(seen: Seen): Step {
  const {vmi, guest} = seen;
  if (vmi === undefined)
    return guest === undefined ? {do: 'nothing', why: 'the VMI is gone'} : {do: 'forget-guest', why: 'the VMI is gone'};
  if (guest !== undefined && guest.vmiUid !== vmi.metadata.uid)
    return {do: 'forget-guest', why: 'the VMI was replaced by one of the same name'};
  const phase = vmi.status?.phase;
  if (phase === 'Succeeded' || phase === 'Failed')
    return guest === undefined ? {do: 'nothing', why: 'ended'} : {do: 'forget-guest', why: `the VMI is ${phase}`};
  if (phase !== 'Scheduled' && phase !== 'Running') return {do: 'nothing', why: 'virt-controller has not handed it over'};
  if (seen.power.off)
    return guest === undefined ? {do: 'nothing', why: 'its host has no power'} : {do: 'cut-power', why: 'its host lost its power'};
  if (guest === undefined) return withoutGuest(vmi, phase, seen);
  if (guest.state.name === 'ended') return {do: 'report-end', phase: PHASE_OF_END[guest.state.how], why: guest.state.message};
  if (leavingBecause(vmi, seen) !== undefined) return shutDown(vmi, seen, leavingBecause(vmi, seen) ?? '');
  if (guest.state.name === 'starting') return {do: 'nothing', why: 'the guest is starting'};
  if (phase === 'Scheduled') return {do: 'report-running', why: 'the guest runs'};
  return migrate(vmi, guest, seen) ?? {do: 'refresh', why: 'running'};
}

function leavingBecause(vmi: Vmi, seen: Seen): string | undefined {
  if (vmi.metadata.deletionTimestamp !== undefined) return 'the VMI is being deleted';
  return hostPodTerminating(vmi, seen.pods) ? 'its launcher pod is terminating' : undefined;
}

function withoutGuest(vmi: Vmi, phase: 'Scheduled' | 'Running', seen: Seen): Step {
  if (phase === 'Running' && seen.power.lost) return {do: 'report-end', phase: 'Failed', why: 'its host lost its power, and is back'};
  if (phase === 'Running') return {do: 'adopt', why: 'running, but unknown here: this program was restarted'};
  const leaving = leavingBecause(vmi, seen);
  // Perhaps it was started, by an earlier run of this program that could not report it any more.
  if (leaving !== undefined) return {do: 'adopt', why: `${leaving}, and no guest is known`};
  if (vmi.status?.nodeName === undefined) return {do: 'nothing', why: 'no node yet'};
  return {do: 'start', why: 'handed over to the node'};
}

function shutDown(vmi: Vmi, seen: Seen, why: string): Step {
  // Read again on every turn: `stop {gracePeriod: 0}` shortens it on the way.
  const graceMs = (vmi.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS) * 1000;
  const {stopping, nowMs} = seen;
  const leftMs = (stopping?.sinceMs ?? nowMs) + graceMs - nowMs;
  if (leftMs <= 0) return {do: 'kill', why: `${why}, and its grace of ${graceMs / 1000} s is over`};
  if (stopping === undefined || nowMs - stopping.pressedMs >= PRESS_AGAIN_MS) return {do: 'press-power-button', why};
  return {do: 'wait', ms: Math.min(leftMs, stopping.pressedMs + PRESS_AGAIN_MS - nowMs), why};
}

function migrate(vmi: Vmi, guest: GuestView, seen: Seen): Step | undefined {
  const wanted = vmi.status?.migrationState;
  const open = wanted?.migrationUid !== undefined && wanted.completed !== true && wanted.endTimestamp === undefined;
  const running = guest.migration;
  if (running !== undefined && (!open || running.uid !== wanted.migrationUid)) {
    // It is reported and done with, or virt-controller ended it on the VMI because its target pod vanished.
    return {do: 'forget-migration', why: 'the VMI does not ask for it any more'};
  }
  if (!open) return undefined;
  if (running === undefined) {
    if (wanted.targetPod === undefined || wanted.targetPod === '' || wanted.targetNode === undefined) return undefined;
    return {do: 'prepare-migration', why: `to ${wanted.targetNode}`};
  }
  if (running.state === 'succeeded' || running.state === 'failed' || running.state === 'cancelled')
    return {do: 'report-migration', why: running.state};
  if (wanted.abortRequested === true) return {do: 'cancel-migration', why: 'abort requested'};
  if (seen.power.targetOff) return {do: 'cancel-migration', why: 'the target host lost its power'};
  const target = seen.pods.find((pod) => pod.metadata.name === wanted.targetPod);
  if (target !== undefined && isTerminating(target)) return {do: 'cancel-migration', why: 'the target pod is terminating'};
  if (running.state === 'ready') return {do: 'begin-migration', why: 'the target waits'};
  return {do: 'nothing', why: `the migration is ${running.state}`};
}
