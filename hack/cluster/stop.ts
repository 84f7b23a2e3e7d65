/** Stopping processes by their record, when the supervisor cannot: only those whose start time is still the recorded one. */
import {isAlive, signalProcess, type ProcessIdentity} from './process-identity.ts';
import {recordedProcesses, type ClusterState} from './state.ts';
import {stopOrder} from './supervisor/process-spec.ts';
import {DeadlineError, waitFor} from './waiting.ts';

const TERM_DEADLINE_MS = 8_000;
const KILL_DEADLINE_MS = 5_000;

/** Asks a process to end, and after 8 s makes it. Resolves when it is gone. */
export async function stopProcess(who: ProcessIdentity, what: string, termDeadlineMs = TERM_DEADLINE_MS): Promise<void> {
  const gone = async (): Promise<string | undefined> => (isAlive(who) ? 'still there' : undefined);
  if (!signalProcess(who, 'SIGTERM')) return;
  try {
    await waitFor(gone, {what: `end of ${what}`, deadlineMs: termDeadlineMs});
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    signalProcess(who, 'SIGKILL');
    await waitFor(gone, {what: `end of ${what} by SIGKILL`, deadlineMs: KILL_DEADLINE_MS});
  }
}

/** Stops all recorded processes, highest stage first; resolves with the names of those that lived. */
export async function killRecorded(state: ClusterState): Promise<string[]> {
  const stopped: string[] = [];
  for (const group of stopOrder(recordedProcesses(state))) {
    await Promise.all(
      group.map(async ({name, identity}) => {
        if (!isAlive(identity)) return;
        await stopProcess(identity, name);
        stopped.push(name);
      }),
    );
  }
  return stopped;
}
