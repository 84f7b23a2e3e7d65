/** `status`: what runs, since when, how often it was restarted, and whether it is ready. */
import {join} from 'node:path';
import type {Options} from './options.ts';
import {clusterPaths} from './paths.ts';
import {isAlive, type ProcessIdentity} from './process-identity.ts';
import {probeHttp} from './probes.ts';
import {readState, recordedProcesses, type ClusterState} from './state.ts';
import type {ProcessState} from './supervisor/keeper.ts';

const HEADINGS = ['PROCESS', 'STATUS', 'PID', 'UP', 'RESTARTS', 'LAST EXIT'];

/** One row of the table. */
export function row(name: string, process: ProcessState, alive: boolean, nowMs: number): string[] {
  const up = process.startedAt === undefined || !alive ? '' : ageText(nowMs - Date.parse(process.startedAt));
  const {lastExit} = process;
  const exit =
    lastExit === undefined ? '' : 'code' in lastExit ? `exit ${lastExit.code}` : 'signal' in lastExit ? lastExit.signal : lastExit.error;
  const status = process.status === 'running' && !alive ? 'gone' : process.status;
  return [name, status, alive ? String(process.pid) : '', up, String(process.restarts), exit];
}

/** `42s`, `3m5s`, `2h3m`. */
export function ageText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${seconds % 60}s`;
  return `${Math.floor(seconds / 3600)}h${Math.floor((seconds % 3600) / 60)}m`;
}

/** Columns as wide as their longest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] as number))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** What there is to say of a folder without a living supervisor: nothing runs there, or what a killed one left. */
export function withoutSupervisor(
  dir: string,
  state: ClusterState | undefined,
  alive: (identity: ProcessIdentity) => boolean,
  nowMs: number,
): string[] {
  const left = state === undefined ? [] : recordedProcesses(state).filter(({identity}) => alive(identity));
  if (state === undefined || left.length === 0) return [`No cluster runs in ${dir}.`];
  const rows = left.map(({name}) => row(name, state.processes[name] as ProcessState, true, nowMs));
  const count = left.length === 1 ? '1 process' : `${left.length} processes`;
  return [
    table([HEADINGS, ...rows]),
    `\nThe supervisor of the cluster in ${dir} is gone, ${count} left, which nothing restarts: \`make up\` or \`make down\` cleans up.`,
  ];
}

/** Prints the state; resolves with true when the cluster runs and answers. */
export async function status(options: Options, say: (line: string) => void): Promise<boolean> {
  const paths = clusterPaths(options.dir);
  const state = readState(paths.state);
  if (state === undefined || !isAlive(state.supervisor)) {
    for (const line of withoutSupervisor(paths.dir, state, isAlive, Date.now())) say(line);
    return false;
  }
  const rows = Object.entries(state.processes).map(([name, process]) => row(name, process, isAlive(identityOf(process)), Date.now()));
  say(table([HEADINGS, ...rows]));
  const problems = (await Promise.all(healthChecks(state).map(([, url]) => probeHttp(url)))).filter((reason) => reason !== undefined);
  say(
    problems.length === 0
      ? `\nReady. How to reach it: ${paths.env}`
      : `\nNot ready:\n${problems.map((reason) => `  ${reason}`).join('\n')}\nLogs: ${join(paths.log, '<name>.log')}`,
  );
  return problems.length === 0;
}

function identityOf(process: ProcessState): {pid: number; startTime: string} | undefined {
  return process.pid === undefined || process.startTime === undefined ? undefined : {pid: process.pid, startTime: process.startTime};
}

function healthChecks({ports, programs, tier}: ClusterState): [string, string][] {
  const checks: [string, string][] = [['kube-apiserver', `https://127.0.0.1:${ports.apiserver}/readyz`]];
  if (tier === 'full') {
    checks.push(['kube-controller-manager', `https://127.0.0.1:${ports.controllerManager}/healthz`]);
    checks.push(['kube-scheduler', `https://127.0.0.1:${ports.scheduler}/healthz`], ['kwok', `http://127.0.0.1:${ports.kwok}/healthz`]);
    checks.push(['hypervisor', `http://127.0.0.1:${ports.hypervisorMetrics}/readyz`]);
  }
  if (programs)
    checks.push(['operator', `http://127.0.0.1:${ports.operator}/readyz`], ['api-server', `http://127.0.0.1:${ports.apiMetrics}/readyz`]);
  return checks;
}
