/**
 * Server: one VirtualMachine per Server, from its size, drives, addresses and first-boot data. This file is the table of contents: guard
 * clauses, the phases in their order, then the status, written once.
 */
import {FORCE_DELETE_ANNOTATION, SERVER} from '../../../crds/index.ts';
import type {Server, ServerStatus} from '../../../crds/index.ts';
import {keyOf, refOf, refOfObject} from '../../../kube/objects.ts';
import {LeaseBook} from '../../leases/lease-book.ts';
import {DONE} from '../../runtime/types.ts';
import type {ControllerDefinition, Deps, ReconcileContext, Result} from '../../runtime/types.ts';
import type {Judgement} from '../shared/conditions.ts';
import {hasFinalizer, isDeleting, removeFinalizer} from '../shared/finalizer.ts';
import {ensureFinalizerAndId, olderWithSameId} from '../shared/identity.ts';
import {Pace} from '../shared/pace.ts';
import {noAccount} from '../shared/home.ts';
import {isPaused} from '../shared/paused.ts';
import {writeStatus} from '../shared/status-writer.ts';
import {newObstacle} from './blocking.ts';
import {carryOut} from './carry-out.ts';
import type {Outcome} from './carry-out.ts';
import {finalize} from './finalize.ts';
import type {Remaining} from './finalize.ts';
import {NOT_YET} from './findings.ts';
import type {Findings} from './findings.ts';
import {withWhy} from './guest.ts';
import {pendingChanges} from './pending-changes.ts';
import {ensureNetworks} from './phases/networks.ts';
import {isPressing} from './pressing.ts';
import {gather, guestOf} from './scope.ts';
import type {Scope} from './scope.ts';
import {serverWatches} from './watches.ts';
import {PLACEMENT_DEADLINE_MS, isEvicted, lastCrash, serverStatus} from './status.ts';
import type {Seen} from './status.ts';

/** How often a Secret that is awaited is looked for, in milliseconds: Secrets of clients are not watched. */
const SECRET_POLL_MS = 2_000;
/** How long to wait before a deletion looks again, in milliseconds, in case the last event of a child was missed. */
const DELETE_POLL_MS = 2_000;
/** Servers that are worked on at the same time. Most of a run is waiting for the API server. */
const WORKERS = 100;

/** Findings before anything was looked at, for a paused or dying server. */
const NOTHING: Findings = {
  flavor: NOT_YET,
  image: NOT_YET,
  drives: NOT_YET,
  networks: NOT_YET,
  bootData: NOT_YET,
  quota: NOT_YET,
  machine: NOT_YET,
  nics: [],
  drivesPercent: 0,
};

