/** `make demo`: brings the local cluster up if it is not, and runs the main job through it, telling what it does. */
import {spawn} from 'node:child_process';
import {ensureClients} from '../clients/venv.ts';
import {demoFolder, readClusterEnv, type DemoContext} from './context.ts';
import {stepsFor} from './steps.ts';
import {inventory, removeLeftovers} from './traces.ts';

const directory = process.env['BASALT_CLUSTER_DIR'] ?? '.cluster';
const TIMEOUT_MS = 10 * 60_000;

/** Runs `make up`'s program with its output shown. */
function bringUp(): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['hack/cluster/main.ts', 'up', '--dir', directory], {stdio: ['ignore', 'inherit', 'inherit']});
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0
        ? resolve()
        : reject(new Error(`the local cluster did not come up (exit code ${code}); see 'make status' and 'make logs'`)),
    );
  });
}

async function main(): Promise<void> {
  const started = performance.now();
  const seconds = (): string => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  const say = (text: string): void => console.log(text.trimEnd().replaceAll(/^/gm, '    '));
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));

  console.log('Basalt demo: bare metal in, servers out.\n\n[0] The local cluster');
  await bringUp();
  const clients = await ensureClients(say, interrupt.signal);
  const signal = AbortSignal.any([interrupt.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const env = await readClusterEnv(directory);
  const start: DemoContext = {env, clients, folder: demoFolder(directory), memory: {}, say, signal, before: new Set()};
  await removeLeftovers(start); // of a run that was stopped half-way
  const context: DemoContext = {...start, before: new Set(await inventory(start))};
  const {steps, leftOut} = stepsFor(env['BASALT_GUESTS'] === 'qemu');
  for (const [index, step] of steps.entries()) {
    console.log(`\n[${index + 1}/${steps.length}] ${step.title}  (${seconds()})`);
    await step.run(context);
  }
  if (leftOut.length > 0) {
    console.log(`\nLeft out, because guests are simulated here (see what 'make up' says about qemu):`);
    for (const {title} of leftOut) console.log(`    ${title}`);
  }
  console.log(
    `\nDone in ${seconds()}: the whole job went as it should. The cluster still runs: 'make status' shows it, 'make down' stops it.`,
  );
}

try {
  await main();
} catch (error) {
  console.error(`\nThe demo stopped: ${error instanceof Error ? error.message : String(error)}`);
  console.error("The cluster still runs; 'make status' and 'make logs NAME=operator' (or api-server) tell more.");
  process.exitCode = 1;
}
