/** Whether and when a container is started again. Pure. */
import type {RunnerPod} from './pod.ts';

/**
 * Waits between restarts: 1, 2, 4, 8, 16 and then every 30 s. A kubelet waits 10 s to 5 min; here a person waits too, and the source of
 * an import is mostly on this machine.
 */
const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

/** After so long a run the waits begin anew. */
export const RUN_THAT_COUNTS_MS = 600_000;

/** The wait before restart number `failures` (from 1). */
export function backOffMs(failures: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 16));
}

/** What follows the end of a container. */
export function afterEnd(pod: RunnerPod, exitCode: number): 'Succeeded' | 'Failed' | 'restart' {
  const policy = pod.spec.restartPolicy ?? 'Always';
  if (policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0)) return 'restart';
  return exitCode === 0 ? 'Succeeded' : 'Failed';
}
