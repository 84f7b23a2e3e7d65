/** The status of a VM and the VMI made from it, in light mode: pure. */
import {isTrue, mergeConditions} from '../conditions.ts';
import type {Verdict} from '../conditions.ts';
import {simulatedFacts} from '../simulated-guest.ts';
import {runningPatch} from '../status.ts';
import {wholeSecond} from '../timestamps.ts';
import {LABELS} from '../types.ts';
import type {Condition, VirtualMachine, Vmi, VmiSpec, VmStatus} from '../types.ts';
import {runStrategyOf, startExpected} from './vm-decide.ts';

/** Why no node was found; absent when one was, or none was looked for. */
export type Unplaced = string | undefined;

/** What the VM's status should be. Returns the present one (the same object) when it already says so. */
export function vmStatus(
  vm: VirtualMachine,
  vmi: Vmi | undefined,
  extra: {readonly unplaced?: Unplaced; readonly startAgain?: boolean},
  nowMs: number,
): VmStatus {
  const before = vm.status ?? {};
  const created = vmi !== undefined;
  const generation = Number(vmi?.metadata.annotations?.['kubevirt.io/vm-generation'] ?? Number.NaN);
  const after: VmStatus = {
    ...before,
    created,
    ready: isTrue(vmi?.status?.conditions, 'Ready') && vmi?.status?.phase === 'Running',
    printableStatus: printable(vm, vmi, extra.unplaced),
    conditions: vmConditions(before.conditions, vmi, extra.unplaced, nowMs),
    // Recorded once the VM has been started at least once, so that a VM never started is told from a stopped one.
    ...(before.runStrategy !== undefined || created ? {runStrategy: runStrategyOf(vm)} : {}),
    ...(Number.isNaN(generation) ? {} : {observedGeneration: generation, desiredGeneration: vm.metadata.generation ?? generation}),
    stateChangeRequests: extra.startAgain === true ? [{action: 'Start'}] : created ? [] : (before.stateChangeRequests ?? []),
  };
  return sameStatus(before, after) ? before : after;
}

function printable(vm: VirtualMachine, vmi: Vmi | undefined, unplaced: Unplaced): string {
  if (vm.metadata.deletionTimestamp !== undefined) return 'Terminating';
  if (vmi === undefined) {
    if (!startExpected(vm)) return 'Stopped';
    return unplaced === undefined ? 'Starting' : 'ErrorUnschedulable';
  }
  const phase = vmi.status?.phase;
  if (phase === 'Succeeded' || phase === 'Failed') return 'Stopped';
  if (vmi.metadata.deletionTimestamp !== undefined || runStrategyOf(vm) === 'Halted') return 'Stopping';
  if (phase !== 'Running') return 'Starting';
  return isTrue(vmi.status?.conditions, 'Paused') ? 'Paused' : 'Running';
}

// What KubeVirt copies from the VMI; those that the VMI has not are removed from the VM.
const COPIED = ['LiveMigratable', 'StorageLiveMigratable', 'AgentConnected', 'Paused', 'PodScheduled'] as const;

function vmConditions(
  before: readonly Condition[] | undefined,
  vmi: Vmi | undefined,
  unplaced: Unplaced,
  nowMs: number,
): readonly Condition[] {
  const verdicts: Record<string, Verdict | undefined> = {};
  const ready = vmi?.status?.conditions?.find((condition) => condition.type === 'Ready');
  if (vmi === undefined) verdicts['Ready'] = {status: 'False', reason: 'VMINotExists', message: 'VMI does not exist'};
  else if (ready === undefined)
    verdicts['Ready'] = {status: 'False', reason: 'VMIConditionMissing', message: 'VMI is missing the Ready condition'};
  else verdicts['Ready'] = verdictOf(ready);
  for (const type of COPIED) {
    const condition = vmi?.status?.conditions?.find((candidate) => candidate.type === type);
    verdicts[type] = condition === undefined ? undefined : verdictOf(condition);
  }
  if (unplaced !== undefined) verdicts['PodScheduled'] = {status: 'False', reason: 'Unschedulable', message: unplaced};
  return mergeConditions(before, verdicts, nowMs);
}

const verdictOf = ({status, reason, message}: Condition): Verdict => ({
  status: status === 'True' ? 'True' : 'False',
  ...(reason === undefined ? {} : {reason}),
  ...(message === undefined ? {} : {message}),
});

function sameStatus(before: VmStatus, after: VmStatus): boolean {
  return (
    before.created === after.created &&
    before.ready === after.ready &&
    before.printableStatus === after.printableStatus &&
    before.runStrategy === after.runStrategy &&
    before.observedGeneration === after.observedGeneration &&
    before.desiredGeneration === after.desiredGeneration &&
    before.conditions === after.conditions &&
    (before.stateChangeRequests ?? []).map((request) => request.action).join() ===
      (after.stateChangeRequests ?? []).map((request) => request.action).join()
  );
}

/**
 * The VMI of a VM, on its node and running: a simulated guest runs the moment it is handed over, and the life cycle adopts it. One write does
 * what virt-controller and virt-handler do in six.
 */
export function runningVmiOf(vm: VirtualMachine, nodeName: string, nowMs: number): Vmi {
  const vmi = scheduledVmiOf(vm, nodeName, nowMs);
  const {interfaces, ...status} = runningPatch(vmi, simulatedFacts(vmi), undefined, nowMs).status; // no pods, so no pod's address either
  // A MAC address that the spec leaves open is made from the uid that the API server has yet to give: the life cycle adds that later.
  const known = (vmi.spec.domain.devices?.interfaces ?? []).every(({macAddress}) => macAddress !== undefined);
  return {...vmi, status: {...vmi.status, ...status, ...(known ? {interfaces} : {})} as NonNullable<Vmi['status']>};
}

function scheduledVmiOf(vm: VirtualMachine, nodeName: string, nowMs: number): Vmi {
  const {metadata, spec} = vm.spec.template;
  const now = wholeSecond(nowMs);
  const {name, namespace, uid = '', generation = 1} = vm.metadata;
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: {
      name,
      ...(namespace === undefined ? {} : {namespace}),
      labels: {...metadata?.labels, 'vm.kubevirt.io/name': name, [LABELS.node]: nodeName},
      annotations: {...metadata?.annotations, 'kubevirt.io/vm-generation': String(generation)},
      ownerReferences: [{apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachine', name, uid, controller: true, blockOwnerDeletion: true}],
    },
    spec: withDefaultNetwork(spec),
    status: {
      phase: 'Scheduled',
      nodeName,
      phaseTransitionTimestamps: (['Pending', 'Scheduling', 'Scheduled'] as const).map((phase) => ({phase, phaseTransitionTimestamp: now})),
    },
  };
}

// As KubeVirt's mutating webhook: no lists and nobody said no means one NIC on the pod network.
function withDefaultNetwork(spec: VmiSpec): VmiSpec {
  const devices = spec.domain.devices ?? {};
  const refused = (devices as {readonly autoattachPodInterface?: boolean}).autoattachPodInterface === false;
  if (refused || devices.interfaces !== undefined || spec.networks !== undefined) return spec;
  return {
    ...spec,
    domain: {...spec.domain, devices: {...devices, interfaces: [{name: 'default', masquerade: {}}]}},
    networks: [{name: 'default', pod: {}}],
  };
}
