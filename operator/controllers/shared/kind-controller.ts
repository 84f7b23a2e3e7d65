/**
 * The frame that the simple kinds share: guard clauses (gone, paused, deleting), the first write (finalizer and id), the kind's own
 * work, and events when `Ready` changes. A kind with a flow of its own (Server) does not have to use it.
 */
import type {Informer} from '../../../kube/informer.ts';
import type {ResourceType} from '../../../kube/objects.ts';
import {DONE} from '../../runtime/types.ts';
import type {ControllerDefinition, Deps, ReconcileContext, Result, WatchDefinition} from '../../runtime/types.ts';
import {conditionOf} from './conditions.ts';
import type {Judgement, WithConditions} from './conditions.ts';
import {hasFinalizer, removeFinalizer} from './finalizer.ts';
import {ensureFinalizerAndId, ensureId, olderWithSameId} from './identity.ts';
import type {WithId} from './identity.ts';
import {isPaused} from './paused.ts';
import {writeStatus} from './status-writer.ts';
import {isDeleting} from '../../../kube/objects.ts';

/** What a kind's own functions get beside the object. */
export interface Scope<T, S> extends ReconcileContext {
  readonly nowMs: number;
  /** `Ready=False/DuplicateId`, when an older object carries the same id; the kind's status must show it. */
  readonly duplicate: Judgement | undefined;
  /** Writes the whole status if it differs, and an event if `Ready` changed with it. */
  saveStatus(object: T, status: S): Promise<T>;
}

/** Options of {@link createKindController}. */
export interface KindControllerOptions<T, S> {
  readonly deps: Deps;
  readonly name: string;
  readonly type: ResourceType<T & WithId>;
  readonly informer: Informer<T & WithId>;
  readonly watches?: readonly WatchDefinition[];
  readonly workers?: number;
  /** Brings the world in line with a living object. */
  reconcile(object: T, scope: Scope<T, S>): Promise<Result>;
  /**
   * Clears up after an object that is being deleted; `done` removes the finalizer. Kinds without it get no finalizer: nothing exists
   * because of them but children that the garbage collector removes.
   */
  finalize?(object: T, scope: Scope<T, S>): Promise<Result>;
}

/** Makes the controller of a simple kind. */
export function createKindController<S extends object, T extends WithConditions & WithId & {readonly status?: S}>(
  options: KindControllerOptions<T, S>,
): ControllerDefinition {
  const {deps, name, type, informer} = options;

  const saveStatus = async (object: T, status: S, signal: AbortSignal): Promise<T> => {
    const before = conditionOf(object, 'Ready');
    const saved = await writeStatus<S, T>({client: deps.client, type, informer, signal}, object, status);
    const after = conditionOf(saved.object, 'Ready');
    // A change of `Ready` is worth an event; a new reason for the same "no" is, too; becoming known is not.
    if (
      saved.changed &&
      after !== undefined &&
      (before?.status !== after.status || (after.status === 'False' && before.reason !== after.reason))
    ) {
      deps.events.event(object, {
        type: after.status === 'False' ? 'Warning' : 'Normal',
        reason: after.reason,
        action: 'Reconcile',
        message: after.message,
      });
    }
    return saved.object;
  };

  const duplicateOf = (object: T): Judgement | undefined => {
    const older = olderWithSameId<T>(informer, object);
    if (older === undefined) return undefined;
    const message = `${older.metadata.name} is older and has id ${object.spec.id} already; an id is immutable, so delete this object and create it without one`;
    return {type: 'Ready', status: 'False', reason: 'DuplicateId', message};
  };

  return {
    name,
    primary: informer,
    ...(options.watches === undefined ? {} : {watches: options.watches}),
    ...(options.workers === undefined ? {} : {workers: options.workers}),
    async reconcile(key, context) {
      const cached = informer.get(key);
      if (cached === undefined || isPaused(cached)) return DONE;
      const scope = (object: T): Scope<T, S> => ({
        ...context,
        nowMs: deps.clock.now(),
        duplicate: duplicateOf(object),
        saveStatus: (target, status) => saveStatus(target, status, context.signal),
      });
      if (isDeleting(cached)) {
        if (options.finalize === undefined || !hasFinalizer(cached)) return DONE;
        const result = await options.finalize(cached, scope(cached));
        if (result.kind === 'done') await removeFinalizer(deps.client, type, informer.get(key) ?? cached, context.signal);
        return result;
      }
      const ensure = options.finalize === undefined ? ensureId : ensureFinalizerAndId;
      const object = await ensure<T>(deps, type, informer, cached, context.signal);
      return await options.reconcile(object, scope(object));
    },
  };
}
