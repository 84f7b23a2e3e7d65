/** The pods of the runner: a life for each, begun when the pod gets its host, ended when it is deleted. */
import {mkdirSync} from 'node:fs';
import type {Informer} from '../../../kube/informer.ts';
import {keyOf, refOfObject} from '../../../kube/objects.ts';
import type {HostPower} from '../hypervisor/host-power.ts';
import {graceMsOf, runPod} from './one-pod.ts';
import type {PodContext} from './one-pod.ts';
import type {Ending} from './pod-life.ts';
import type {RunnerPod} from './pod.ts';
import {isOurs} from './programs.ts';
import {podFolder, readRecords, removeRecord} from './record.ts';
import type {PodRecord} from './record.ts';

/** A running runner. */
export interface Runner {
  /** Pods that have a life right now. */
  readonly size: number;
  /** Stops; the processes go on, for the next runner. */
  stop(): Promise<void>;
}

/** Between a life that failed (an API server that does not answer) and the next look at its pod. */
const LOOK_AGAIN_MS = 1_000;

interface Life {
  readonly ending: AbortController;
  readonly done: Promise<void>;
}

/** Starts it; `pods` has been synced. What an earlier runner left is gone on with. */
export function startRunner(pods: Informer<RunnerPod>, power: HostPower, context: PodContext): Runner {
  const {root, clock, log} = context;
  const stopping = new AbortController();
  const lives = new Map<string, Life>(); // by uid, as all of these
  const removed = new Set<string>(); // until the cache knows
  const left = readRecords(root);
  mkdirSync(context.logs, {recursive: true, mode: 0o700});

  const now = (pod: RunnerPod): RunnerPod | undefined => {
    const seen = pods.get(keyOf(refOfObject(pod)));
    return seen?.metadata.uid === pod.metadata.uid ? seen : undefined;
  };

  const look = (pod: RunnerPod): void => {
    const {uid = '', deletionTimestamp} = pod.metadata;
    if (!isOurs(pod) || stopping.signal.aborted || removed.has(uid)) return;
    const deleted = deletionTimestamp !== undefined;
    const life = lives.get(uid);
    // A host without power takes its pods with it and says nothing, also of those that are deleted.
    if (power.isOff(pod.spec.nodeName)) {
      life?.ending.abort({kind: 'off', graceMs: 0} satisfies Ending);
      return;
    }
    if (life !== undefined) {
      if (deleted) life.ending.abort({kind: 'deleted', graceMs: graceMsOf(pod)} satisfies Ending);
      return;
    }
    const over = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    if (over && !deleted) return;
    const known = left.get(uid);
    left.delete(uid);
    const ending = new AbortController();
    if (deleted) ending.abort({kind: 'deleted', graceMs: graceMsOf(pod)} satisfies Ending);
    lives.set(uid, {ending, done: live(pod, known, ending)});
  };

  const live = async (pod: RunnerPod, known: PodRecord | undefined, ending: AbortController): Promise<void> => {
    const {uid = '', name} = pod.metadata;
    await Promise.resolve(); // `lives` has it before it can end
    try {
      await runPod(pod, () => now(pod) ?? pod, known, ending, stopping.signal, context);
      if (ending.signal.aborted && (ending.signal.reason as Ending).kind === 'deleted' && now(pod) !== undefined) removed.add(uid);
    } catch (error) {
      if (stopping.signal.aborted) return;
      log.error({err: error, pod: name}, 'a pod cannot be run; looking at it again');
      await clock.sleep(LOOK_AGAIN_MS, stopping.signal).catch(() => undefined); // stopping: the look does nothing
    }
    lives.delete(uid);
    // It may have been deleted in the last moment of its life.
    const seen = now(pod);
    if (seen !== undefined) look(seen);
  };

  const endOrphan = async ({uid, name, address, process}: PodRecord): Promise<void> => {
    log.info({pod: name}, 'a pod went while no runner was there');
    try {
      if (process !== undefined) await context.processes(podFolder(root, uid), '/dev/null').stop(process, 0);
      removeRecord(root, uid);
    } catch (error) {
      log.error({err: error, pod: name}, 'its process cannot be ended');
    }
    context.addresses.release(address);
    lives.delete(uid);
  };

  for (const record of left.values()) context.addresses.keep(record.address);
  const unsubscribePower = power.onChange((node) => {
    for (const pod of pods.list()) if (pod.spec.nodeName === node) look(pod);
  });
  const unsubscribe = pods.onChange(({kind, object}) => {
    const {uid = ''} = object.metadata;
    if (kind !== 'deleted') look(object);
    else {
      removed.delete(uid);
      lives.get(uid)?.ending.abort({kind: 'gone', graceMs: 0} satisfies Ending);
    }
  });
  for (const pod of pods.list()) look(pod);
  for (const record of left.values()) lives.set(record.uid, {ending: new AbortController(), done: endOrphan(record)});
  left.clear();

  return {
    get size() {
      return lives.size;
    },
    async stop() {
      unsubscribe();
      unsubscribePower();
      stopping.abort(new Error('the pod runner is stopping'));
      await Promise.all([...lives.values()].map(({done}) => done));
    },
  };
}
