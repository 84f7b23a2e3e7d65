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

/** Creates it. `pods` is told of what was written, so that nothing is done twice while its watch catches up. */
export function createLauncherPods(options: {
  readonly client: KubeClient;
  readonly pods: Informer<Pod>;
  readonly clock: Clock;
}): LauncherPods {
  const {client, pods, clock} = options;
  const removed = new Set<string>(); // uids that the cache still shows
  pods.onChange(({kind, object}) => {
    if (kind === 'deleted') removed.delete(object.metadata.uid ?? '');
  });
  const unlessGone = async <T>(call: Promise<T>): Promise<T | undefined> => {
    try {
      return await call;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  return {
    async remove(pod, signal) {
      const {uid = ''} = pod.metadata;
      if (removed.has(uid)) return;
      await unlessGone(client.delete(POD, refOfObject(pod), {gracePeriodSeconds: 0, preconditions: {uid}, signal}));
      if (pods.get(keyOf(refOfObject(pod)))?.metadata.uid === uid) removed.add(uid);
    },
    async complete(pod, signal) {
      const lastTransitionTime = wholeSecond(clock.now());
      const conditions = ['Ready', 'ContainersReady'].map((type) => ({type, status: 'False', reason: 'PodCompleted', lastTransitionTime}));
      const patch = {status: {phase: 'Succeeded', conditions}};
      const written = await unlessGone(client.mergePatch(POD, refOfObject(pod), patch, {subresource: 'status', signal}));
      if (written !== undefined) pods.observe(written);
    },
  };
}
