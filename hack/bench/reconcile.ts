/** How fast the operator turns Servers into VirtualMachines, against the same VirtualMachines written raw. */
import {SERVER, type Server} from '../../crds/index.ts';
import {
  benchServer,
  names,
  rawVmLike,
  removeAll,
  timeUntil,
  timeUntilCount,
  VIRTUAL_MACHINE,
  WIDTH,
  type BenchContext,
  type RawVm,
} from './context.ts';
import {inParallel, quantile, type Row} from './measure.ts';

/** A VirtualMachine as the operator generates it, to write raw copies of. */
export async function modelVm(context: BenchContext): Promise<RawVm> {
  const [name = ''] = names('model', 1);
  await context.client.create(SERVER, benchServer(context, name), {signal: context.signal});
  let found: RawVm | undefined;
  await timeUntil(context, 'the model VirtualMachine appears', 30_000, performance.now(), async () => {
    const page = await context.client.list(VIRTUAL_MACHINE, {
      namespace: context.namespace,
      fieldSelector: `metadata.name=${name}`,
      signal: context.signal,
    });
    found = page.items[0];
    return found !== undefined;
  });
  await removeAll(context, SERVER);
  return found as RawVm;
}

/** From the acknowledged create of a Server to the watch event of its VirtualMachine, with all creates under way at once. */
export async function measureLatency(context: BenchContext, count: number): Promise<Row> {
  const acknowledged = new Map<string, number>();
  const seen = new Map<string, number>();
  const stop = new AbortController();
  const start = await context.client.list(VIRTUAL_MACHINE, {namespace: context.namespace, limit: 1, signal: context.signal});
  const watching = (async () => {
    try {
      for await (const event of context.client.watch(VIRTUAL_MACHINE, {
        namespace: context.namespace,
        resourceVersion: start.resourceVersion,
        signal: stop.signal,
      }))
        if (event.type === 'ADDED') seen.set(event.object.metadata.name, performance.now());
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
  })();
  const batch = names('latency', count);
  await inParallel(batch, count, async (name) => {
    await context.client.create(SERVER, benchServer(context, name), {signal: context.signal});
    acknowledged.set(name, performance.now());
  });
  await timeUntil(context, `${count} VirtualMachines appear`, 60_000, performance.now(), () =>
    Promise.resolve(batch.every((name) => seen.has(name))),
  );
  stop.abort();
  await watching;
  const latencies = batch.map((name) => Math.max(0, (seen.get(name) ?? Number.NaN) - (acknowledged.get(name) ?? Number.NaN)));
  await removeAll(context, SERVER);
  const detail = `${count} creates at once: P50 ${quantile(latencies, 0.5).toFixed(0)} ms, P95 ${quantile(latencies, 0.95).toFixed(0)} ms, most ${Math.max(...latencies).toFixed(0)} ms`;
  return {
    name: `Server → VirtualMachine, P95 at ${count} concurrent creates`,
    value: quantile(latencies, 0.95),
    unit: 'ms',
    goal: {atMost: 500},
    detail,
  };
}

/** Creates `count` servers, and measures until the last of them is ACTIVE. */
async function serversToActive(context: BenchContext, count: number, timeoutMs: number): Promise<{createdMs: number; activeMs: number}> {
  const startedAt = performance.now();
  const active = timeUntilCount(context, SERVER, count, (server: Server) => server.status?.phase === 'ACTIVE', {timeoutMs, startedAt});
  active.catch(() => undefined); // awaited below; a create that fails first must not leave it unheard
  await inParallel(names('server', count), WIDTH, async (name) => {
    await context.client.create(SERVER, benchServer(context, name), {signal: context.signal});
  });
  const createdMs = performance.now() - startedAt;
  return {createdMs, activeMs: await active};
}

/** Writes `count` raw VirtualMachines, and measures until the last is written and until the last is Running. They are removed again. */
async function rawToRunning(context: BenchContext, count: number): Promise<{writtenMs: number; runningMs: number}> {
  const model = await modelVm(context);
  const startedAt = performance.now();
  const isRunning = (vm: RawVm): boolean => vm.status?.printableStatus === 'Running';
  const running = timeUntilCount(context, VIRTUAL_MACHINE, count, isRunning, {timeoutMs: 600_000, startedAt});
  running.catch(() => undefined); // awaited below, as above
  await inParallel(names('raw', count), WIDTH, async (name) => {
    await context.client.create(VIRTUAL_MACHINE, rawVmLike(model, name), {signal: context.signal});
  });
  const writtenMs = performance.now() - startedAt;
  const runningMs = await running;
  await removeAll(context, VIRTUAL_MACHINE);
  return {writtenMs, runningMs};
}

/** Servers to ACTIVE per second against raw VirtualMachines per second. The servers stay for the measurements that follow. */
export async function measureThroughputLight(context: BenchContext, count: number, goal: number): Promise<readonly Row[]> {
  const {writtenMs, runningMs} = await rawToRunning(context, count);
  const {createdMs, activeMs} = await serversToActive(context, count, 600_000);
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const servers = `${count} servers created in ${seconds(createdMs)}, ACTIVE after ${seconds(activeMs)}`;
  return [
    {
      name: `${count} servers to ACTIVE (light) / raw VirtualMachines written, rate`,
      value: writtenMs / activeMs,
      unit: 'ratio',
      goal: {atLeast: goal},
      detail: `${servers}; raw ones written in ${seconds(writtenMs)}`,
    },
    {
      name: `${count} servers to ACTIVE (light) / raw VirtualMachines to Running, rate`,
      value: runningMs / activeMs,
      unit: 'ratio',
      detail: `${servers}; raw ones Running after ${seconds(runningMs)}`,
    },
  ];
}

/** The full cluster: servers to ACTIVE against raw VirtualMachines to Running, both at once in a batch. */
export async function measureThroughputFull(context: BenchContext, count: number, goal: number): Promise<Row> {
  const {runningMs} = await rawToRunning(context, count);
  const {activeMs} = await serversToActive(context, count, 300_000);
  await removeAll(context, SERVER);
  const detail = `${count}: servers ACTIVE after ${(activeMs / 1000).toFixed(1)} s, the raw VirtualMachines Running after ${(runningMs / 1000).toFixed(1)} s`;
  return {
    name: `${count} servers to ACTIVE (full) / raw VirtualMachines to Running, rate`,
    value: runningMs / activeMs,
    unit: 'ratio',
    goal: {atLeast: goal},
    detail,
  };
}
