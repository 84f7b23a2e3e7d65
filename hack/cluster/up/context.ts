/** What the steps of `up` have in hand. */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import type {KubeClient} from '../../../kube/client.ts';
import type {GuestImage} from '../images/cache.ts';
import type {Kinds} from '../objects/kinds.ts';
import type {PlannedHost} from '../objects/nodes.ts';
import type {ManifestWriter} from '../objects/writer.ts';
import type {BuildPaths, ClusterPaths} from '../paths.ts';
import type {ProcessContext} from '../processes/control-plane.ts';
import {signalProcess} from '../process-identity.ts';
import {readState} from '../state.ts';
import {readIfThere} from '../files.ts';
import {writeSpec, type ProcessSpec} from '../supervisor/process-spec.ts';
import {waitFor} from '../waiting.ts';
import type {Versions} from '../build/versions.ts';

/** Before there is an API server. */
export interface StartContext extends ProcessContext {
  readonly build: BuildPaths;
  readonly versions: Versions;
  readonly hosts: readonly PlannedHost[];
  /** Images that boot; none where guests are simulated. */
  readonly guestImages: readonly GuestImage[];
  readonly logLevel: string;
  /** When this `up` began, milliseconds since the epoch: what is older says nothing about now. */
  readonly startedAt: number;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** With an API server that answers. */
export interface UpContext extends StartContext {
  readonly client: KubeClient;
  readonly kinds: Kinds;
  readonly writer: ManifestWriter;
}

/** A process that ends so often while it is waited for is not coming up: a person should see why. */
const RESTARTS_ALLOWED = 6;

/** Hands processes to the supervisor. Unchanged ones go on running. */
export function keep(context: {readonly paths: ClusterPaths}, ...specs: readonly ProcessSpec[]): void {
  for (const spec of specs) writeSpec(context.paths.processes, spec);
  const supervisor = readState(context.paths.state)?.supervisor;
  if (supervisor === undefined || !signalProcess(supervisor, 'SIGHUP'))
    throw new Error(`the supervisor has ended: see ${join(context.paths.log, 'supervisor.log')}`);
}

/** Last lines of a log. */
export function tailOf(paths: ClusterPaths, name: string, lines = 15): string {
  const file = join(paths.log, `${name}.log`);
  if (!existsSync(file)) return '';
  return (readIfThere(file) ?? '').trimEnd().split('\n').slice(-lines).join('\n');
}

/**
 * Waits until a process that the supervisor keeps is ready by the probe.
 * @throws Error with the end of its log past the deadline, or when it ends again and again.
 */
export async function waitReady(
  context: Pick<StartContext, 'paths' | 'signal'>,
  name: string,
  probe: () => Promise<string | undefined>,
  deadlineMs = 60_000,
): Promise<void> {
  const restartsOf = (): number => readState(context.paths.state)?.processes[name]?.restarts ?? 0;
  const before = restartsOf();
  try {
    await waitFor(
      async () => {
        const reason = await probe();
        if (reason !== undefined && restartsOf() - before > RESTARTS_ALLOWED) throw new Error(`${name} ends as soon as it starts`);
        return reason;
      },
      {what: `${name} ready`, deadlineMs, intervalMs: 60, signal: context.signal},
    );
  } catch (error) {
    if (context.signal.aborted) throw error;
    throw new Error(`${(error as Error).message}\n--- ${join(context.paths.log, name)}.log\n${tailOf(context.paths, name)}`, {
      cause: error,
    });
  }
}
