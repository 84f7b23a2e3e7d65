/** The main job, in order. `make demo` runs it for a person; test/cluster/main-job.test.ts runs the same steps. */
import {makeCatalogue} from './catalogue.ts';
import type {DemoStep} from './context.ts';
import {registerInventory} from './inventory.ts';
import {createOverCloudSigma, createOverCyclades, deleteServers, reboot, seeWithKubectl, stopAndStart} from './servers.ts';
import {leaveNoTrace} from './traces.ts';

export const STEPS: readonly DemoStep[] = [
  registerInventory,
  makeCatalogue,
  createOverCyclades,
  createOverCloudSigma,
  seeWithKubectl,
  stopAndStart,
  reboot,
  deleteServers,
  leaveNoTrace,
];
