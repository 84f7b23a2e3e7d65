/** What each measurement has in hand, and how the objects that are measured look. */
import type {Server} from '../../crds/index.ts';
import type {KubeClient} from '../../kube/client.ts';
import {systemClock} from '../../kube/clock.ts';
import {silentLogger} from '../../kube/log.ts';
import {createInformer} from '../../kube/reflector.ts';
import type {AnyObject, KubeObject, ResourceType} from '../../kube/objects.ts';
import {inParallel} from './measure.ts';

/** Everything that is made carries this label, so that it can be removed at the end or after a killed run. */
export const BENCH_LABEL = 'bench.basalt.dev/run';

/** Writers at the same time, for raw and for our own creates alike. */
export const WIDTH = 32;

/** KubeVirt's VirtualMachine, as far as the benchmark looks at it. */
export interface RawVm extends KubeObject {
  readonly spec: {readonly runStrategy: string; readonly template: object};
  readonly status?: {readonly printableStatus?: string};
}

export const VIRTUAL_MACHINE: ResourceType<RawVm> = {
  group: 'kubevirt.io',
  version: 'v1',
  plural: 'virtualmachines',
  kind: 'VirtualMachine',
  namespaced: true,
};

/** Handed to every measurement. */
export interface BenchContext {
  readonly env: Readonly<Record<string, string>>;
  /** An administrator's client: what raw calls are made with. */
  readonly client: KubeClient;
  readonly namespace: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** A variable of the cluster's env file. */
export function need(context: BenchContext, name: string): string {
  const value = context.env[name];
  if (value === undefined || value === '') throw new Error(`the cluster's env file has no ${name}`);
  return value;
}

/** A Server as a person would write it: a flavor, one NIC on the public network, no disk (so that only servers are measured). */
export function benchServer(context: BenchContext, name: string, annotations: Readonly<Record<string, string>> = {}): Server {
  return {
    apiVersion: 'basalt.dev/v1alpha1',
    kind: 'Server',
    metadata: {name, namespace: context.namespace, labels: {[BENCH_LABEL]: 'true'}, annotations},
    spec: {name, flavor: 'tiny', powerState: 'Running'},
  } as Server;
}

/** The same VirtualMachine as the operator made for a server, under another name and without our owner. */
export function rawVmLike(model: RawVm, name: string): RawVm {
  const template = structuredClone(model.spec.template) as {
    metadata?: {labels?: Record<string, string>};
    spec: {domain: {firmware?: object; devices: {disks?: object[]}}; volumes?: object[]};
  };
  delete template.spec.domain.firmware; // the uuid is one server's own
  delete template.spec.volumes; // the cloud-init Secret belongs to the server
  delete template.spec.domain.devices.disks;
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: {name, namespace: model.metadata.namespace ?? '', labels: {[BENCH_LABEL]: 'true'}},
    spec: {runStrategy: model.spec.runStrategy, template},
  };
}

/** Names of one batch: `bench-<what>-0000`. */
export const names = (what: string, count: number): readonly string[] =>
  Array.from({length: count}, (_, i) => `bench-${what}-${String(i).padStart(4, '0')}`);

/** Asks until `done` or the deadline; resolves with the milliseconds that it took, counted from `startedAt`. */
export async function timeUntil(
  context: BenchContext,
  what: string,
  timeoutMs: number,
  startedAt: number,
  done: () => Promise<boolean>,
): Promise<number> {
  while (!(await done())) {
    context.signal.throwIfAborted();
    if (performance.now() - startedAt > timeoutMs) throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return performance.now() - startedAt;
}

/**
 * Counts the benchmark's objects that satisfy `predicate`, as they change: a watch, because asking again and again for a thousand objects
 * would be most of kube-apiserver's work. Resolves with the milliseconds since `startedAt` once there are `count` of them.
 */
export async function timeUntilCount<T extends KubeObject>(
  context: BenchContext,
  type: ResourceType<T>,
  count: number,
  predicate: (object: T) => boolean,
  options: {readonly timeoutMs: number; readonly startedAt: number},
): Promise<number> {
  const stop = new AbortController();
  const informer = createInformer({
    client: context.client,
    type,
    namespace: context.namespace,
    labelSelector: BENCH_LABEL,
    clock: systemClock,
    log: silentLogger,
  });
  const satisfied = new Set<string>();
  try {
    await new Promise<void>((resolve, reject) => {
      const give = AbortSignal.any([context.signal, AbortSignal.timeout(options.timeoutMs)]);
      give.addEventListener('abort', () =>
        reject(new Error(`${satisfied.size} of ${count} ${type.plural} within ${options.timeoutMs / 1000} s`)),
      );
      informer.onChange(({kind, object}) => {
        if (kind !== 'deleted' && predicate(object)) satisfied.add(object.metadata.name);
        else satisfied.delete(object.metadata.name);
        if (satisfied.size >= count) resolve();
      });
      informer.start(stop.signal);
    });
    return performance.now() - options.startedAt;
  } finally {
    stop.abort();
  }
}

/** All objects of a type that the benchmark made, page by page. */
export async function listBench<T extends KubeObject>(context: BenchContext, type: ResourceType<T>): Promise<readonly T[]> {
  const found: T[] = [];
  let token: string | undefined;
  do {
    const page = await context.client.list(type, {
      namespace: context.namespace,
      labelSelector: BENCH_LABEL,
      limit: 500,
      signal: context.signal,
      ...(token === undefined ? {} : {continue: token}),
    });
    found.push(...page.items);
    token = page.continue;
  } while (token !== undefined && token !== '');
  return found;
}

/** Deletes every object of a type that the benchmark made, and waits until they are gone. */
export async function removeAll<T extends KubeObject>(context: BenchContext, type: ResourceType<T>): Promise<void> {
  const found = await listBench(context, type);
  await inParallel(found, WIDTH, async (object) => {
    await context.client
      .delete<T | AnyObject>(type as ResourceType<T | AnyObject>, {name: object.metadata.name, namespace: context.namespace})
      .catch((error: unknown) => {
        if (!String(error).includes('not found')) throw error;
      });
  });
  await timeUntil(context, `every ${type.kind} of the benchmark is gone`, 300_000, performance.now(), async () => {
    const page = await context.client.list(type, {
      namespace: context.namespace,
      labelSelector: BENCH_LABEL,
      limit: 1,
      signal: context.signal,
    });
    return page.items.length === 0;
  });
}
