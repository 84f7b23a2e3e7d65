/** The processes of a running local cluster, as a test of crashes treats them: killed without warning, waited for, doubled. */
import {createServer} from 'node:net';
import {clusterPaths, type ClusterPaths} from '../../hack/cluster/paths.ts';
import {isAlive, signalProcess, type ProcessIdentity} from '../../hack/cluster/process-identity.ts';
import {readState, recordedProcesses, type ClusterState} from '../../hack/cluster/state.ts';
import type {Child} from '../../hack/cluster/supervisor/keeper.ts';
import {readSpecs} from '../../hack/cluster/supervisor/process-spec.ts';
import {childEnvironment, startProcess} from '../../hack/cluster/supervisor/start-process.ts';
import {waitFor} from '../../hack/cluster/waiting.ts';

/** A second operator beside the supervised one. */
export interface Standby {
  readonly identity: string;
  readonly metricsUrl: string;
  readonly process: ProcessIdentity;
  /** Ends it well, or after 10 s by force; resolves when it has ended. Calling it again does nothing. */
  stop(): Promise<void>;
}

/** How long a process may take to be started again by the supervisor, in milliseconds: its pause grows to 5 s. */
const RESTART_MS = 20_000;
const STOP_MS = 10_000;
const POLL_MS = 50;

/** See the top of this file. */
export class Programs {
  readonly #paths: ClusterPaths;

  /** @param dir folder of the cluster */
  constructor(dir: string) {
    this.#paths = clusterPaths(dir);
  }

  #state(): ClusterState {
    const state = readState(this.#paths.state);
    if (state === undefined) throw new Error(`no cluster in ${this.#paths.dir}: make up first`);
    return state;
  }

  #find(name: string): ProcessIdentity | undefined {
    return recordedProcesses(this.#state()).find((process) => process.name === name)?.identity;
  }

  /** The running process. Throws when there is none. */
  identityOf(name: string): ProcessIdentity {
    const found = this.#find(name);
    if (found === undefined || !isAlive(found)) throw new Error(`${name} is not running`);
    return found;
  }

  /** Kills a process with SIGKILL at once; resolves when the supervisor has started another one in its place. */
  async kill(name: string): Promise<void> {
    const before = this.identityOf(name);
    if (!signalProcess(before, 'SIGKILL')) throw new Error(`${name} ended before it could be killed`);
    const probe = (): Promise<string | undefined> => {
      const now = this.#find(name);
      return Promise.resolve(now !== undefined && now.pid !== before.pid && isAlive(now) ? undefined : 'not yet');
    };
    await waitFor(probe, {what: `${name} started again`, deadlineMs: RESTART_MS, intervalMs: POLL_MS});
  }

  /** Starts another operator with the supervised one's command line and environment, but for its identity and port. */
  async startStandby(identity: string): Promise<Standby> {
    const spec = readSpecs(this.#paths.processes).find(({name}) => name === 'operator');
    if (spec === undefined) throw new Error('this cluster runs no operator');
    const port = await freePort();
    const env = {...spec.env, BASALT_IDENTITY: identity, BASALT_OPERATOR_PORT: String(port)};
    const child = startProcess({...spec, name: `operator-${identity}`, env}, this.#paths.log, childEnvironment(process.env));
    const {identity: who} = child;
    if (who === undefined) throw new Error(`the second operator did not start: ${JSON.stringify(await child.ended)}`);
    // Whatever happens to the tests, it must not outlive them: nobody else knows of it.
    const onExit = (): void => void signalProcess(who, 'SIGKILL');
    process.once('exit', onExit);
    const base = `http://127.0.0.1:${port}`;
    const stop = async (): Promise<void> => {
      await endChild(child);
      process.off('exit', onExit);
    };
    try {
      const ready = async (): Promise<string | undefined> => {
        if (!isAlive(who)) throw new Error(`the second operator ended: ${JSON.stringify(await child.ended)}`);
        const status = await fetch(`${base}/readyz`, {signal: AbortSignal.timeout(2_000)}).then(
          (answer) => answer.status,
          (error: unknown) => String(error),
        );
        return status === 200 ? undefined : `readyz: ${status}`;
      };
      await waitFor(ready, {what: 'the second operator ready', deadlineMs: 30_000, intervalMs: POLL_MS});
    } catch (error) {
      await stop();
      throw error;
    }
    return {identity, metricsUrl: `${base}/metrics`, process: who, stop};
  }
}

async function endChild(child: Child): Promise<void> {
  child.signal('SIGTERM');
  const timer = setTimeout(() => child.signal('SIGKILL'), STOP_MS);
  await child.ended;
  clearTimeout(timer);
}

/** A port of loopback on which nobody listens now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({port: 0, host: '127.0.0.1'}, resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('no port of loopback is free');
  return address.port;
}

/** Whether the operator behind this /metrics says that it leads; undefined while it does not answer. */
export async function leads(metricsUrl: string): Promise<boolean | undefined> {
  try {
    const text = await (await fetch(metricsUrl, {signal: AbortSignal.timeout(1_000)})).text();
    return /^leader_election_master_status\{[^}]*\} 1$/m.test(text);
  } catch {
    return undefined; // it was killed, or has not started yet: then it leads nothing
  }
}

/** Calls to the Kubernetes API server by method, out of the text of a program's /metrics. */
export function callsByMethod(metrics: string): Readonly<Record<string, number>> {
  const calls: Record<string, number> = {};
  for (const [, method = '', count = '0'] of metrics.matchAll(/^rest_client_requests_total\{[^}]*\bmethod="([A-Z]+)"[^}]*\} (\d+)$/gm))
    calls[method] = (calls[method] ?? 0) + Number(count);
  if (Object.keys(calls).length === 0) throw new Error('these metrics count no calls to the API server');
  return calls;
}

/** What has grown, and by how much. */
export function grown(before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after)
      .map(([key, value]) => [key, value - (before[key] ?? 0)] as const)
      .filter(([, more]) => more > 0),
  );
}
