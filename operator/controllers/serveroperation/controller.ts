/** ServerOperation: a verb, done once and kept for the record. Deleting one that runs cancels it: its migration goes with it. */
import {SERVER_OPERATION} from '../../../crds/index.ts';
import type {Reason, ServerOperation, ServerOperationStatus} from '../../../crds/index.ts';
import {isNotFound} from '../../../kube/errors.ts';
import {isDeleting, keyOf, refOfObject} from '../../../kube/objects.ts';
import type {KubeObject} from '../../../kube/objects.ts';
import {DONE, watchOf} from '../../runtime/types.ts';
import type {ControllerDefinition, Deps, ReconcileContext, Result} from '../../runtime/types.ts';
import {controllerOf} from '../shared/owner.ts';
import {isPaused} from '../shared/paused.ts';
import {writeStatus} from '../shared/status-writer.ts';
import {isOver, remainingMs, turnOf} from './plan.ts';
import {operationStatus} from './status.ts';
import {DEADLINE_MS, VERBS} from './verbs.ts';
import type {Step} from './verbs.ts';

/** How long an operation may be ahead of its server, in milliseconds: both may have been created at once and seen in either order. */
const SERVER_GRACE_MS = 10_000;
/** How often a step that waits is looked at again, in milliseconds, beside the events that it waits for. */
const STEP_POLL_MS = 2_000;

/** Makes the ServerOperation controller. */
export function createServerOperationController(deps: Deps): ControllerDefinition {
  const {client, informers, clock, events} = deps;
  const {serverOperations, servers, virtualMachineInstances, migrations} = informers;

  const serverKey = ({metadata, spec}: ServerOperation): string => keyOf({namespace: metadata.namespace ?? '', name: spec.server});

  const save = async (
    operation: ServerOperation,
    phase: NonNullable<ServerOperationStatus['phase']>,
    reason: Reason,
    message: string,
    signal: AbortSignal,
  ): Promise<ServerOperation> => {
    const status = operationStatus(operation, phase, reason, message, clock.now());
    const saved = await writeStatus<ServerOperationStatus, ServerOperation>(
      {client, type: SERVER_OPERATION, informer: serverOperations, signal},
      operation,
      status,
    );
    const over = phase === 'Completed' || phase === 'Failed';
    const server = servers.get(serverKey(operation));
    if (saved.changed && over && server !== undefined) {
      events.event(server, {
        type: phase === 'Failed' ? 'Warning' : 'Normal',
        reason,
        action: operation.spec.verb,
        message: `${operation.spec.verb}: ${message}`,
      });
    }
    return saved.object;
  };

  const remove = async (operation: ServerOperation, signal: AbortSignal): Promise<Result> => {
    try {
      await client.delete(SERVER_OPERATION, refOfObject(operation), {signal, preconditions: {uid: operation.metadata.uid ?? ''}});
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return DONE;
  };

  const later = (afterMs: number, why: string): Result => ({kind: 'requeue', afterMs: Math.max(1, afterMs), why});

  const finish = async (
    operation: ServerOperation,
    step: Exclude<Step, {readonly kind: 'going'}>,
    signal: AbortSignal,
  ): Promise<Result> => {
    const ended = await save(operation, step.kind === 'done' ? 'Completed' : 'Failed', step.reason, step.message, signal);
    return later(remainingMs(ended, clock.now()), 'its time to live is over by then');
  };

  const run = async (operation: ServerOperation, {signal}: ReconcileContext): Promise<Result> => {
    const server = servers.get(serverKey(operation));
    if (server === undefined) return DONE;
    const {verb} = operation.spec;
    // Stored before anything is called: so the server shows it, and a crash of ours cannot make the verb forgotten.
    const started = await save(
      operation,
      'InProgress',
      'InProgress',
      operation.status?.phase === 'InProgress' ? (operation.status.message ?? '') : `${verb} has begun`,
      signal,
    );
    const deadline = Date.parse(started.status?.startTime ?? '') + DEADLINE_MS[verb];
    if (clock.now() > deadline)
      return await finish(
        started,
        {kind: 'failed', reason: 'TimedOut', message: `not done after ${DEADLINE_MS[verb] / 1000} s: ${started.status?.message ?? ''}`},
        signal,
      );
    const instance = virtualMachineInstances.get(serverKey(operation));
    const step = await VERBS[verb]({deps, operation: started, server, instance, signal});
    if (step.kind !== 'going') return await finish(started, step, signal);
    await save(started, 'InProgress', 'InProgress', step.message, signal);
    return later(STEP_POLL_MS, step.message);
  };

  const reconcile = async (key: string, context: ReconcileContext): Promise<Result> => {
    const operation = serverOperations.get(key);
    if (operation === undefined || isDeleting(operation) || isPaused(operation)) return DONE;
    const {signal} = context;
    const now = clock.now();
    if (servers.get(serverKey(operation)) === undefined) {
      const age = now - Date.parse(operation.metadata.creationTimestamp ?? '');
      if (age >= SERVER_GRACE_MS || operation.status?.phase === 'InProgress' || isOver(operation)) return await remove(operation, signal);
      await save(operation, 'Pending', 'DependencyMissing', `server ${operation.spec.server} does not exist`, signal);
      return later(SERVER_GRACE_MS - age, 'the server may appear until then');
    }
    if (isOver(operation)) {
      const left = remainingMs(operation, now);
      return left <= 0 ? await remove(operation, signal) : later(left, 'its time to live is over by then');
    }
    const turn = turnOf(operation, serverOperations.byIndex('server', serverKey(operation)));
    switch (turn.kind) {
      case 'superseded': {
        const ended = await save(operation, 'Superseded', 'Superseded', `${turn.by} was asked for later`, signal);
        return later(remainingMs(ended, now), 'its time to live is over by then');
      }
      case 'wait':
        await save(operation, 'Pending', 'Queued', `${turn.for} goes first`, signal);
        return DONE;
      case 'run':
        return await run(operation, context);
      default:
        return turn satisfies never;
    }
  };

  /** The operations of a server that have not ended. */
  const openOf = (key: string): readonly string[] =>
    serverOperations
      .byIndex('server', key)
      .filter((operation) => !isOver(operation))
      .map((operation) => keyOf(refOfObject(operation)));
  const allOf = (key: string): readonly string[] =>
    serverOperations.byIndex('server', key).map((operation) => keyOf(refOfObject(operation)));

  return {
    name: 'serveroperation',
    primary: serverOperations as unknown as ControllerDefinition['primary'],
    workers: 8,
    reconcile,
    watches: [
      watchOf(servers, ({kind, object}) => (kind === 'deleted' ? allOf : openOf)(keyOf(refOfObject(object)))),
      watchOf(virtualMachineInstances, ({object}: {readonly object: KubeObject}) => openOf(keyOf(refOfObject(object)))),
      // One that ends, or goes, makes room for the next.
      watchOf(serverOperations, ({object}) => openOf(serverKey(object))),
      watchOf(migrations, ({object}) => {
        const owner = controllerOf(object);
        return owner?.kind === 'ServerOperation' ? [keyOf({namespace: object.metadata.namespace ?? '', name: owner.name})] : [];
      }),
    ],
  };
}
