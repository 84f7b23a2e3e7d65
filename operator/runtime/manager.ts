/**
 * Holds informers and controllers together: caches fill at once (on standbys too, so that a take-over is fast), controllers run while
 * this process leads, and a shutdown ends both in order and within a bound.
 */
import type {Clock} from '../../kube/clock.ts';
import type {Informer} from '../../kube/informer.ts';
import type {Logger} from '../../kube/log.ts';
import type {KubeObject} from '../../kube/objects.ts';
import {createController} from './controller.ts';
import type {RunningController} from './controller.ts';
import type {RuntimeMetrics} from './metrics.ts';
import {qualifiedName} from './served-kinds.ts';
import type {KindName, ServedKinds} from './served-kinds.ts';
import type {ControllerDefinition} from './types.ts';

/** An informer that the manager starts once its kind is served. */
export interface ManagedInformer {
  readonly type: KindName;
  /** `problem` is what a person must mend (RBAC, a CRD that went away), while there is one. */
  readonly informer: Informer<KubeObject> & {readonly problem?: string | undefined};
  /** Readiness does not ask for it, and controllers that watch it say `optional` too. */
  readonly optional?: boolean;
}

/**
 * Runs for leadership until `signal` aborts, then gives it back and resolves. Calls `onStarted` when it leads, with a signal that
 * aborts before another process may lead. Rejects when leadership is lost. `kube/lease.ts` implements it.
 */
export type Election = (onStarted: (leading: AbortSignal) => void, signal: AbortSignal) => Promise<void>;

/** For a program that runs alone: leads at once. */
export const withoutElection: Election = (onStarted, signal) => {
  onStarted(signal);
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), {once: true});
  });
};

/** Options of {@link createManager}. */
export interface ManagerOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: RuntimeMetrics;
  readonly kinds: ServedKinds;
  readonly election?: Election;
  /** Workers per controller name, over the controllers' own numbers. */
  readonly workers?: Readonly<Record<string, number>>;
  /** How long running work may take to end at shutdown before it is aborted, in milliseconds. Default 25,000. */
  readonly graceMs?: number;
  /** How long aborted work may take to end, in milliseconds; then it is abandoned. Default 2,000. */
  readonly abortGraceMs?: number;
  readonly random?: () => number;
}

/** See the top of this file. */
export interface Manager {
  addInformer(informer: ManagedInformer): void;
  /** Adds a controller; it starts when this process leads, at once if it does already. */
  addController(definition: ControllerDefinition): void;
  /** Starts the caches and runs for leadership; returns at once. */
  start(): void;
  /** Resolves after a clean shutdown; rejects when leadership is lost or a controller cannot start. Look at it after `start`. */
  readonly finished: Promise<void>;
  /** Why the program is not ready, one sentence each. A standby with filled caches is ready. */
  unready(): readonly string[];
  readonly leading: boolean;
  /** Whether a controller works on a key, or has one ready to be worked on. */
  readonly busy: boolean;
  /** Stops in order; resolves within the two grace periods. Calling it again returns the same promise. */
  shutdown(): Promise<void>;
}

/** Makes a manager; nothing runs before `start`. */
export function createManager(options: ManagerOptions): Manager {
  const {clock, log, metrics, kinds, graceMs = 25_000, abortGraceMs = 2_000} = options;
  const informers: ManagedInformer[] = [];
  const controllers: RunningController[] = [];
  const watches = new AbortController(); // ends the caches
  const election = new AbortController(); // gives leadership back
  const {promise: finished, resolve, reject} = Promise.withResolvers<void>();
  let started = false;
  let leading = false;
  let electionEnded: Promise<void> = Promise.resolve();
  let shuttingDown: Promise<void> | undefined;

  const expect = ({type, informer}: ManagedInformer): void => kinds.expect(type, () => informer.start(watches.signal));

  const launch = (controller: RunningController): void => {
    // Before the first look at discovery, a controller could not tell a missing kind from an unknown one.
    kinds.looked
      .then(() => (shuttingDown === undefined ? controller.start() : undefined))
      .catch((error: unknown) => {
        if (shuttingDown !== undefined) return;
        reject(new Error(`controller ${controller.name} could not start`, {cause: error}));
      });
  };

  const lead = (signal: AbortSignal): void => {
    if (shuttingDown !== undefined) return;
    leading = true;
    log.debug({}, 'starting the controllers');
    signal.addEventListener('abort', () => {
      leading = false;
      // After a drain nothing runs any more and this does nothing; after a loss it stops every write before another process may lead.
      for (const controller of controllers) controller.abort(new Error('this process leads no longer'));
    });
    for (const controller of controllers) launch(controller);
  };

  /** Whether `work` ended within `ms`. */
  const within = async (work: Promise<unknown>, ms: number): Promise<boolean> => {
    let cancel = (): void => undefined;
    const timeUp = new Promise<boolean>((done) => {
      cancel = clock.setTimer(ms, () => done(false));
    });
    const ended = await Promise.race([work.then(() => true), timeUp]);
    cancel();
    return ended;
  };

  const shutdown = async (): Promise<void> => {
    log.info({}, 'shutting down: no more work is taken');
    watches.abort(new Error('the program is shutting down'));
    const drained = Promise.all(controllers.map((controller) => controller.drain()));
    if (!(await within(drained, graceMs))) {
      log.warn({graceMs}, 'work did not end in time and is aborted');
      for (const controller of controllers) controller.abort(new Error('the program is shutting down'));
      if (!(await within(drained, abortGraceMs))) log.error({abortGraceMs}, 'work ignored its signal and is abandoned');
    }
    election.abort(new Error('the program is shutting down'));
    await within(
      electionEnded.catch(() => undefined),
      abortGraceMs,
    );
    resolve();
  };

  return {
    finished,
    addInformer(informer) {
      informers.push(informer);
      if (started) expect(informer);
    },
    addController(definition) {
      const workers = options.workers?.[definition.name];
      const controller = createController(definition, {
        clock,
        log,
        metrics,
        ...(workers === undefined ? {} : {workers}),
        ...(options.random === undefined ? {} : {random: options.random}),
      });
      controllers.push(controller);
      if (leading) launch(controller);
    },
    start() {
      if (started) return;
      started = true;
      finished.catch(() => undefined); // whoever awaits it gets the error; nobody has to
      informers.forEach(expect);
      kinds.run(watches.signal).catch(reject);
      electionEnded = (options.election ?? withoutElection)(lead, election.signal);
      electionEnded.catch((error: unknown) => {
        for (const controller of controllers) controller.abort(new Error('leadership is lost'));
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    },
    unready() {
      if (!started) return ['the program has not started yet'];
      if (shuttingDown !== undefined) return ['the program is shutting down'];
      const reasons: string[] = [];
      for (const {type, informer, optional} of informers) {
        if (optional === true) continue;
        const name = qualifiedName(type);
        if (informer.problem !== undefined) reasons.push(`${name}: ${informer.problem}`);
        else if (!informer.hasSynced)
          reasons.push(
            kinds.served(type)
              ? `the first list of ${name} has not arrived yet`
              : `the cluster does not serve ${name}: is its CRD installed?`,
          );
      }
      return reasons;
    },
    get leading() {
      return leading;
    },
    get busy() {
      return controllers.some(({queue}) => queue.depth > 0 || queue.active.size > 0);
    },
    shutdown() {
      shuttingDown ??= shutdown();
      return shuttingDown;
    },
  };
}
