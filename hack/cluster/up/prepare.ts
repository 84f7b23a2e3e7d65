/** Before anything starts: which cluster this is, what a killed run left, addresses, ports and the supervisor. */
import {spawn} from 'node:child_process';
import {closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {parse} from 'yaml';
import {systemClock} from '../../../kube/clock.ts';
import {filesBelow} from '../files.ts';
import type {GuestsMode} from '../guests.ts';
import {planNetwork, slotListeners, subnetOf} from '../network/plan.ts';
import {releaseRanges} from '../network/guest-ranges.ts';
import {addLocalSubnet, closeRanges, mayAddRoutes, ownAddress, rangeRouter, removeLocalSubnet} from '../network/routes.ts';
import {claimSlot} from '../network/slots.ts';
import {parseHostTable, type HostTable} from '../objects/nodes.ts';
import type {Options} from '../options.ts';
import {HERE, type BuildPaths, type ClusterPaths} from '../paths.ts';
import {endAll} from '../podrunner/record.ts';
import {choosePorts, isPortFree} from '../ports.ts';
import {isAlive, ownIdentity} from '../process-identity.ts';
import {readState, recordedProcesses, writeState, type ClusterSettings, type ClusterState} from '../state.ts';
import {childEnvironment} from '../supervisor/start-process.ts';
import {killRecorded} from '../stop.ts';
import {waitFor} from '../waiting.ts';

const SUPERVISOR_DEADLINE_MS = 15_000;

/** The table of hosts: nodes.yaml, or the file that BASALT_NODES names. */
export function readHostTable(env: NodeJS.ProcessEnv): HostTable {
  const path = env['BASALT_NODES'] === undefined ? join(HERE, 'nodes.yaml') : resolve(env['BASALT_NODES']);
  try {
    return parseHostTable(parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, {cause: error});
  }
}

/** Why a running cluster is not the one that is asked for; undefined when it is. */
export function mismatch(
  running: ClusterSettings,
  wanted: {tier: string; light: boolean; programs: boolean; guests: string; bin: string},
): string | undefined {
  for (const name of ['tier', 'light', 'programs', 'guests'] as const) {
    if (running[name] !== wanted[name]) return `it runs with ${name}=${running[name]}, asked for is ${name}=${wanted[name]}`;
  }
  return running.bin === wanted.bin ? undefined : 'it runs programs of another version';
}

/**
 * The settings of the cluster, with its supervisor running when this resolves: those of the running cluster, or new ones. Data, slot and
 * secrets of an earlier run are used again.
 * @throws Error when a cluster of another kind runs in the folder.
 */
export async function prepare(
  options: Options,
  paths: ClusterPaths,
  build: BuildPaths,
  context: {
    readonly hosts: number;
    readonly guests: GuestsMode;
    readonly canBoot: boolean;
    readonly say: (line: string) => void;
    readonly signal: AbortSignal;
  },
): Promise<{settings: ClusterSettings; fresh: boolean}> {
  const wanted = {tier: options.tier, light: options.light, programs: options.programs, guests: context.guests, bin: build.bin};
  const before = readState(paths.state);
  if (before !== undefined && isAlive(before.supervisor)) {
    const difference = mismatch(before, wanted);
    if (difference !== undefined) throw new Error(`a cluster runs in ${paths.dir}, but ${difference}: stop it first (make down)`);
    return {settings: before, fresh: false};
  }
  if (before !== undefined) await cleanUp(before, context.say);
  await endAll(paths.pods, systemClock);

  for (const folder of [paths.dir, paths.log, paths.run, paths.processes, paths.images]) mkdirSync(folder, {recursive: true, mode: 0o700});
  const routes = mayAddRoutes();
  const usable = async (slot: number): Promise<boolean> => {
    const places = Object.values(slotListeners(slot));
    return (await Promise.all(places.map(({address, port}) => isPortFree(port, address)))).every(Boolean);
  };
  const {slot, lost} = await claimSlot({dir: paths.dir, previous: before?.slot, by: ownIdentity()}, usable);
  if (routes) {
    for (const number of lost) removeLocalSubnet(subnetOf(number));
    addLocalSubnet(subnetOf(slot));
    await releaseRanges(paths.dir, rangeRouter); // what killed runs left
    const {foreign} = closeRanges();
    if (foreign.length > 0) {
      context.say(
        `Note: ${foreign.join(', ')} already has routes on this machine and keeps them; addresses of simulated pods are from there too.`,
      );
    }
  }
  const ports = await choosePorts(slot, (port) => isPortFree(port));
  const settings: ClusterSettings = {
    version: 1,
    ...wanted,
    canBoot: context.canBoot,
    hosts: context.hosts,
    slot,
    ports,
    network: planNetwork(slot, ports, {routes, ownAddress: ownAddress()}),
  };
  setLogsAside(paths.log);
  rmSync(paths.processes, {recursive: true, force: true});
  mkdirSync(paths.processes, {recursive: true, mode: 0o700});
  writeState(paths.state, {...settings, processes: {}});
  await startSupervisor(paths, context.signal);
  return {settings, fresh: true};
}

async function cleanUp(before: ClusterState, say: (line: string) => void): Promise<void> {
  const left = recordedProcesses(before).filter(({identity}) => isAlive(identity));
  if (left.length === 0) return;
  say(`Stopping ${left.length} processes of a run that was killed (${left.map(({name}) => name).join(', ')}).`);
  await killRecorded(before);
}

// A log is of one run, so that what it says is about this one; the run before stays readable as `<name>.log.1`.
function setLogsAside(folder: string): void {
  for (const file of filesBelow(folder)) if (file.endsWith('.log')) renameSync(join(folder, file), join(folder, `${file}.1`));
}

async function startSupervisor(paths: ClusterPaths, signal: AbortSignal): Promise<void> {
  const log = openSync(join(paths.log, 'supervisor.log'), 'a', 0o600);
  try {
    const program = join(HERE, 'supervisor/main.ts');
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, paths.dir], {
      detached: true, // its own session: an interrupted terminal stops `up`, not the cluster
      stdio: ['ignore', log, log],
      env: childEnvironment(process.env),
    });
    child.unref();
  } finally {
    closeSync(log);
  }
  const probe = async (): Promise<string | undefined> => (isAlive(readState(paths.state)?.supervisor) ? undefined : 'not recorded yet');
  await waitFor(probe, {
    what: `supervisor (see ${join(paths.log, 'supervisor.log')})`,
    deadlineMs: SUPERVISOR_DEADLINE_MS,
    intervalMs: 20,
    signal,
  });
}
