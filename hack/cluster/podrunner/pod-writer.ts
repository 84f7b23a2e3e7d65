/** Writes of the runner: a pod's status, and the last step of a deletion. */
import type {KubeClient} from '../../../kube/client.ts';
import type {Clock} from '../../../kube/clock.ts';
import {isConflict, isNotFound} from '../../../kube/errors.ts';
import type {Informer} from '../../../kube/informer.ts';
import type {Logger} from '../../../kube/log.ts';
import {keyOf, refOfObject} from '../../../kube/objects.ts';
import {RUNNER_POD} from './pod.ts';
import type {RunnerPod} from './pod.ts';
import {podStatus} from './status.ts';
import type {StatusFacts} from './status.ts';

const RETRY_MS = 1_000;

/** See the top of this file. A pod that is gone, or replaced by one of the same name, is written to by nobody. */
export interface PodWriter {
  /** Tries until it is written: what is not told would be believed to be as before for ever. Rejects when the signal aborts. */
  status(pod: RunnerPod, facts: Omit<StatusFacts, 'nowMs'>, signal: AbortSignal): Promise<void>;
  /** Takes a deleted pod away. */
  remove(pod: RunnerPod, signal: AbortSignal): Promise<void>;
}

/** Makes the writer; `pods` is told what was written. */
export function createPodWriter(options: {
  readonly client: KubeClient;
  readonly pods: Informer<RunnerPod>;
  readonly clock: Clock;
  readonly log: Logger;
}): PodWriter {
  const {client, pods, clock, log} = options;
  return {
    async status(pod, facts, signal) {
      for (;;) {
        const seen = pods.get(keyOf(refOfObject(pod))) ?? pod;
        if (seen.metadata.uid !== pod.metadata.uid) return;
        try {
          // The uid in the patch: another pod of the name answers with a conflict.
          const patch = {metadata: {uid: pod.metadata.uid}, status: podStatus(seen, {...facts, nowMs: clock.now()})};
          pods.observe(await client.mergePatch(RUNNER_POD, refOfObject(pod), patch, {subresource: 'status', signal}));
          return;
        } catch (error) {
          if (isNotFound(error) || isConflict(error)) return;
          signal.throwIfAborted();
          log.warn({err: error, pod: pod.metadata.name}, 'a status cannot be written; trying again');
          await clock.sleep(RETRY_MS, signal);
        }
      }
    },
    async remove(pod, signal) {
      const {uid = ''} = pod.metadata;
      try {
        await client.delete(RUNNER_POD, refOfObject(pod), {gracePeriodSeconds: 0, preconditions: {uid}, signal});
      } catch (error) {
        if (!isNotFound(error) && !isConflict(error)) throw error;
      }
    },
  };
}
