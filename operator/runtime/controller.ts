/**
 * The loop of one controller: changes of informers become keys in a queue, N workers take keys and call `reconcile`, and one switch
 * decides what follows. A thrown error is logged once, here, and retried with back-off.
 */
import {randomUUID} from 'node:crypto';
import type {Clock} from '../../kube/clock.ts';
import {isConflict} from '../../kube/errors.ts';
import type {Logger} from '../../kube/log.ts';
import {keyOf, refOf, refOfObject} from '../../kube/objects.ts';
import type {ControllerMetrics, RuntimeMetrics} from './metrics.ts';
import {createRateLimiter} from './rate-limiter.ts';
import {TerminalError} from './terminal-error.ts';
import type {ControllerDefinition, ReconcileContext, Result} from './types.ts';
import {createWorkQueue} from './work-queue.ts';
import type {WorkQueue} from './work-queue.ts';

/** Defaults of a {@link ControllerDefinition}. */
export const DEFAULT_WORKERS = 8;
export const DEFAULT_TIMEOUT_MS = 60_000;
export const DEFAULT_RESYNC_MS = 10 * 3_600_000;

/** What {@link createController} needs beside the definition. */
export interface ControllerOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: RuntimeMetrics;
  /** Overrides the definition's number of workers. */
  readonly workers?: number;
  /** Uniform in [0, 1). Default Math.random. */
  readonly random?: () => number;
}

/** A controller under the runtime's control. */
export interface RunningController {
  readonly name: string;
  /** Starts the workers once the informers have their first lists. Rejects with the signal's reason when that never happens. */
  start(): Promise<void>;
  /** Takes no more work; resolves when what is running has ended. `abort` cuts that short. */
  drain(): Promise<void>;
  /** Takes no more work and aborts the signal of what runs. Final. */
  abort(reason: Error): void;
  readonly queue: WorkQueue;
  /** Why the workers do not run yet, or `undefined` when they do. */
  readonly waitingFor: string | undefined;
}

