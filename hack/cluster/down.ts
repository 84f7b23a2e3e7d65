/** `down`: stops a cluster, whatever state its supervisor is in, and with `--purge` removes what it left. */
import {existsSync, rmSync} from 'node:fs';
import {systemClock} from '../../kube/clock.ts';
import {subnetOf} from './network/plan.ts';
import {releaseRanges} from './network/guest-ranges.ts';
import {mayAddRoutes, openRanges, rangeRouter, removeLocalSubnet} from './network/routes.ts';
import {releaseSlot} from './network/slots.ts';
import type {Options} from './options.ts';
import {clusterPaths, type ClusterPaths} from './paths.ts';
import {isAlive} from './process-identity.ts';
import {endAll} from './podrunner/record.ts';
import {endAllGuests} from './hypervisor/qemu/state-file.ts';
import {hostPathFolders} from './purge.ts';
import {readState, type ClusterState} from './state.ts';
import {killRecorded, stopProcess} from './stop.ts';

/** The supervisor stops up to seven stages of processes one after the other, each within 8 s. */
const SUPERVISOR_STOP_MS = 60_000;

/** Stops the cluster of the folder. Stopping one that does not run is fine. */
export async function down(options: Options, say: (line: string) => void): Promise<void> {
  const paths = clusterPaths(options.dir);
  const state = readState(paths.state);
  if (state === undefined) say(`No cluster in ${paths.dir}.`);
  else await stopCluster(state, paths, say);
  if (options.purge && existsSync(paths.dir)) {
    const folders = await hostPathFolders(paths.etcd);
    for (const folder of folders) rmSync(folder, {recursive: true, force: true});
    rmSync(paths.dir, {recursive: true, force: true});
    say(`Removed ${paths.dir}${folders.length === 0 ? '' : ` and ${folders.length} volumes' folders`}.`);
  }
}

async function stopCluster(state: ClusterState, paths: ClusterPaths, say: (line: string) => void): Promise<void> {
  if (state.supervisor !== undefined && isAlive(state.supervisor)) {
    await stopProcess(state.supervisor, 'the supervisor', SUPERVISOR_STOP_MS);
  }
  // After a clean stop there is nothing left; after a killed supervisor there is everything.
  const stopped = await killRecorded(readState(paths.state) ?? state);
  if (stopped.length > 0) say(`Stopped ${stopped.length} processes whose supervisor was gone: ${stopped.join(', ')}.`);
  await endAll(paths.pods, systemClock);
  const guests = endAllGuests(paths.guests); // they outlive the hypervisor, not the cluster
  if (guests.length > 0) say(`Ended ${guests.length} guests: ${guests.join(', ')}.`);
  const {lastOne} = await releaseSlot(paths.dir, state.slot);
  if (state.network.mode === 'local-route' && mayAddRoutes()) {
    removeLocalSubnet(subnetOf(state.slot));
    await releaseRanges(paths.dir, rangeRouter);
    if (lastOne) openRanges();
  }
  say(`The cluster in ${paths.dir} is down.`);
}
