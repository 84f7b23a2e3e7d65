/** What KubeVirt says of a guest, in our words. Pure: conditions and phases in, one view out. */
import {conditionTime} from '../../../crds/index.ts';
import type {Reason} from '../../../crds/index.ts';
import type {CoreNode, Pod} from '../../../kube/types.ts';
import type {VirtualMachine, VirtualMachineInstance} from '../../kubevirt/types.ts';
import {isFinal} from './power.ts';

/** Where a guest is in its life. `ended`: it has stopped and its instance is about to go. */
export type GuestState = 'absent' | 'starting' | 'running' | 'paused' | 'stopping' | 'ended' | 'unknown';

/** A condition of KubeVirt's as an answer of ours. */
export interface Answer {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly message: string;
}

/** Why a guest does not come up. */
export interface GuestFault {
  readonly reason: Reason;
  readonly message: string;
}

/** A guest. */
export interface GuestView {
  readonly state: GuestState;
  /** KubeVirt's phase of the instance, for progress. */
  readonly phase?: string;
  readonly nodeName?: string;
  /** RFC 3339. */
  readonly startedAt?: string;
  readonly migrating: boolean;
  readonly migratable: Answer;
  readonly agentConnected: Answer;
  /** The scheduler's own words, while it finds no host. */
  readonly unschedulable?: string;
  readonly fault?: GuestFault;
  /** When the instance failed without anybody having halted the machine. RFC 3339, whole seconds. */
  readonly failedAt?: string;
  /** Why the guest does not run, or failed, in the words of KubeVirt: they name what a person can do something about. */
  readonly why?: string;
  /** What the guest runs without although its spec has it, in the words of its host. */
  readonly shortfall?: string;
  /** It is being moved off its host against its will. */
  readonly evicted: boolean;
  /** Addresses that the guest or KubeVirt reports, by MAC. */
  readonly addresses: ReadonlyMap<string, string>;
}

const conditionOf = (instance: VirtualMachineInstance | undefined, type: string) =>
  instance?.status?.conditions?.find((condition) => condition.type === type);

const answer = (instance: VirtualMachineInstance | undefined, type: string): Answer => {
  const condition = conditionOf(instance, type);
  const status = condition?.status === 'True' ? 'True' : condition?.status === 'False' ? 'False' : 'Unknown';
  return {status, message: condition?.message ?? ''};
};

/**
 * Whether a node has gone silent: Kubernetes then says `Unknown` of all that its kubelet used to say, and KubeVirt leaves the instance as it
 * was last seen. A kubelet that says itself that it is not ready is a different matter: its guests run.
 */
export const isSilent = (node: CoreNode | undefined): boolean =>
  node?.status?.conditions?.some(({type, status}) => type === 'Ready' && status === 'Unknown') ?? false;

function stateOf(
  machine: VirtualMachine | undefined,
  instance: VirtualMachineInstance | undefined,
  node: CoreNode | undefined,
): GuestState {
  if (instance === undefined) return machine?.status?.created === true ? 'starting' : 'absent';
  if (isFinal(instance)) return 'ended';
  if (isSilent(node)) return 'unknown';
  if (instance.metadata.deletionTimestamp !== undefined) return 'stopping';
  switch (instance.status?.phase) {
    case 'Running':
      return conditionOf(instance, 'Paused')?.status === 'True' ? 'paused' : 'running';
    case 'Unknown':
      return 'unknown';
    default:
      return 'starting';
  }
}

/** Words of `printableStatus` that mean: this does not come up by itself. Missing volumes are not among them, drives speak for themselves. */
const FAULTS: Readonly<Record<string, Reason>> = {
  CrashLoopBackOff: 'CrashLoop',
  ErrImagePull: 'ImagePullFailed',
  ImagePullBackOff: 'ImagePullFailed',
};

/** Longest words of KubeVirt's that are passed on, in characters: a condition has 1,024, for words of ours, too. */
const MAX_WHY = 768;

/** What KubeVirt could not do stands in condition Synchronized of the instance: virt-handler's errors, and the controller's. */
function whyNot(instance: VirtualMachineInstance | undefined): string | undefined {
  const condition = conditionOf(instance, 'Synchronized');
  const {reason = '', message = ''} = condition?.status === 'False' ? condition : {};
  // Some of its reasons are sentences, and some of its messages begin with the reason.
  const parts = message.startsWith(reason) ? [message] : [reason.replace(/\.$/, ''), message];
  const words = parts.filter((part) => part !== '').join(': ');
  if (words !== '') return words.length > MAX_WHY ? `${words.slice(0, MAX_WHY)}…` : words;
  return instance?.status?.phase === 'Failed' && instance.status.reason !== '' ? instance.status.reason : undefined;
}

const SAYS = '; KubeVirt says: ';

/** A sentence of ours and, where there is one, KubeVirt's. */
export const withWhy = (message: string, why: string | undefined): string => (why === undefined ? message : `${message}${SAYS}${why}`);

