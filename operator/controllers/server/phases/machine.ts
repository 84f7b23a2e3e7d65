/** The VirtualMachine and its seed: applies both, at the same time, and makes the calls that power needs beside the spec. */
import type {ServerResources} from '../../../../crds/index.ts';
import {uuidOf} from '../../../../crds/rules/ids.ts';
import {ROOT_SLOT} from '../../../../crds/slots.ts';
import {ApiError, isConflict, isNotFound} from '../../../../kube/errors.ts';
import {isDeleting, refOfObject} from '../../../../kube/objects.ts';
import {SECRET} from '../../../../kube/types.ts';
import {freshly} from '../../../children/ensure.ts';
import {callSubresource} from '../../../children/subresource.ts';
import {buildCloudInitSecret, hostNameOf} from '../../../kubevirt/cloud-init.ts';
import type {MachineDisk} from '../../../kubevirt/disks.ts';
import type {MachineNic} from '../../../kubevirt/nics.ts';
import {VIRTUAL_MACHINE, VIRTUAL_MACHINE_INSTANCE} from '../../../kubevirt/types.ts';
import type {VirtualMachine} from '../../../kubevirt/types.ts';
import {buildVirtualMachine, guestAnnotationsOf} from '../../../kubevirt/virtual-machine.ts';
import type {RunStrategy} from '../../../kubevirt/virtual-machine.ts';
import type {Deps} from '../../../runtime/types.ts';
import {hashSecret} from '../../../transforms.ts';
import {FIELD_MANAGER} from '../../shared/finalizer.ts';
import {controllerReference, isControlledBy} from '../../shared/owner.ts';
import {failed, no, yes} from '../findings.ts';
import type {Finding} from '../findings.ts';
import {planPower} from '../power.ts';
import type {PowerCall} from '../power.ts';
import type {Scope} from '../scope.ts';
import type {BootDataFound} from './boot-data.ts';

/** What the machine is made of. */
export interface Parts {
  readonly resources: ServerResources;
  readonly disks: readonly MachineDisk[];
  readonly nics: readonly MachineNic[];
  readonly bootData: BootDataFound;
}

/** Slots to boot from: as wanted; else the root slot, else the first slot with a drive. */
export function bootOrderOf(wanted: readonly string[] | undefined, disks: readonly MachineDisk[]): readonly string[] {
  if (wanted !== undefined && wanted.length > 0) return wanted;
  const first = disks.find(({slot}) => slot === ROOT_SLOT) ?? disks[0];
  return first === undefined ? [] : [first.slot];
}

/** The machine of a scope. Throws `RangeError` for what the schema should have refused. */
export function desiredMachine(scope: Scope, parts: Parts, runStrategy: RunStrategy): VirtualMachine {
  const {server, namespace, uuid, groups} = scope;
  const {cores = 1, memoryMiB = 512, cpuMHz} = parts.resources;
  const {region, cell, host} = server.spec.placement ?? {};
  return buildVirtualMachine({
    name: server.metadata.name,
    namespace,
    owner: controllerReference(server),
    uuid,
    hostname: hostNameOf(server.spec.name, server.metadata.name),
    guestAnnotations: guestAnnotationsOf(server.metadata.annotations),
    runStrategy,
    resources: {cores, memoryMiB, ...(cpuMHz === undefined ? {} : {cpuMHz})},
    disks: parts.disks,
    bootOrder: bootOrderOf(server.spec.bootOrder, parts.disks),
    nics: parts.nics,
    placement: {...(region === undefined ? {} : {region}), ...(cell === undefined ? {} : {cell}), ...(host === undefined ? {} : {host})},
    groups: groups.map((group) => ({
      id: uuidOf(group),
      policy: group.spec.policy ?? 'AntiAffinity',
      topology: group.spec.topology ?? 'Host',
    })),
    ...(parts.bootData.secretName === undefined ? {} : {cloudInitSecret: parts.bootData.secretName}),
  });
}

