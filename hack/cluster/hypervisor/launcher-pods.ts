import type {KubeClient} from '../../../kube/client.ts';
import type {Clock} from '../../../kube/clock.ts';
import {isNotFound} from '../../../kube/errors.ts';
import type {Informer} from '../../../kube/informer.ts';
import {keyOf, refOfObject} from '../../../kube/objects.ts';
import {POD} from '../../../kube/types.ts';
import type {Pod} from '../../../kube/types.ts';
import {wholeSecond} from './timestamps.ts';
import {LABELS} from './types.ts';
import type {Vmi} from './types.ts';

/** Index of launcher pods by the key of the VMI that they were made for. */
export const BY_VMI = 'vmi';

/** The key of the VMI that owns a launcher pod; none for other pods. */
export function vmiKeyOf(pod: Pod): readonly string[] {
  const owner = pod.metadata.ownerReferences?.find((reference) => reference.kind === 'VirtualMachineInstance');
  return owner === undefined ? [] : [keyOf({name: owner.name, namespace: pod.metadata.namespace ?? ''})];
}

/** The launcher pods of a VMI's key: those of exactly this VMI, or all of the name when the VMI is gone. */
export function podsOf(pods: Pick<Informer<Pod>, 'byIndex'>, key: string, vmi: Vmi | undefined): readonly Pod[] {
  const all = pods.byIndex(BY_VMI, key);
  return vmi === undefined ? all : all.filter((pod) => pod.metadata.labels?.[LABELS.createdBy] === vmi.metadata.uid);
}

/** Ends launcher pods. Acts as an administrator: kubevirt-controller may not write a pod's status. */
export interface LauncherPods {
  /** Deletes without grace; already gone is fine. */
  remove(pod: Pod, signal: AbortSignal): Promise<void>;
  /** Shows it as Succeeded; already gone is fine. */
  complete(pod: Pod, signal: AbortSignal): Promise<void>;
}

/** Creates it. */
export function createLauncherPods(options: {readonly client: KubeClient; readonly clock: Clock}): LauncherPods {
  const unlessGone = async (call: Promise<unknown>): Promise<void> => {
    try {
      await call;
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };
  return {
    remove(pod, signal) {
      const {uid} = pod.metadata;
      const preconditions = uid === undefined ? {} : {preconditions: {uid}};
      return unlessGone(options.client.delete(POD, refOfObject(pod), {gracePeriodSeconds: 0, ...preconditions, signal}));
    },
    complete(pod, signal) {
      const lastTransitionTime = wholeSecond(options.clock.now());
      const conditions = ['Ready', 'ContainersReady'].map((type) => ({type, status: 'False', reason: 'PodCompleted', lastTransitionTime}));
      return unlessGone(
        options.client.mergePatch(POD, refOfObject(pod), {status: {phase: 'Succeeded', conditions}}, {subresource: 'status', signal}),
      );
    },
  };
}
