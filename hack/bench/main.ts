/**
 * `make bench`: the speed goals, each as a ratio against raw Kubernetes calls in the same run. First on a `--light` cluster (KubeVirt's
 * and CDI's work is played, so that kube-apiserver is not drowned by webhooks), then on the full one. `ARGS=light` or `ARGS=full` narrows.
 */
import {spawn} from 'node:child_process';
import {appendFile} from 'node:fs/promises';
import {SERVER} from '../../crds/index.ts';
import {loadKubeConfig} from '../../kube/pooled-kube-config.ts';
import {createClient} from '../../kube/transport.ts';
import {readClusterEnv} from '../demo/context.ts';
import {BENCH_LABEL, removeAll, VIRTUAL_MACHINE, type BenchContext} from './context.ts';
import {formatReport, reached, type Row} from './measure.ts';
import {measureLatency, measureThroughputFull, measureThroughputLight} from './reconcile.ts';
import {measureCreate, measureList} from './rest.ts';
import {measureIdle, measureMemory} from './steady.ts';
import {measureStockOperator} from './stock.ts';

const TIMEOUT_MS = 40 * 60_000;
const DIRECTORY = '.cluster-bench';

function cluster(...args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['hack/cluster/main.ts', ...args, '--dir', DIRECTORY], {stdio: ['ignore', 'inherit', 'inherit']});
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`cluster ${args.join(' ')}: exit code ${code}`))));
  });
}

/** Brings a cluster up, runs the measurements in order, removes the cluster. */
async function onCluster(
  up: readonly string[],
  measurements: readonly ((context: BenchContext) => Promise<readonly Row[]>)[],
): Promise<readonly Row[]> {
  await cluster('down', '--purge');
  const rows: Row[] = [];
  try {
    await cluster('up', ...up);
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
    await cluster('down', '--purge');
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

const only = process.argv[2];
console.log(`Objects of the benchmark carry the label ${BENCH_LABEL}. This takes about ten minutes.`);
const rows = [...(only === 'full' ? [] : await light()), ...(only === 'light' ? [] : await full())];
const report = formatReport(rows);
console.log(`\n${report}`);
const summary = process.env['BENCH_REPORT'];
if (summary !== undefined) await appendFile(summary, `${report}\n`);
process.exitCode = rows.some((row) => reached(row) === false) ? 1 : 0;