async function applySeed(deps: Deps, {seed}: BootDataFound): Promise<void> {
  if (seed === undefined) return;
  const desired = buildCloudInitSecret(seed);
  const live = deps.informers.secrets.get(`${seed.namespace}/${desired.metadata.name}`);
  const {object} = await deps.applier.apply(SECRET, desired, live);
  deps.informers.secrets.observe(hashSecret(object));
}

/** A refusal by schema or webhook is an answer to the spec, not a failure of the cluster. */
const isRefusal = (error: unknown): error is ApiError =>
  error instanceof ApiError &&
  (error.status === 422 || error.status === 400 || (error.status === 403 && /admission webhook/.test(error.message)));

/** Applies seed and machine. The guest's pod waits for the Secret by itself, so neither waits for the other. */
export async function applyMachine(
  deps: Deps,
  scope: Scope,
  parts: Parts,
  runStrategy: RunStrategy,
): Promise<{readonly finding: Finding; readonly machine?: VirtualMachine}> {
  const {machine: live, server} = scope;
  if (live !== undefined && !isControlledBy(live, server)) {
    return {finding: failed('NotOwned', `VirtualMachine ${live.metadata.name} exists and does not belong to this server`)};
  }
  if (live !== undefined && isDeleting(live))
    return {finding: no('ObjectDeleted', 'the VirtualMachine is being deleted; it is made anew once it is gone')};
  const desired = desiredMachine(scope, parts, runStrategy);
  const [machine, seed] = await Promise.allSettled([deps.applier.apply(VIRTUAL_MACHINE, desired, live), applySeed(deps, parts.bootData)]);
  if (machine.status === 'rejected') {
    if (!isRefusal(machine.reason)) throw machine.reason;
    return {finding: failed('VirtualMachineRefused', machine.reason.message)};
  }
  deps.informers.virtualMachines.observe(machine.value.object);
  if (seed.status === 'rejected') throw seed.reason;
  return {finding: yes('VirtualMachineSynced', 'the VirtualMachine is as the spec says'), machine: machine.value.object};
}

/** Halts a machine of which not all parts are known in this run: a guest that should be off is switched off all the same. */
export async function haltMachine(deps: Deps, {machine, server}: Scope, signal: AbortSignal): Promise<void> {
  if (machine === undefined || !isControlledBy(machine, server) || isDeleting(machine) || machine.spec.runStrategy === 'Halted') return;
  const patch = {metadata: {resourceVersion: machine.metadata.resourceVersion}, spec: {runStrategy: 'Halted'}};
  deps.informers.virtualMachines.observe(
    await deps.client.mergePatch(VIRTUAL_MACHINE, refOfObject(machine), patch, {signal, fieldManager: FIELD_MANAGER}),
  );
}

/** Makes a call of the power plan. */
export async function callPower(deps: Deps, scope: Scope, call: PowerCall, signal: AbortSignal): Promise<void> {
  const body = call.kind === 'stop' ? {gracePeriod: call.gracePeriodSeconds} : {};
  try {
    await callSubresource(deps.client, {kind: 'virtualmachines', ref: refOfObject(scope.server), verb: call.kind, body}, signal);
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error;
  }
}

/**
 * Whether the guest has really switched itself off, decided once more on fresh reads: the two caches fill independently, and a crashed
 * guest's start request may not have arrived in ours.
 */
export async function confirmGuestStopped(deps: Deps, scope: Scope, signal: AbortSignal): Promise<boolean> {
  const ref = {namespace: scope.namespace, name: scope.server.metadata.name};
  const [machine, instance] = await Promise.all([
    freshly(deps.client, VIRTUAL_MACHINE, ref, signal),
    freshly(deps.client, VIRTUAL_MACHINE_INSTANCE, ref, signal),
  ]);
  const plan = planPower({wanted: 'Running', offMode: 'Soft', mayStart: true, machine, instance, seenRunning: true, evicted: false});
  return machine !== undefined && plan.guestStopped === true;
}