/** Builds the loop; nothing runs before `start`. */
export function createController(definition: ControllerDefinition, options: ControllerOptions): RunningController {
  const {clock, random = Math.random} = options;
  const workers = options.workers ?? definition.workers ?? DEFAULT_WORKERS;
  const log = options.log.child({controller: definition.name});
  let metrics: ControllerMetrics | undefined;
  const queue = createWorkQueue({
    clock,
    limiter: createRateLimiter({clock, random}),
    metrics: {
      added: () => metrics?.queue.added(),
      taken: (ms) => metrics?.queue.taken(ms),
      finished: (ms) => metrics?.queue.finished(ms),
      retried: () => metrics?.queue.retried(),
    },
  });
  metrics = options.metrics.controller(definition.name, {
    workers,
    get depth() {
      return queue.depth;
    },
    runningMs: () => [...queue.active.values()].map((since) => clock.monotonicMs() - since),
  });
  const report = metrics;
  const lifetime = new AbortController();
  const unsubscribe: (() => void)[] = [];
  const loops: Promise<void>[] = [];
  let running = false;
  let cancelResync = (): void => undefined;

  const subscribe = (): void => {
    const {primary} = definition;
    // What arrives with the first list is start-up work: a person's change overtakes it.
    unsubscribe.push(primary.onChange((change) => queue.add(keyOf(refOfObject(change.object)), primary.hasSynced ? 'high' : 'low')));
    for (const watch of definition.watches ?? []) {
      unsubscribe.push(
        watch.informer.onChange((change) => {
          try {
            for (const key of watch.mapToKeys(change)) queue.addAfter(key, watch.delayMs ?? 0, watch.informer.hasSynced ? 'high' : 'low');
          } catch (error) {
            report.panic();
            log.error({err: error, kind: change.object.kind, object: refOfObject(change.object)}, 'a watch could not map a change to keys');
          }
        }),
      );
    }
  };

  const resync = (): void => {
    const every = definition.resyncMs ?? DEFAULT_RESYNC_MS;
    cancelResync = clock.setTimer(every * (0.9 + 0.2 * random()), () => {
      // Spread over a tenth of the period, so that a resync is never a burst.
      for (const object of definition.primary.list()) queue.addAfter(keyOf(refOfObject(object)), random() * every * 0.1, 'low');
      resync();
    });
  };

  const work = async (): Promise<void> => {
    for (;;) {
      const key = await queue.get();
      if (key === undefined) return;
      try {
        await processKey(key);
      } finally {
        queue.done(key);
      }
    }
  };

  const processKey = async (key: string): Promise<void> => {
    const reconcileId = randomUUID();
    const startedAt = clock.monotonicMs();
    const deadline = new AbortController();
    const timeoutMs = definition.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const cancelTimer = clock.setTimer(timeoutMs, () => {
      report.timeout();
      deadline.abort(new Error(`the reconcile did not end within ${timeoutMs} ms`));
    });
    const context: ReconcileContext = {
      signal: AbortSignal.any([lifetime.signal, deadline.signal]),
      log: log.child({object: refOf(key), reconcileID: reconcileId}),
      clock,
      reconcileId,
    };
    try {
      settle(key, await definition.reconcile(key, context), context, startedAt);
    } catch (error) {
      fail(key, error, context, startedAt);
    } finally {
      cancelTimer();
    }
  };

  const settle = (key: string, result: Result, context: ReconcileContext, startedAt: number): void => {
    const durationMs = clock.monotonicMs() - startedAt;
    queue.forget(key);
    switch (result.kind) {
      case 'done':
        report.ended('success', durationMs);
        return;
      case 'blocked':
        report.ended('success', durationMs);
        context.log.debug({reason: result.reason}, result.message);
        return;
      case 'requeue':
        report.ended('requeue_after', durationMs);
        context.log.debug({afterMs: result.afterMs}, `looking again: ${result.why}`);
        queue.addAfter(key, Math.max(1, result.afterMs));
        return;
      default:
        throw new Error(`unknown result ${JSON.stringify(result satisfies never)}`);
    }
  };

  const fail = (key: string, error: unknown, context: ReconcileContext, startedAt: number): void => {
    const durationMs = clock.monotonicMs() - startedAt;
    if (error instanceof TerminalError) {
      report.ended('error', durationMs);
      report.terminalError();
      queue.forget(key);
      context.log.error({err: error}, 'gave up until the object changes');
      return;
    }
    if (isConflict(error)) {
      // Somebody wrote in between: the normal course of optimistic locking, not worth a line at error level.
      report.ended('requeue', durationMs);
      const retryMs = queue.addRateLimited(key);
      context.log.debug({retryMs, message: error.message}, 'wrote on a stale object; trying again');
      return;
    }
    if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) report.panic();
    report.ended('error', durationMs);
    const retryMs = queue.addRateLimited(key);
    if (lifetime.signal.aborted) context.log.debug({message: String(error)}, 'the run was aborted');
    else context.log.error({err: error, retryMs: Math.round(retryMs)}, 'the reconcile failed; trying again');
  };

  return {
    name: definition.name,
    queue,
    async start() {
      subscribe();
      const required = [
        definition.primary,
        ...(definition.watches ?? []).filter((watch) => watch.optional !== true).map((watch) => watch.informer),
      ];
      await Promise.all(required.map((informer) => informer.waitForSync(lifetime.signal)));
      if (lifetime.signal.aborted) return;
      for (const object of definition.primary.list()) queue.add(keyOf(refOfObject(object)), 'low');
      running = true;
      for (let index = 0; index < workers; index++) loops.push(work());
      resync();
      log.info({workers}, 'controller started');
    },
    async drain() {
      for (const remove of unsubscribe.splice(0)) remove();
      cancelResync();
      queue.close();
      if (!running) lifetime.abort(new Error('the controller was stopped before its caches were filled'));
      await Promise.all(loops);
    },
    abort(reason) {
      queue.close(); // a handler that does not look at its signal must not be called any more, either
      lifetime.abort(reason);
    },
    get waitingFor() {
      return running ? undefined : `controller ${definition.name} waits for its caches`;
    },
  };
}
