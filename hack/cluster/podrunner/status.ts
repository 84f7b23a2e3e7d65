/** A pod's status, as a kubelet writes it. Pure. Times are whole seconds: a fraction survives no round trip through CDI. */
import type {CoreCondition} from '../../../kube/types.ts';
import {wholeSecond} from '../hypervisor/timestamps.ts';
import {containerOf} from './pod.ts';
import type {ContainerState, RunnerPod, Terminated} from './pod.ts';

/** Longest termination message, in bytes, and how much of a log stands in for one: a kubelet's limits. */
export const TERMINATION_BYTES = 4096;
const LOG_LINES = 80;
const LOG_BYTES = 2048;

/** What a status is made from. */
export interface StatusFacts {
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  readonly state: ContainerState;
  readonly ready: boolean;
  readonly restarts: number;
  readonly last?: Terminated | undefined;
  readonly address: string;
  readonly hostAddress: string;
  /** RFC 3339. */
  readonly startTime: string;
  /** Of the pod: `DeadlineExceeded` and the like. */
  readonly reason?: string;
  readonly message?: string;
  readonly nowMs: number;
}

/** The patch of a pod's status. Conditions of others (PodScheduled) are kept, and a time moves only with its status. */
export function podStatus(pod: RunnerPod, facts: StatusFacts): object {
  const {phase, state, ready, restarts, last, address, hostAddress, startTime, reason, message, nowMs} = facts;
  const {name, image = ''} = containerOf(pod);
  const over = phase === 'Succeeded' || phase === 'Failed';
  const notReady = over ? {reason: phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed'} : {reason: 'ContainersNotReady'};
  const wanted: readonly CoreCondition[] = [
    {type: 'Initialized', status: 'True'},
    {type: 'Ready', status: ready ? 'True' : 'False', ...(ready ? {} : notReady)},
    {type: 'ContainersReady', status: ready ? 'True' : 'False', ...(ready ? {} : notReady)},
  ];
  const before = pod.status?.conditions ?? [];
  const conditions = [
    ...before.filter(({type}) => !wanted.some((condition) => condition.type === type)),
    ...wanted.map((condition) => {
      const old = before.find(({type}) => type === condition.type);
      const lastTransitionTime = old?.status === condition.status ? (old.lastTransitionTime ?? wholeSecond(nowMs)) : wholeSecond(nowMs);
      return {...condition, lastTransitionTime};
    }),
  ];
  return {
    phase,
    reason: reason ?? null,
    message: message ?? null,
    podIP: address,
    podIPs: [{ip: address}],
    hostIP: hostAddress,
    hostIPs: [{ip: hostAddress}],
    startTime,
    conditions,
    containerStatuses: [
      {
        name,
        image,
        imageID: image,
        ready,
        started: 'running' in state,
        restartCount: restarts,
        state,
        ...(last === undefined ? {} : {lastState: {terminated: last}}),
      },
    ],
  };
}

/** What a container leaves as its last word: its file, or where that is empty and the pod wants it so, the end of its log. */
export function terminationMessage(file: string, log: () => string, exitCode: number, policy: string | undefined): string {
  if (file !== '') return cut(file, TERMINATION_BYTES);
  if (policy !== 'FallbackToLogsOnError' || exitCode === 0) return '';
  return cut(log().trimEnd().split('\n').slice(-LOG_LINES).join('\n'), LOG_BYTES);
}

// The end says more than the beginning.
function cut(text: string, bytes: number): string {
  const buffer = Buffer.from(text);
  return buffer.length <= bytes
    ? text
    : buffer
        .subarray(buffer.length - bytes)
        .toString()
        .replace(/^�+/, '');
}
