/**
 * `make bench`: the speed goals, each as a ratio against raw Kubernetes calls in the same run. First on a `--light` cluster (KubeVirt's
 * and CDI's work is played, so that kube-apiserver is not drowned by webhooks), then on the full one with simulated guests, then with
 * guests that boot. `ARGS=light`, `ARGS=full` or `ARGS=guests` narrows.
 */
import {spawn} from 'node:child_process';
import {appendFile} from 'node:fs/promises';
import {SERVER} from '../../crds/index.ts';
import {loadKubeConfig} from '../../kube/pooled-kube-config.ts';
import {createClient} from '../../kube/transport.ts';
import {readClusterEnv} from '../demo/context.ts';
import {measureBoot, measureMany} from './guest-boot.ts';
import {measureImport} from './import.ts';
import {measureMove} from './move.ts';
import {BENCH_LABEL, removeAll, VIRTUAL_MACHINE, type BenchContext} from './context.ts';
import {formatReport, reached, type Row} from './measure.ts';
import {measureLatency, measureThroughputFull, measureThroughputLight} from './reconcile.ts';
import {measureCreate, measureList} from './rest.ts';
import {measureIdle, measureMemory} from './steady.ts';
import {measureStockOperator} from './stock.ts';

const TIMEOUT_MS = 40 * 60_000;
const DIRECTORY = '.cluster-bench';

function cluster(args: readonly string[], guests: 'simulated' | 'qemu' = 'simulated'): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['hack/cluster/main.ts', ...args, '--dir', DIRECTORY], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {...process.env, GUESTS: guests},
    });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`cluster ${args.join(' ')}: exit code ${code}`))));
  });
}

/** Brings a cluster up, runs the measurements in order, removes the cluster. */
async function onCluster(
  up: readonly string[],
  measurements: readonly ((context: BenchContext) => Promise<readonly Row[]>)[],
  guests: 'simulated' | 'qemu' = 'simulated',
): Promise<readonly Row[]> {
  await cluster(['down', '--purge']);
  const rows: Row[] = [];
  try {
    await cluster(['up', ...up], guests);
    const env = await readClusterEnv(DIRECTORY);
    const client = createClient({
      kubeConfig: loadKubeConfig({path: env['KUBECONFIG'] ?? ''}),
      userAgent: 'basalt-bench',
      fieldManager: 'basalt-bench',
    });
    const context: BenchContext = {
      env,
      client,
      namespace: 'acct-demo',
      say: (line) => console.log(`    ${line}`),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    };
    for (const measure of measurements) {
      const measured = await measure(context);
      for (const row of measured)
        context.say(`${row.name}: ${row.value.toFixed(2)} ${row.unit}${reached(row) === false ? '  (goal missed)' : ''} — ${row.detail}`);
      rows.push(...measured);
    }
    await client.close();
  } finally {
    await cluster(['down', '--purge']);
  }
  return rows;
}

const one = (measure: (context: BenchContext) => Promise<Row>) => async (context: BenchContext) => [await measure(context)];

const light = (): Promise<readonly Row[]> =>
  onCluster(
    ['--light'],
    [
      one((context) => measureLatency(context, 100)),
      (context) => measureThroughputLight(context, 1000, 0.5),
      one((context) => measureList(context, 1000, 20)),
      one((context) => measureIdle(context, 60_000)),
      one((context) => measureCreate(context, 60)),
      one((context) => measureMemory(context, 2000)),
      async (context) => {
        await removeAll(context, SERVER);
        return measureStockOperator(context, 1000);
      },
    ],
  );

const full = (): Promise<readonly Row[]> =>
  onCluster(
    [],
    [
      one((context) => measureThroughputFull(context, 100, 0.8)),
      async (context) => {
        await removeAll(context, VIRTUAL_MACHINE);
        return [];
      },
    ],
  );

const guests = (): Promise<readonly Row[]> =>
  onCluster(
    [],
    [
      (context) => measureBoot(context, 10),
      one((context) => measureMany(context, 10)),
      one((context) => measureImport(context, 1024 ** 3)),
      (context) => measureMove(context, 6),
    ],
    'qemu',
  );

const PARTS = {light, full, guests};

const only = process.argv[2];
console.log(`Objects of the benchmark carry the label ${BENCH_LABEL}. This takes about fifteen minutes.`);
const rows: Row[] = [];
for (const [name, measure] of Object.entries(PARTS)) {
  if (only === undefined || only === name) rows.push(...(await measure()));
}
const report = formatReport(rows);
console.log(`\n${report}`);
const summary = process.env['BENCH_REPORT'];
if (summary !== undefined) await appendFile(summary, `${report}\n`);
process.exitCode = rows.some((row) => reached(row) === false) ? 1 : 0;
