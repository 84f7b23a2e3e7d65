/** The main job, in order. `make demo` runs it for a person; test/cluster/main-job.test.ts runs the same steps. */
import {makeCatalogue} from './catalogue.ts';
import type {DemoStep} from './context.ts';
import {logInOverNetwork, migrate, powerOffInside, readByte, seeConsoles, seeReboot, takePicture, writeByte} from './guests.ts';
import {registerInventory} from './inventory.ts';
import {createOverCloudSigma, createOverCyclades, createWithFile, deleteServers, reboot, seeWithKubectl, stopAndStart} from './servers.ts';
import {leaveNoTrace} from './traces.ts';

/** A step, and whether it looks into a guest, which must be a real one then. */
interface PlannedStep {
  readonly step: DemoStep;
  readonly needsRealGuests: boolean;
}

const always = (step: DemoStep): PlannedStep => ({step, needsRealGuests: false});
const inGuests = (step: DemoStep): PlannedStep => ({step, needsRealGuests: true});

const PLAN: readonly PlannedStep[] = [
  always(registerInventory),
  always(makeCatalogue),
  always(createOverCyclades),
  inGuests(createWithFile),
  always(createOverCloudSigma),
  always(seeWithKubectl),
  inGuests(seeConsoles),
  inGuests(logInOverNetwork),
  inGuests(takePicture),
  inGuests(writeByte),
  always(stopAndStart),
  inGuests(readByte),
  always(reboot),
  inGuests(seeReboot),
  inGuests(migrate),
  inGuests(powerOffInside),
  always(deleteServers),
  always(leaveNoTrace),
];

/** The steps that can be taken: where guests are simulated, those that look into one are left out. */
export function stepsFor(realGuests: boolean): {readonly steps: readonly DemoStep[]; readonly leftOut: readonly DemoStep[]} {
  const taken = PLAN.filter(({needsRealGuests}) => realGuests || !needsRealGuests);
  return {steps: taken.map(({step}) => step), leftOut: PLAN.filter((planned) => !taken.includes(planned)).map(({step}) => step)};
}
