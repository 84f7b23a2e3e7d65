/**
 * What a controller is to the runtime, and what the program gives to every controller. A controller is a plain object made by
 * `createXController(deps)`: it holds no queue, no timer and no state of its own; `main.ts` hands it to the runtime, which calls
 * `reconcile` with one key at a time, never twice at once for the same key.
 */
import type {Applier as KubeApplier} from '../../kube/apply.ts';
import type {KubeClient} from '../../kube/client.ts';
import type {Clock} from '../../kube/clock.ts';
import type {Change, Informer} from '../../kube/informer.ts';
import type {Logger} from '../../kube/log.ts';
import type {KubeObject, ResourceType} from '../../kube/objects.ts';
import type {Informers} from '../informers.ts';

/** What one run of a reconcile may use. `signal` aborts at the run's deadline, at shutdown and when leadership is lost. */
export interface ReconcileContext {
  readonly signal: AbortSignal;
  /** Carries `controller`, `object` and `reconcileID` already. */
  readonly log: Logger;
  readonly clock: Clock;
  readonly reconcileId: string;
}

/**
 * How a run ended. Errors are thrown: any error is retried with back-off, a `TerminalError` only after the object changes.
 * - `done`: nothing to do until something that is watched changes.
 * - `requeue`: come back after `afterMs` (an outside system must be polled, or a deadline passes then); `why` goes to the debug log.
 * - `blocked`: as `done`, but something named by `reason` is missing; the caller has put it into a condition and watches it.
 */
export type Result =
  | {readonly kind: 'done'}
  | {readonly kind: 'requeue'; readonly afterMs: number; readonly why: string}
  | {readonly kind: 'blocked'; readonly reason: string; readonly message: string};

/** The result of a run that has nothing left to do. */
export const DONE: Result = {kind: 'done'};

/** A second source of work: changes of `informer` requeue the keys of primary objects that `mapToKeys` returns. */
export interface WatchDefinition {
  readonly informer: Informer<KubeObject>;
  /** Must be pure and cheap: it runs in the informer's handler. Look at `oldObject` too when a reference may have moved. */
  mapToKeys(change: Change<KubeObject>): readonly string[];
  /** The controller starts without this kind (its CRD may never be installed). Default false: it waits for the first list. */
  readonly optional?: boolean;
  /** Waits so long before the key is queued, so that a burst of changes becomes one run. Default 0. */
  readonly delayMs?: number;
}

/** Types a watch: `watchOf(deps.informers.nodes, (change) => [...])`. */
export function watchOf<T extends KubeObject>(
  informer: Informer<T>,
  mapToKeys: (change: Change<T>) => readonly string[],
  options: Pick<WatchDefinition, 'optional' | 'delayMs'> = {},
): WatchDefinition {
  return {informer: informer as unknown as Informer<KubeObject>, mapToKeys: mapToKeys as WatchDefinition['mapToKeys'], ...options};
}

/** One controller: what it watches and what it does for one key (`namespace/name`, or `name`). */
export interface ControllerDefinition {
  /** Lower case, the value of the metric label `controller`. */
  readonly name: string;
  /** The kind whose objects are reconciled; each change of one enqueues its key. */
  readonly primary: Informer<KubeObject>;
  reconcile(key: string, context: ReconcileContext): Promise<Result>;
  readonly watches?: readonly WatchDefinition[];
  /** Runs at the same time, each for another key. Default 8. */
  readonly workers?: number;
  /** Deadline of one run in milliseconds. Default 60,000. */
  readonly timeoutMs?: number;
  /** Everything is looked at again after about so long (jittered ±10 %). Default 10 h. */
  readonly resyncMs?: number;
}

/** Something that records events on objects; `kube/events.ts` implements it. Never throws, never waits. */
export interface EventSink {
  event(
    object: KubeObject,
    event: {readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly action: string; readonly message: string},
  ): void;
}

/** Applies an owned object, and writes only when it must (field manager `basalt-operator`). */
export type Applier = Pick<KubeApplier, 'apply'>;

/** A persistent sequence of integers that never repeats; `kube/ids.ts` implements it. */
export interface Sequence {
  next(signal?: AbortSignal): Promise<number>;
}

/** Everything that a controller may use. Nothing else is reachable: no module state, no environment. */
export interface Deps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: EventSink;
  readonly applier: Applier;
  readonly informers: Informers;
  /** The id sequence of a kind: ConfigMap `ids-<kind in lower case>` in the system namespace, shared with the api-server. */
  sequences(type: Pick<ResourceType, 'kind'>): Sequence;
  /** Whether the API server serves a kind (false: its CRD is not installed, or not looked up yet). */
  served(type: Pick<ResourceType, 'group' | 'version' | 'plural'>): boolean;
  /** `basalt-system`, unless installed elsewhere. */
  readonly systemNamespace: string;
}
