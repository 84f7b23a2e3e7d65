/**
 * The supervisor of one cluster: `node supervisor/main.ts <cluster folder>`, started by `up`, detached from its terminal. It keeps the
 * processes of `run/processes/` running, records them in `state.json`, looks again at SIGHUP, and at SIGTERM stops them all, in reverse
 * order, before it ends. If its cluster's folder is removed it stops everything as well: nobody could find the processes any more.
 */
import {existsSync} from 'node:fs';
import {systemClock} from '../../../kube/clock.ts';
import {clusterPaths} from '../paths.ts';
import {ownIdentity} from '../process-identity.ts';
import {readState, writeState} from '../state.ts';
import {ProcessKeeper, type ProcessState} from './keeper.ts';
import {readSpecs} from './process-spec.ts';
import {childEnvironment, startProcess} from './start-process.ts';

const LOOK_FOR_FOLDER_MS = 5_000;

const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: supervisor/main.ts <cluster folder>');
const paths = clusterPaths(folder);
const settings = readState(paths.state);
if (settings === undefined) throw new Error(`${paths.state} is missing`);

const log = (message: string): void => console.log(`${new Date().toISOString()} ${message}`);
const own = ownIdentity();
const save = (processes: Record<string, ProcessState>): void => {
  if (existsSync(paths.state)) writeState(paths.state, {...settings, supervisor: own, processes});
};
const environment = childEnvironment(process.env);
const keeper = new ProcessKeeper({
  start: (spec) => startProcess(spec, paths.log, environment),
  clock: systemClock,
  log,
  onChange: save,
});

let stopping = false;
const stop = async (why: string): Promise<void> => {
  if (stopping) return;
  stopping = true;
  clearInterval(watchFolder);
  log(`stopping: ${why}`);
  await keeper.stopAll();
  if (existsSync(paths.state)) writeState(paths.state, {...settings, processes: keeper.states()});
  log('stopped');
};
const watchFolder = setInterval(() => {
  if (!existsSync(paths.state)) void stop('the folder of the cluster is gone');
}, LOOK_FOR_FOLDER_MS);

process.on('SIGHUP', () => keeper.reconcile(readSpecs(paths.processes)));
process.on('SIGTERM', () => void stop('SIGTERM'));
process.on('SIGINT', () => void stop('SIGINT'));

log(`supervisor ${own.pid} of ${folder}`);
save({});
keeper.reconcile(readSpecs(paths.processes));
