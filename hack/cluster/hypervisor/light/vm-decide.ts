/** KubeVirt's VM controller as pure functions, for the run strategies that Basalt writes (and the plain cases of the others). */
import type {VirtualMachine, Vmi} from '../types.ts';

/** The next step about one VM. `record` first writes a status that must not be lost. */
export type VmStep =
  | {readonly do: 'nothing'; readonly why: string}
  | {readonly do: 'create-vmi'; readonly why: string}
  | {readonly do: 'delete-vmi'; readonly why: string; readonly record?: {readonly startAgain: boolean}};

/** The run strategy that the spec asks for; `running` is the deprecated way to say it. */
export function runStrategyOf(vm: VirtualMachine): string {
  return vm.spec.runStrategy ?? (vm.spec.running === true ? 'Always' : 'Halted');
}

/** Whether the VMI is this VM's own child. */
export function isChildOf(vmi: Vmi, vm: VirtualMachine): boolean {
  return vmi.metadata.ownerReferences?.some((owner) => owner.controller === true && owner.uid === vm.metadata.uid) ?? false;
}

/** Whether a VM controller made the VMI at all: others' VMIs are left alone. */
export function hasVmOwner(vmi: Vmi): boolean {
  return vmi.metadata.ownerReferences?.some((owner) => owner.controller === true && owner.kind === 'VirtualMachine') ?? false;
}

const isFinal = (vmi: Vmi): boolean => vmi.status?.phase === 'Succeeded' || vmi.status?.phase === 'Failed';

/**
 * Whether a VM without VMI is to be started. Under RerunOnFailure only by a start request or when the *recorded* strategy differs
 * from the asked one: a guest that switched itself off stays off until somebody has seen Halted recorded and asks again.
 */
export function startExpected(vm: VirtualMachine): boolean {
  const strategy = runStrategyOf(vm);
  if (strategy === 'Always') return true;
  const requested = vm.status?.stateChangeRequests?.[0]?.action === 'Start';
  if (strategy === 'RerunOnFailure' || strategy === 'Once') return requested || vm.status?.runStrategy !== strategy;
  return strategy === 'Manual' && requested;
}

/** Decides. */
export function decideVm(vm: VirtualMachine | undefined, vmi: Vmi | undefined): VmStep {
  if (vm === undefined) {
    return vmi !== undefined && hasVmOwner(vmi) && vmi.metadata.deletionTimestamp === undefined
      ? {do: 'delete-vmi', why: 'its VM is gone'}
      : {do: 'nothing', why: 'no VM'};
  }
  if (vmi === undefined) {
    if (vm.metadata.deletionTimestamp !== undefined) return {do: 'nothing', why: 'being deleted'};
    return startExpected(vm)
      ? {do: 'create-vmi', why: `${runStrategyOf(vm)} after ${vm.status?.runStrategy ?? 'nothing'}`}
      : {do: 'nothing', why: 'stopped'};
  }
  if (vmi.metadata.deletionTimestamp !== undefined) return {do: 'nothing', why: 'its VMI is being deleted'};
  if (!isChildOf(vmi, vm))
    return hasVmOwner(vmi)
      ? {do: 'delete-vmi', why: 'it belongs to an earlier VM of this name'}
      : {do: 'nothing', why: 'a VMI of somebody else has the name'};
  if (vm.metadata.deletionTimestamp !== undefined) return {do: 'delete-vmi', why: 'the VM is being deleted'};
  const strategy = runStrategyOf(vm);
  if (isFinal(vmi)) {
    const again = strategy === 'Always' || (strategy === 'RerunOnFailure' && vmi.status?.phase === 'Failed');
    // Recorded before the VMI goes: afterwards nothing tells a guest that switched itself off from one that was never started.
    return {do: 'delete-vmi', why: `the guest ended ${vmi.status?.phase ?? ''}`, record: {startAgain: again}};
  }
  return strategy === 'Halted' ? {do: 'delete-vmi', why: 'Halted'} : {do: 'nothing', why: 'runs'};
}
