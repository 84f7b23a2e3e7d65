/** How long a running guest takes to move to another host, and how long it stands still. */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {SERVER, SERVER_OPERATION} from '../../crds/index.ts';
import type {Server, ServerOperation} from '../../crds/index.ts';
import {BENCH_LABEL, need, timeUntil, type BenchContext} from './context.ts';
import {median, type Row} from './measure.ts';

const TIMEOUT_MS = 120_000;

// qemu tells the hypervisor, and KubeVirt's status has no field for it.
async function downtimes(context: BenchContext, vmi: string): Promise<readonly number[]> {
  const log = await readFile(join(need(context, 'BASALT_CLUSTER_DIR'), 'log/hypervisor.log'), 'utf8');
  return log.split('\n').flatMap((line) => {
    if (!line.includes('"downtimeMs"')) return [];
    const entry = JSON.parse(line) as {vmi?: string; downtimeMs?: number};
    return entry.vmi === vmi && entry.downtimeMs !== undefined ? [entry.downtimeMs] : [];
  });
}

/** Moves one guest back and forth. */
export async function measureMove(context: BenchContext, moves: number): Promise<readonly Row[]> {
  const name = 'bench-move';
  const ref = {namespace: context.namespace, name};
  const labels = {[BENCH_LABEL]: 'true'};
  const server = {
    apiVersion: 'basalt.dev/v1alpha1',
    kind: 'Server',
    metadata: {...ref, labels},
    spec: {name, flavor: 'tiny', image: {namespace: 'basalt-system', name: 'tiny'}},
  } as Server;
  await context.client.create(SERVER, server, {signal: context.signal});
  const took: number[] = [];
  try {
    await timeUntil(context, `${name} is ACTIVE`, TIMEOUT_MS, performance.now(), async () => {
      return (await context.client.get(SERVER, ref, {signal: context.signal})).status?.phase === 'ACTIVE';
    });
    await new Promise((resolve) => setTimeout(resolve, 8_000)); // at its login: a guest that boots dirties its memory all the time
    for (let move = 0; move < moves; move++) {
      const operation = {namespace: context.namespace, name: `${name}-${move}`};
      const started = performance.now();
      await context.client.create(
        SERVER_OPERATION,
        {
          apiVersion: 'basalt.dev/v1alpha1',
          kind: 'ServerOperation',
          metadata: {...operation, labels},
          spec: {server: name, verb: 'Migrate'},
        } as ServerOperation,
        {signal: context.signal},
      );
      took.push(
        await timeUntil(context, 'the migration is Completed', TIMEOUT_MS, started, async () => {
          const {status} = await context.client.get(SERVER_OPERATION, operation, {signal: context.signal});
          if (status?.phase === 'Failed') throw new Error(`the migration failed: ${status.message ?? ''}`);
          return status?.phase === 'Completed';
        }),
      );
    }
  } finally {
    await context.client.mergePatch(SERVER, ref, {spec: {powerState: 'Stopped'}});
    await context.client.delete(SERVER, ref);
  }
  const still = await downtimes(context, `${context.namespace}/${name}`);
  const rows: Row[] = [
    {
      name: 'a running guest moves to another host',
      value: median(took),
      unit: 'ms',
      detail: `median of ${moves}: from the create of a ServerOperation to Completed`,
    },
  ];
  if (still.length > 0)
    rows.push({name: 'and stands still on the way', value: median(still), unit: 'ms', detail: `median of ${still.length}, as qemu says`});
  return rows;
}
