/** The operator package as it comes, beside this project's runtime under the same programming model, on the same resources. */
import type {BenchContext} from './context.ts';
import {need} from './context.ts';
import type {Row} from './measure.ts';
import {createWidgets, deleteWidgets, installWidgets, removeWidgets, runMachinery} from './widgets.ts';
import type {Machinery, StockResult} from './widgets.ts';

/** Longest run of one machinery, in seconds. */
const SECONDS = 180;

const shown = ({machinery, ms, written, handled, mostAtOnce, rssMiB}: StockResult): string =>
  `${machinery}: ${(ms / 1000).toFixed(1)} s, ${written} of ${handled} written, ${mostAtOnce} at once, ${rssMiB} MiB`;

/** Time until every one of `count` resources has its status: ours over the stock package with its one repair. */
export async function measureStockOperator(context: BenchContext, count: number): Promise<readonly Row[]> {
  const {client, namespace, signal} = context;
  const results: StockResult[] = [];
  await installWidgets(client, signal);
  try {
    for (const machinery of ['stock', 'patched', 'ours'] satisfies Machinery[]) {
      await createWidgets(client, namespace, count, signal);
      results.push(await runMachinery(machinery, need(context, 'KUBECONFIG'), count, SECONDS));
      await deleteWidgets(client, namespace, signal);
    }
  } finally {
    await removeWidgets(client, signal);
  }
  const [stock, patched, ours] = results;
  if (stock === undefined || patched === undefined || ours === undefined) throw new Error('a machinery gave no result');
  return [
    {
      name: `${count} statuses: our runtime over the repaired stock operator (time)`,
      value: ours.ms / patched.ms,
      unit: 'ratio',
      goal: {atMost: 0.5},
      detail: `${shown(patched)}; ${shown(ours)}`,
    },
    {name: 'statuses written by the stock operator as it is', value: stock.written, unit: 'writes', detail: shown(stock)},
  ];
}