/** Makes the Server controller. */
export function createServerController(deps: Deps): ControllerDefinition {
  const {client, informers, clock} = deps;
  const {servers} = informers;
  const pace = new Pace(isPressing);
  const book = new LeaseBook({
    client,
    networks: informers.networks,
    macInUse: (network, mac, asker) =>
      servers
        .byIndex('network', network)
        .some(
          (other) =>
            !(other.metadata.name === asker.server && other.metadata.namespace === asker.namespace) &&
            other.status?.nics?.some((nic) => nic.network === network && nic.macAddress === mac) === true,
        ),
  });

  const duplicateOf = (server: Server): Judgement | undefined => {
    const older = olderWithSameId<Server>(servers, server);
    if (older === undefined) return undefined;
    return {
      type: 'Ready',
      status: 'False',
      reason: 'DuplicateId',
      message: `${older.metadata.name} is older and has id ${server.spec.id} already; delete this server and create it without one`,
    };
  };

  const operationOf = ({operations}: Scope): Seen['operation'] => {
    const verb = operations.find(({status}) => status?.phase === 'InProgress')?.spec.verb;
    return verb === 'Reboot' || verb === 'Resize' || verb === 'Migrate' ? verb : undefined;
  };

  const hostOf = (nodeName: string | undefined): string | undefined =>
    nodeName === undefined ? undefined : informers.hosts.byIndex('node', nodeName)[0]?.metadata.name;

  const seenOf = ({scope, findings, hasMachine, machine}: Outcome, more: Partial<Seen>): Seen => {
    const guest = guestOf(informers, scope.key, machine, scope.instance);
    const host = hostOf(guest.nodeName);
    const operation = operationOf(scope);
    const homeless = hasMachine || isDeleting(scope.server) ? undefined : noAccount(deps, scope.server);
    const verdict = homeless === undefined ? duplicateOf(scope.server) : ({type: 'Ready', status: 'False', ...homeless} as const);
    return {
      server: scope.server,
      uuid: scope.uuid,
      findings,
      guest,
      hasMachine,
      ...(host === undefined ? {} : {host}),
      pendingChanges: [...pendingChanges(machine, scope.instance)],
      ...(operation === undefined ? {} : {operation}),
      ...(verdict === undefined ? {} : {verdict}),
      evicted: isEvicted(scope.server, guest),
      paused: isPaused(scope.server),
      complete: true,
      nowMs: clock.now(),
      ...more,
    };
  };

  /**
   * Writes the status if it is due; events follow a successful save. `why`: KubeVirt's words on a failure of the guest. Resolves with how long
   * the write was put off, in milliseconds.
   */
  const save = async (server: Server, status: ServerStatus, signal: AbortSignal, why?: string): Promise<number> => {
    const delay = pace.delayMs(keyOf(refOfObject(server)), server.status, status, clock.monotonicMs());
    if (delay > 0) return delay;
    const {object, changed} = await writeStatus<ServerStatus, Server>({client, type: SERVER, informer: servers, signal}, server, status);
    // That it is being built, or deleted, is no news to whoever asked for it.
    const told = server.status?.phase !== status.phase && status.phase !== 'BUILD' && status.phase !== 'DELETING';
    if (changed && told) announce(object);
    if (changed) warn(server, object, told, why);
    return 0;
  };

  const announce = (server: Server): void => {
    const {phase, fault, history} = server.status ?? {};
    const reason = history?.at(-1)?.reason ?? 'Progressing';
    deps.events.event(server, {
      type: phase === 'ERROR' || phase === 'UNKNOWN' ? 'Warning' : 'Normal',
      reason,
      action: 'Reconcile',
      message: fault?.message ?? `the server is ${phase} now`,
    });
  };

  /** What is no change of phase, and worth an event all the same: a crash, and another obstacle than before. */
  const warn = (before: Server, after: Server, told: boolean, why: string | undefined): void => {
    const crash = lastCrash(after.status);
    if (crash !== undefined && crash.time !== lastCrash(before.status)?.time) {
      const message = withWhy(`the guest ended with a failure at ${crash.time}`, why);
      deps.events.event(after, {type: 'Warning', reason: 'GuestCrashed', action: 'Reconcile', message});
    }
    const obstacle = told ? undefined : newObstacle(before.status, after.status);
    if (obstacle === undefined) return;
    deps.events.event(after, {type: 'Warning', reason: obstacle.reason, action: 'Reconcile', message: obstacle.message});
  };

  const later = (afterMs: number, why: string): Result => ({kind: 'requeue', afterMs: Math.max(1, afterMs), why});

  const reconcileDeleting = async (server: Server, context: ReconcileContext): Promise<Result> => {
    const scope = gather(deps, server);
    const forced = isForced(server, clock.now());
    let remaining: Remaining | undefined;
    try {
      remaining = await finalize(deps, book, scope, context);
    } catch (error) {
      // Past the deadline of a forced deletion even a clean-up that cannot be carried out is let be.
      if (!forced) throw error;
      remaining = {reason: 'InternalError', message: error instanceof Error ? error.message : String(error)};
    }
    if (remaining === undefined) return DONE;
    if (forced) {
      deps.events.event(server, {
        type: 'Warning',
        reason: 'ForceDeleted',
        action: 'Delete',
        message: `may be left behind: ${remaining.message}`,
      });
      await removeFinalizer(client, SERVER, servers.get(scope.key) ?? server, context.signal);
      return DONE;
    }
    const current = servers.get(scope.key) ?? server;
    const outcome: Outcome = {
      scope: {...scope, server: current},
      findings: NOTHING,
      hasMachine: scope.machine !== undefined,
      machine: scope.machine,
    };
    const fresh = serverStatus(seenOf(outcome, {deleting: remaining}));
    await save(current, {...fresh, ...keepingConditions(current, fresh, JUDGED_WHILE_DELETING)}, context.signal);
    return later(DELETE_POLL_MS, remaining.message);
  };

  /** Leases of NICs that the spec no longer has, once no guest uses them. */
  const releaseStaleLeases = async ({server, namespace, nics, instance}: Scope, signal: AbortSignal): Promise<void> => {
    const used = new Set((instance?.spec.domain.devices.interfaces ?? []).map(({macAddress}) => macAddress));
    await book.release(
      {namespace, name: server.metadata.name},
      signal,
      (network, lease) => used.has(lease.macAddress) || nics.some((nic) => nic.network === network && nic.index === lease.index),
    );
  };

  const deleteEphemeral = async ({server}: Scope, status: ServerStatus, signal: AbortSignal): Promise<void> => {
    const over =
      server.spec.lifecycle === 'Ephemeral' && status.phase === 'STOPPED' && status.history?.some(({phase}) => phase === 'ACTIVE') === true;
    if (over) await client.delete(SERVER, refOfObject(server), {signal, preconditions: {uid: server.metadata.uid ?? ''}});
  };

  /**
   * The first write of a new server: finalizer and id. Its addresses are leased meanwhile, the one thing that may precede the finalizer: the
   * leases of a server that is gone are given back without it, too. What fails there fails again, and is told, where it is needed.
   */
  const prepare = async (server: Server, signal: AbortSignal): Promise<Server> => {
    const leasing = hasFinalizer(server) ? [] : [ensureNetworks(deps, book, gather(deps, server), signal)];
    const [prepared] = await Promise.allSettled([ensureFinalizerAndId<Server>(deps, SERVER, servers, server, signal), ...leasing]);
    if (prepared.status === 'rejected') throw prepared.reason;
    return prepared.value;
  };

  const reconcile = async (key: string, context: ReconcileContext): Promise<Result> => {
    const cached = servers.get(key);
    if (cached === undefined) {
      pace.forget(key);
      // A finalizer removed by hand must not cost an address.
      await book.release({namespace: refOf(key).namespace ?? '', name: refOf(key).name}, context.signal);
      return DONE;
    }
    if (isPaused(cached)) {
      const outcome: Outcome = {
        scope: gather(deps, cached),
        findings: NOTHING,
        hasMachine: true,
        machine: informers.virtualMachines.get(key),
      };
      if (cached.status?.conditions?.some(({type, status}) => type === 'Paused' && status === 'True') !== true) {
        const fresh = serverStatus(seenOf(outcome, {complete: false}));
        // While paused nothing is judged anew: the stored status stays, but for the condition that says so.
        await save(cached, {...(cached.status ?? fresh), ...keepingConditions(cached, fresh, ['Paused'])}, context.signal);
      }
      return DONE;
    }
    if (isDeleting(cached)) return hasFinalizer(cached) ? await reconcileDeleting(cached, context) : DONE;
    const homeless = noAccount(deps, cached);
    if (homeless !== undefined && informers.virtualMachines.get(key) === undefined) {
      const outcome: Outcome = {scope: gather(deps, cached), findings: NOTHING, hasMachine: false, machine: undefined};
      const delay = await save(cached, serverStatus(seenOf(outcome, {})), context.signal);
      return delay > 0 ? later(delay, 'lesser changes of the status are written together') : {kind: 'blocked', ...homeless};
    }
    const server = await prepare(cached, context.signal);
    const outcome = await carryOut(deps, book, gather(deps, server), context);
    const seen = seenOf(outcome, {complete: outcome.error === undefined});
    const status = serverStatus(seen);
    const delay = await save(outcome.scope.server, status, context.signal, seen.guest.why);
    if (outcome.error !== undefined) throw outcome.error;
    await releaseStaleLeases(outcome.scope, context.signal);
    await deleteEphemeral(outcome.scope, status, context.signal);
    if (outcome.findings.bootData.reason === 'SecretMissing') return later(SECRET_POLL_MS, 'the boot Secret may be there by then');
    if (delay > 0) return later(delay, 'lesser changes of the status are written together');
    const unplaced = status.conditions?.find(({type, status: is}) => type === 'Placed' && is === 'False');
    if (unplaced !== undefined && unplaced.reason !== 'DependencyMissing' && status.phase !== 'ERROR')
      return later(Date.parse(unplaced.lastTransitionTime) + PLACEMENT_DEADLINE_MS - clock.now(), 'no host by then is an error');
    return DONE;
  };

  return {
    name: 'server',
    primary: servers as unknown as ControllerDefinition['primary'],
    workers: WORKERS,
    reconcile,
    watches: serverWatches(deps),
  };
}

/** Conditions that mean something while a server goes; the others stay as they were last judged. */
const JUDGED_WHILE_DELETING: readonly string[] = ['Ready', 'Placed', 'Running', 'PowerStateSynced', 'Deleting'];

/** The stored conditions, but for those of `types`, which are taken from a fresh status. Without stored ones, the fresh ones. */
function keepingConditions(server: Server, fresh: ServerStatus, types: readonly string[]): Pick<ServerStatus, 'conditions'> {
  const anew = new Map((fresh.conditions ?? []).map((condition) => [condition.type, condition]));
  const conditions =
    server.status?.conditions?.map((condition) => (types.includes(condition.type) ? (anew.get(condition.type) ?? condition) : condition)) ??
    fresh.conditions;
  return conditions === undefined ? {} : {conditions};
}

/** Whether the deadline of a forced deletion has passed. Text that is no time is no deadline. */
const isForced = (server: Server, nowMs: number): boolean =>
  Date.parse(server.metadata.annotations?.[FORCE_DELETE_ANNOTATION] ?? '') <= nowMs;
