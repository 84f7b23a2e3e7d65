/**
 * Power: what the VirtualMachine's runStrategy should say and which call helps, from what is wanted and what is seen. Pure. We are its
 * only writer, and write two values. How KubeVirt 1.9 behaves, as far as the rules below depend on it (virt-controller, watch/vm):
 * - `RerunOnFailure` makes an instance only when there is none and either a start request is pending or `status.runStrategy` differs from
 *   the spec. So a start is written only while the status does not show it and no instance is left; else nothing would ever start.
 * - `status.runStrategy` follows the spec from the first instance on, also when making the instance failed: such a start is lost.
 * - An instance that ended Failed gets a start request; one that Succeeded (the guest switched itself off, or was evicted and shut down
 *   in time) does not.
 * - `status.observedGeneration` is the generation of the last instance: it shows whether the present spec ever ran.
 */
import type {VirtualMachine, VirtualMachineInstance} from '../../kubevirt/types.ts';
import type {RunStrategy} from '../../kubevirt/virtual-machine.ts';

/** Seconds that a guest has with `powerOffMode: TrySoft` before it is switched off. */
export const TRY_SOFT_GRACE_SECONDS = 60;

/** What is wanted and known. */
export interface PowerView {
  readonly wanted: 'Running' | 'Stopped';
  readonly offMode: 'Hard' | 'Soft' | 'TrySoft';
  /** False: a drive is not held, or something else that the guest needs is missing. It must not start now. */
  readonly mayStart: boolean;
  readonly machine: VirtualMachine | undefined;
  readonly instance: VirtualMachineInstance | undefined;
  /** The guest was seen running since the last start. */
  readonly seenRunning: boolean;
  /** The guest was, or is being, moved off its host against its will. */
  readonly evicted: boolean;
}

/** A call beside the spec. */
export type PowerCall =
  {readonly kind: 'stop'; readonly gracePeriodSeconds: number} | {readonly kind: 'start'; readonly why: 'evicted' | 'lost'};

/** What to do. */
export interface PowerPlan {
  readonly runStrategy: RunStrategy;
  readonly call?: PowerCall;
  /** The guest switched itself off: to be confirmed on fresh reads, then `spec.powerState` becomes Stopped. */
  readonly guestStopped?: true;
}

/** Whether an instance has ended. */
export const isFinal = (instance: VirtualMachineInstance): boolean =>
  instance.status?.phase === 'Succeeded' || instance.status?.phase === 'Failed';

const graceOf = (offMode: PowerView['offMode']): number | undefined =>
  ({Hard: 0, TrySoft: TRY_SOFT_GRACE_SECONDS, Soft: undefined})[offMode];

/** Shortens the guest's time to shut down. Level-triggered: the call is made until the instance shows it. */
export function stopCall(instance: VirtualMachineInstance | undefined, offMode: PowerView['offMode']): PowerCall | undefined {
  const wanted = graceOf(offMode);
  if (instance === undefined || isFinal(instance) || wanted === undefined) return undefined;
  const present = instance.spec.terminationGracePeriodSeconds ?? 0;
  return present > wanted ? {kind: 'stop', gracePeriodSeconds: wanted} : undefined;
}

const requested = (machine: VirtualMachine): boolean => (machine.status?.stateChangeRequests ?? []).some(({action}) => action === 'Start');

/** An instance exists, as far as either cache knows: they fill independently, and only both together prove that there is none. */
const exists = ({machine, instance}: PowerView): boolean => instance !== undefined || machine?.status?.created === true;

function planRunning(view: PowerView): PowerPlan {
  const {machine, mayStart} = view;
  const spec = machine?.spec.runStrategy;
  const seen = machine?.status?.runStrategy;
  if (machine === undefined) return {runStrategy: mayStart ? 'RerunOnFailure' : 'Halted'};
  if (spec === 'Halted') {
    const visible = !exists(view) && seen !== 'RerunOnFailure';
    return {runStrategy: visible && mayStart ? 'RerunOnFailure' : 'Halted'};
  }
  const stay: PowerPlan = {runStrategy: 'RerunOnFailure'};
  // A strategy of somebody else's (virtctl start writes Always) is taken back; whatever runs goes on running.
  if (spec !== 'RerunOnFailure' || exists(view) || seen !== 'RerunOnFailure' || requested(machine)) return stay;
  // It should run, nothing runs, and nothing is going to happen by itself.
  if (!mayStart) return {runStrategy: 'Halted'};
  if (view.evicted) return {...stay, call: {kind: 'start', why: 'evicted'}};
  const ran = view.seenRunning || machine.status?.observedGeneration === machine.metadata.generation;
  return ran ? {...stay, guestStopped: true} : {...stay, call: {kind: 'start', why: 'lost'}};
}

/** Decides. */
export function planPower(view: PowerView): PowerPlan {
  if (view.wanted === 'Running') return planRunning(view);
  const call = stopCall(view.instance, view.offMode);
  return {runStrategy: 'Halted', ...(call === undefined ? {} : {call})};
}
