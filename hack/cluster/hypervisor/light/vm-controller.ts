/** Plays KubeVirt's VM controller in light mode: VM → VMI on a node → VM status. */
import type {KubeClient} from '../../../../kube/client.ts';
import type {Clock} from '../../../../kube/clock.ts';
import {isAlreadyExists, isConflict, isNotFound} from '../../../../kube/errors.ts';
import type {Informer} from '../../../../kube/informer.ts';
import type {Logger} from '../../../../kube/log.ts';
import {keyOf, refOfObject} from '../../../../kube/objects.ts';
import type {CoreNode} from '../../../../kube/types.ts';
import {createKeyedQueue} from '../keyed-queue.ts';
import type {RunResult} from '../keyed-queue.ts';
import {VM, VMI} from '../types.ts';
import type {VirtualMachine, Vmi} from '../types.ts';
import {createPlacement} from './placement.ts';
import {decideVm} from './vm-decide.ts';
import {runningVmiOf, vmStatus} from './vm-status.ts';

/** What the controller works with; the informers must have synced. */
export interface VmControllerOptions {
  readonly vms: Informer<VirtualMachine>;
  readonly vmis: Informer<Vmi>;
  readonly nodes: Informer<CoreNode>;
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly workers: number;
}

/** A guest that runs at once needs no "Starting" on its VM in between: that write waits so long. */
const STARTING_GRACE_MS = 1_000;

/** Starts it. */
export function startVmController(options: VmControllerOptions): {stop(): Promise<void>} {
  const {vms, vmis, nodes, client, clock, log} = options;
  const placement = createPlacement({nodes, vmis});
  const unplaced = new Map<string, string>();
  const startingSince = new Map<string, number>();

  const run = async (key: string, signal: AbortSignal): Promise<RunResult> => {
    const vm = vms.get(key);
    const vmi = vmis.get(key);
    if (vm === undefined) {
      unplaced.delete(key);
      startingSince.delete(key);
    }
    const step = decideVm(vm, vmi);
    if (step.do === 'delete-vmi' && vmi !== undefined) {
      if (step.record !== undefined && vm !== undefined) await writeStatus(vm, vmi, {startAgain: step.record.startAgain}, signal);
      return deleteVmi(vmi, signal);
    }
    if (vm === undefined) return;
    if (step.do === 'create-vmi') {
      const created = await createVmi(key, vm, signal);
      if (created) return; // its coming to run brings the key back
    }
    return report(key, vm, vmi, signal);
  };

  const createVmi = async (key: string, vm: VirtualMachine, signal: AbortSignal): Promise<boolean> => {
    const place = placement.place(key, vm.spec.template.spec.nodeSelector ?? {});
    if ('unplaced' in place) {
      unplaced.set(key, place.unplaced);
      return false;
    }
    unplaced.delete(key);
    try {
      vmis.observe(await client.create(VMI, runningVmiOf(vm, place.node, clock.now()), {signal}));
    } catch (error) {
      placement.release(key);
      if (!isAlreadyExists(error)) throw error; // the cache is behind: its event brings the key back
    }
    return true;
  };

  const deleteVmi = async (vmi: Vmi, signal: AbortSignal): Promise<void> => {
    const {uid} = vmi.metadata;
    try {
      await client.delete(VMI, refOfObject(vmi), {...(uid === undefined ? {} : {preconditions: {uid}}), signal});
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error; // conflict: another uid has the name by now
    }
  };

  const report = async (key: string, vm: VirtualMachine, vmi: Vmi | undefined, signal: AbortSignal): Promise<RunResult> => {
    if (vm.metadata.deletionTimestamp !== undefined) return;
    const starting = vmi !== undefined && vmi.metadata.deletionTimestamp === undefined && vmi.status?.phase === 'Scheduled';
    if (starting) {
      const since = startingSince.get(key) ?? clock.monotonicMs();
      startingSince.set(key, since);
      const leftMs = since + STARTING_GRACE_MS - clock.monotonicMs();
      if (leftMs > 0) return {againInMs: leftMs};
    } else {
      startingSince.delete(key);
    }
    await writeStatus(vm, vmi, {unplaced: unplaced.get(key)}, signal);
  };

  // PUT under the resourceVersion that was looked at: a lost race throws, and the queue looks again at the newer version.
  const writeStatus = async (
    vm: VirtualMachine,
    vmi: Vmi | undefined,
    extra: Parameters<typeof vmStatus>[2],
    signal: AbortSignal,
  ): Promise<void> => {
    const status = vmStatus(vm, vmi, extra, clock.now());
    if (status === vm.status) return;
    try {
      vms.observe(await client.replace(VM, {...vm, status}, {subresource: 'status', signal}));
    } catch (error) {
      if (isNotFound(error)) return;
      throw error;
    }
  };

  const queue = createKeyedQueue({name: 'light-vm', workers: options.workers, clock, log, run});
  const enqueue = ({object}: {readonly object: VirtualMachine | Vmi}): void => queue.add(keyOf(refOfObject(object)));
  const off = [vms.onChange(enqueue), vmis.onChange(enqueue), nodes.onChange(() => [...unplaced.keys()].forEach((key) => queue.add(key)))];
  for (const object of [...vms.list(), ...vmis.list()]) enqueue({object});
  return {
    async stop() {
      for (const unsubscribe of off) unsubscribe();
      await queue.stop();
    },
  };
}
