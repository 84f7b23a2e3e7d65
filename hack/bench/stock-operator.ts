/**
 * One operator, written once against the programming model of `@dot-i/k8s-operator` (watchResource → setResourceStatus) and run on
 * three machineries over the same resources. A process of its own, because the stock one ends in `process.exit`:
 *
 *     KUBECONFIG=… node hack/bench/stock-operator.ts stock|patched|ours <count> [<seconds>]
 *
 * - `stock`: the package as it is. Over client-node 2 its writes go to `undefined/apis/…`, fail, and are swallowed.
 * - `patched`: the package with the one repair without which it does nothing: the address of the API server in its URLs.
 * - `ours`: the same class over this project's runtime.
 *
 * Prints one line of JSON ({@link StockResult}) when every resource was handled, or the time is up.
 */
import mod from '@dot-i/k8s-operator';
import type {OperatorLogger, ResourceEvent} from '@dot-i/k8s-operator';
import {Registry} from 'prom-client';
import {systemClock} from '../../kube/clock.ts';
import {silentLogger} from '../../kube/log.ts';
import {loadKubeConfig} from '../../kube/pooled-kube-config.ts';
import {createInformer} from '../../kube/reflector.ts';
import {createClient} from '../../kube/transport.ts';
import {createManager} from '../../operator/runtime/manager.ts';
import {createRuntimeMetrics} from '../../operator/runtime/metrics.ts';
import {ReconcilingOperator} from '../../operator/runtime/reconciling-operator.ts';
import {createServedKinds} from '../../operator/runtime/served-kinds.ts';
import {WIDGET} from './widgets.ts';
import type {Machinery, StockResult} from './widgets.ts';

/** Counts what the handler sees and achieves, and says when it is over. */
class Progress {
  readonly #count: number;
  readonly #retries: boolean;
  readonly #startedAt = performance.now();
  readonly #handled = new Set<string>();
  readonly #written = new Set<string>();
  readonly #done = Promise.withResolvers<void>();
  #running = 0;
  #mostAtOnce = 0;

  /** `retries`: a resource whose write failed comes again, so only a write counts as its end. */
  constructor(count: number, retries: boolean) {
    this.#count = count;
    this.#retries = retries;
  }

  /** The handler of all three: writes a status once per resource. */
  async handle(event: ResourceEvent, write: () => Promise<object | null>): Promise<void> {
    const {name} = event.meta;
    if (event.type !== 'ADDED' || this.#written.has(name)) return;
    this.#mostAtOnce = Math.max(this.#mostAtOnce, ++this.#running);
    try {
      const stored = await write();
      if (stored !== null) this.#written.add(name);
    } finally {
      this.#running -= 1;
      this.#handled.add(name);
      if ((this.#retries ? this.#written : this.#handled).size >= this.#count) this.#done.resolve();
    }
  }

  async result(machinery: Machinery, timeoutMs: number): Promise<StockResult> {
    await Promise.race([this.#done.promise, systemClock.sleep(timeoutMs)]);
    return {
      machinery,
      ms: performance.now() - this.#startedAt,
      handled: this.#handled.size,
      written: this.#written.size,
      mostAtOnce: this.#mostAtOnce,
      rssMiB: Math.round(process.memoryUsage().rss / 2 ** 20),
    };
  }
}

const status = (event: ResourceEvent): object => ({phase: 'Seen', observedGeneration: event.object.metadata?.generation ?? 0});

/** A logger that shows the first error: the stock machinery has one for each write. */
function firstError(): OperatorLogger {
  let shown = false;
  const ignore = (): void => undefined;
  const error = (message: string): void => {
    if (!shown) process.stderr.write(`the stock operator says: ${message.slice(0, 600)}\n`);
    shown = true;
  };
  return {debug: ignore, info: ignore, warn: ignore, error};
}

class StockOperator extends mod.default {
  readonly #progress: Progress;
  constructor(progress: Progress) {
    super(firstError());
    this.#progress = progress;
  }
  protected override async init(): Promise<void> {
    const {group, version, plural} = WIDGET;
    await this.watchResource(group, version, plural, (event) =>
      this.#progress.handle(event, () => this.setResourceStatus(event.meta, status(event))),
    );
  }
}

class PatchedOperator extends StockOperator {
  protected override getCustomResourceApiUri(group: string, version: string, plural: string, namespace?: string): string {
    const scope = namespace === undefined ? '' : `namespaces/${namespace}/`;
    return `${this.kubeConfig.getCurrentCluster()?.server ?? ''}/apis/${group}/${version}/${scope}${plural}`;
  }
}

class OurOperator extends ReconcilingOperator {
  readonly #progress: Progress;
  constructor(options: ConstructorParameters<typeof ReconcilingOperator>[0], progress: Progress) {
    super(options);
    this.#progress = progress;
  }
  protected override async init(): Promise<void> {
    const {group, version, plural} = WIDGET;
    await this.watchResource(group, version, plural, (event) =>
      this.#progress.handle(event, () => this.setResourceStatus(event.meta, status(event))),
    );
  }
}

function ours(kubeconfig: string, progress: Progress): OurOperator {
  const log = silentLogger;
  const clock = systemClock;
  const kubeConfig = loadKubeConfig({path: kubeconfig});
  const client = createClient({kubeConfig, userAgent: 'basalt-bench', fieldManager: 'basalt-bench'});
  const kinds = createServedKinds({client, clock, log});
  const manager = createManager({clock, log, kinds, metrics: createRuntimeMetrics(new Registry())});
  return new OurOperator(
    {kubeConfig, client, manager, log, createInformer: (type) => createInformer({client, type, clock, log})},
    progress,
  );
}

const [machinery, count, seconds = '120'] = process.argv.slice(2);
const kubeconfig = process.env['KUBECONFIG'] ?? '';
const progress = new Progress(Number(count), machinery === 'ours');
const operators = {
  stock: () => new StockOperator(progress),
  patched: () => new PatchedOperator(progress),
  ours: () => ours(kubeconfig, progress),
} satisfies Record<Machinery, () => {start(): Promise<void>}>;
if (machinery !== 'stock' && machinery !== 'patched' && machinery !== 'ours')
  throw new Error('usage: stock-operator.ts stock|patched|ours <count> [<seconds>]');
await operators[machinery]().start();
process.stdout.write(`${JSON.stringify(await progress.result(machinery, Number(seconds) * 1000))}\n`);
process.exit(0); // the stock machinery has no other end
