/** What a cloud at rest costs: writes in an idle minute, and the operator's memory. */
import {SERVER} from '../../crds/index.ts';
import {benchServer, listBench, names, need, timeUntilCount, WIDTH, type BenchContext} from './context.ts';
import {inParallel, type Row} from './measure.ts';

const WRITE_VERBS = new Set(['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE']);
/** Written by clockwork whatever the cloud does: leases (leader election, node heartbeats), node status by KWOK, token requests. */
const NOT_OURS = new Set(['leases', 'nodes', 'tokenreviews', 'subjectaccessreviews', 'serviceaccounts', 'selfsubjectaccessreviews']);

/** `resource` → number of write requests so far, from kube-apiserver's own counter. */
export function writesByResource(metrics: string): ReadonlyMap<string, number> {
  const writes = new Map<string, number>();
  for (const line of metrics.split('\n')) {
    if (!line.startsWith('apiserver_request_total{')) continue;
    const label = (name: string): string => new RegExp(`[{,]${name}="([^"]*)"`).exec(line)?.[1] ?? '';
    const resource = label('resource');
    if (!WRITE_VERBS.has(label('verb')) || NOT_OURS.has(resource)) continue;
    const key = `${resource}${label('group') === '' ? '' : `.${label('group')}`}`;
    writes.set(key, (writes.get(key) ?? 0) + Number(line.slice(line.lastIndexOf(' ') + 1)));
  }
  return writes;
}

const sampleWrites = async (context: BenchContext): Promise<ReadonlyMap<string, number>> =>
  writesByResource((await context.client.raw('GET', '/metrics', {signal: context.signal})).body.toString('utf8'));

/** Writes that reach kube-apiserver in a minute in which nobody asks for anything. */
export async function measureIdle(context: BenchContext, minuteMs: number): Promise<Row> {
  await new Promise((resolve) => setTimeout(resolve, 10_000)); // what the last measurement started comes to rest
  const before = await sampleWrites(context);
  await new Promise((resolve) => setTimeout(resolve, minuteMs));
  const after = await sampleWrites(context);
  const grown = [...after]
    .map(([resource, count]) => [resource, count - (before.get(resource) ?? 0)] as const)
    .filter(([, count]) => count > 0);
  const value = grown.reduce((sum, [, count]) => sum + count, 0);
  const servers = (await listBench(context, SERVER)).length;
  const detail = `${servers} servers resident, ${minuteMs / 1000} s; ${grown.length === 0 ? 'no write but leases and node heartbeats' : grown.map(([r, n]) => `${r} ${n}`).join(', ')}`;
  return {name: 'writes in an idle minute', value, unit: 'writes', goal: {atMost: 0}, detail};
}

/** Resident memory of the operator with `count` servers, which are made where they are not there yet. */
export async function measureMemory(context: BenchContext, count: number): Promise<Row> {
  const present = (await listBench(context, SERVER)).length;
  await inParallel(names('memory', Math.max(0, count - present)), WIDTH, async (name) => {
    await context.client.create(SERVER, benchServer(context, name), {signal: context.signal});
  });
  const startedAt = performance.now();
  await timeUntilCount(context, SERVER, count, ({status}) => status?.phase === 'ACTIVE', {timeoutMs: 600_000, startedAt});
  const metrics = await (await fetch(need(context, 'BASALT_OPERATOR_METRICS_URL'), {signal: context.signal})).text();
  const bytes = Number(/^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1] ?? Number.NaN);
  return {
    name: `operator's resident memory at ${count} servers`,
    value: bytes / 1e6,
    unit: 'MB',
    goal: {atMost: 300},
    detail: 'process_resident_memory_bytes of its own /metrics',
  };
}
