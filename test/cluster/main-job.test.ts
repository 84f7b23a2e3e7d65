/** The main job, as `make demo` shows it, step by step: Craton in, Cyclades and CloudSigma servers through their life, nothing left. */
import {beforeAll, describe, test} from '@jest/globals';
import {ensureClients} from '../../hack/clients/venv.ts';
import {demoFolder, readClusterEnv, type DemoContext} from '../../hack/demo/context.ts';
import {stepsFor} from '../../hack/demo/steps.ts';
import {inventory, removeLeftovers} from '../../hack/demo/traces.ts';

describe('the main job', () => {
  let context: DemoContext;
  let broken: string | undefined;

  beforeAll(async () => {
    const directory = process.env['BASALT_CLUSTER_DIR'] ?? '.cluster';
    const say = (): void => undefined;
    context = {
      env: await readClusterEnv(directory),
      clients: await ensureClients(say),
      folder: demoFolder(directory),
      memory: {},
      say,
      signal: AbortSignal.timeout(600_000),
      before: new Set(),
    };
    await removeLeftovers(context);
    context = {...context, before: new Set(await inventory(context))};
  }, 600_000);

  const {steps, leftOut} = stepsFor(process.env['BASALT_GUESTS'] === 'qemu');
  // Left out is said as skipped, never as passed. Only where guests are simulated.
  const leaveOut = test.skip;
  for (const {title} of leftOut) leaveOut(`${title} (guests are simulated here)`, () => undefined);
  for (const step of steps)
    test(
      step.title,
      async () => {
        if (broken !== undefined) throw new Error(`not run: an earlier step failed (${broken})`);
        try {
          await step.run(context);
        } catch (error) {
          broken = step.title;
          throw error;
        }
      },
      180_000,
    );
});
