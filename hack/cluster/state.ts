/**
 * `state.json`: what a cluster is and what runs in it. `up` writes it before it starts the supervisor; from then on only the supervisor
 * does, so there is one writer at any time.
 */
import {readJson, writeAtomic} from './files.ts';
import type {GuestsMode} from './guests.ts';
import type {NetworkPlan} from './network/plan.ts';
import type {Ports} from './ports.ts';
import type {ProcessIdentity} from './process-identity.ts';
import type {ProcessState} from './supervisor/keeper.ts';

/** How much of a cluster runs. */
export type Tier = 'api' | 'full';

/** What does not change while a cluster runs. */
export interface ClusterSettings {
  readonly version: 1;
  readonly tier: Tier;
  readonly light: boolean;
  /** False: no operator, api-server, chart and demo cloud. */
  readonly programs: boolean;
  readonly guests: GuestsMode;
  /** Servers whose annotation asks for a real guest can have one. */
  readonly canBoot: boolean;
  readonly hosts: number;
  /** This cluster's number among those of the machine: decides addresses and ports. */
  readonly slot: number;
  readonly ports: Ports;
  readonly network: NetworkPlan;
  /** Folder of the programs. */
  readonly bin: string;
}

/** The whole file. */
export interface ClusterState extends ClusterSettings {
  readonly supervisor?: ProcessIdentity;
  readonly processes: Readonly<Record<string, ProcessState>>;
}

/** The state of a cluster; undefined when it has never been up. Throws on a file of another version, saying what to do. */
export function readState(path: string): ClusterState | undefined {
  const value = readJson(path) as ClusterState | undefined;
  if (value !== undefined && value.version !== 1) {
    throw new Error(`${path} was written by another version of the local cluster: stop it with that version, or remove its folder`);
  }
  return value;
}

/** Replaces the file. */
export function writeState(path: string, state: ClusterState): void {
  writeAtomic(path, `${JSON.stringify(state, undefined, 2)}\n`);
}

/** The processes that a state records as running. */
export function recordedProcesses(state: ClusterState): {name: string; stage: number; identity: ProcessIdentity}[] {
  const found = [];
  for (const [name, process] of Object.entries(state.processes)) {
    if (process.pid === undefined || process.startTime === undefined) continue;
    found.push({name, stage: process.stage, identity: {pid: process.pid, startTime: process.startTime}});
  }
  return found;
}