/** KubeVirt's part of a sentence that {@link withWhy} made. */
export function whyIn(message: string): string | undefined {
  const at = message.indexOf(SAYS);
  return at === -1 ? undefined : message.slice(at + SAYS.length);
}

function faultOf(machine: VirtualMachine | undefined): GuestFault | undefined {
  const word = machine?.status?.printableStatus ?? '';
  const reason = FAULTS[word];
  const failure = machine?.status?.conditions?.find(({type, status}) => type === 'Failure' && status === 'True');
  const retry = machine?.status?.startFailure?.retryAfterTimestamp;
  if (reason === 'CrashLoop')
    return {
      reason,
      message: `the guest failed ${machine?.status?.startFailure?.consecutiveFailCount ?? 1} times in a row; next start at ${retry ?? 'an unknown time'}`,
    };
  if (reason !== undefined) return {reason, message: `the container that runs the guest cannot be fetched (${word})`};
  return failure === undefined ? undefined : {reason: 'VirtualMachineRefused', message: failure.message ?? failure.reason ?? ''};
}

/** An eviction leaves its marks on the launcher pod and on the instance; both go with the guest, so whoever sees them must remember. */
function isEvicted(instance: VirtualMachineInstance | undefined, pods: readonly Pod[]): boolean {
  if (instance === undefined || isFinal(instance)) return false;
  const evacuating = instance.status?.evacuationNodeName !== undefined && instance.status.evacuationNodeName !== '';
  if (evacuating || conditionOf(instance, 'EvictionRequested')?.status === 'True') return true;
  // Deleting an instance deletes its pod; a pod that goes while its instance stays was taken away from it.
  const left = pods.filter(({status}) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
  const disrupted = left.some(({status}) => status?.conditions?.some(({type, status: is}) => type === 'DisruptionTarget' && is === 'True'));
  const taken =
    instance.metadata.deletionTimestamp === undefined &&
    left.length > 0 &&
    left.every(({metadata}) => metadata.deletionTimestamp !== undefined);
  return disrupted || taken;
}

function startedAt(instance: VirtualMachineInstance | undefined): string | undefined {
  const running = instance?.status?.phaseTransitionTimestamps?.filter(({phase}) => phase === 'Running').at(-1);
  return running?.phaseTransitionTimestamp ?? instance?.metadata.creationTimestamp;
}

function failedAt(machine: VirtualMachine | undefined, instance: VirtualMachineInstance | undefined): string | undefined {
  if (instance?.status?.phase !== 'Failed' || machine?.spec.runStrategy === 'Halted') return undefined;
  const since = instance.status.phaseTransitionTimestamps?.findLast(({phase}) => phase === 'Failed')?.phaseTransitionTimestamp;
  const timeMs = Date.parse(since ?? instance.metadata.creationTimestamp ?? '');
  return Number.isNaN(timeMs) ? undefined : conditionTime(timeMs);
}

/** Takes machine, instance and launcher pods (of this server) together, and the node that the instance is on. */
export function viewGuest(
  machine: VirtualMachine | undefined,
  instance: VirtualMachineInstance | undefined,
  pods: readonly Pod[],
  node?: CoreNode,
): GuestView {
  const state = stateOf(machine, instance, node);
  const failed = failedAt(machine, instance);
  const scheduled = conditionOf(instance, 'PodScheduled');
  const migration = instance?.status?.migrationState;
  const nodeName = instance?.status?.nodeName;
  const started = state === 'running' || state === 'paused' || state === 'stopping' ? startedAt(instance) : undefined;
  const runs = state === 'running' || state === 'paused';
  const why = runs ? undefined : whyNot(instance);
  const fault = runs ? undefined : faultOf(machine);
  const asSpecified = conditionOf(instance, 'AsSpecified');
  const reported = (instance?.status?.interfaces ?? []).flatMap(({mac, ipAddress}) =>
    mac === undefined || ipAddress === undefined || ipAddress === '' ? [] : [[mac.toLowerCase(), ipAddress] as const],
  );
  return {
    state,
    ...(instance?.status?.phase === undefined ? {} : {phase: instance.status.phase}),
    ...(nodeName === undefined || nodeName === '' ? {} : {nodeName}),
    ...(started === undefined ? {} : {startedAt: started}),
    migrating: migration !== undefined && migration.completed !== true && migration.endTimestamp === undefined,
    migratable: answer(instance, 'LiveMigratable'),
    agentConnected: answer(instance, 'AgentConnected'),
    ...(scheduled?.status === 'False' && scheduled.reason === 'Unschedulable' ? {unschedulable: scheduled.message ?? ''} : {}),
    ...(fault === undefined ? {} : {fault}),
    ...(failed === undefined ? {} : {failedAt: failed}),
    ...(why === undefined ? {} : {why}),
    ...(runs && asSpecified?.status === 'False' ? {shortfall: asSpecified.message ?? asSpecified.reason ?? ''} : {}),
    evicted: isEvicted(instance, pods),
    addresses: new Map(reported),
  };
}
