/**
 * Server: one VirtualMachine per Server, from its size, drives, addresses and first-boot data. This file is the table of contents: guard
 * clauses, the phases in their order, then the status, written once.
 */
import {SERVER} from '../../../crds/index.ts';
import type {Server, ServerStatus} from '../../../crds/index.ts';
import {keyOf, refOf, refOfObject} from '../../../kube/objects.ts';
import {LeaseBook} from '../../leases/lease-book.ts';
import {DONE} from '../../runtime/types.ts';
import type {ControllerDefinition, Deps, ReconcileContext, Result} from '../../runtime/types.ts';
import type {Judgement} from '../shared/conditions.ts';
import {FIELD_MANAGER, hasFinalizer, isDeleting} from '../shared/finalizer.ts';
import {ensureFinalizerAndId, olderWithSameId} from '../shared/identity.ts';
import {Pace} from '../shared/pace.ts';
import {isPaused} from '../shared/paused.ts';
import {writeStatus} from '../shared/status-writer.ts';
import {finalize} from './finalize.ts';
import {NOT_YET, no, yes} from './findings.ts';
import type {Finding, Findings} from './findings.ts';
import {viewGuest} from './guest.ts';
import {pendingChanges} from './pending-changes.ts';
import {ensureBootData} from './phases/boot-data.ts';
import {ensureDrives} from './phases/drives.ts';
import {applyMachine, callPower, confirmGuestStopped, haltMachine} from './phases/machine.ts';
import {ensureNetworks} from './phases/networks.ts';
import {planPower} from './power.ts';
import {isPressing} from './pressing.ts';
import {resolveSize} from './resources.ts';
import {gather} from './scope.ts';
import type {Scope} from './scope.ts';
import {serverWatches} from './watches.ts';
import {PLACEMENT_DEADLINE_MS, isBuilt, isEvicted, serverStatus} from './status.ts';
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

interface Outcome {
  readonly scope: Scope;
  readonly findings: Findings;
  readonly hasMachine: boolean;
  readonly machine: Scope['machine'];
  /** The first error of a phase: thrown after the status is written, so that the run is tried again. */
  readonly error?: unknown;
}

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

  /** Carries the spec out as far as it goes. */
  const carryOut = async (scope: Scope, context: ReconcileContext): Promise<Outcome> => {
    const size = resolveSize(scope.server, scope.flavor, scope.account);
    const resources = size.kind === 'resolved' ? size.resources : undefined;
    const flavor: Finding =
      size.kind === 'resolved' ? yes('FlavorResolved', 'CPU, memory and disk sizes are known') : no(size.reason, size.message);
    const [drives, networks] = await Promise.allSettled([
      ensureDrives(deps, scope, resources, context),
      ensureNetworks(deps, book, scope, context.signal),
    ]);
    const nets = networks.status === 'fulfilled' ? networks.value : undefined;
    const [boot] = await Promise.allSettled([
      nets?.complete === true ? ensureBootData(deps, scope, nets.seeds, context.signal) : undefined,
    ]);
    const disks = drives.status === 'fulfilled' ? drives.value : undefined;
    const bootData = boot.status === 'fulfilled' ? boot.value : undefined;
    const errors = [drives, networks, boot].flatMap((settled) => (settled.status === 'rejected' ? [settled.reason as unknown] : []));

    const common = {
      flavor,
      quota: yes('NoQuota', 'no project limits it'),
      image: disks?.image ?? NOT_YET,
      drives: disks?.finding ?? NOT_YET,
      networks: nets?.finding ?? NOT_YET,
      bootData: bootData?.finding ?? NOT_YET,
      resources,
      nics: nets?.statuses ?? [],
      drivesPercent: disks?.percent ?? 0,
    };
    const complete = resources !== undefined && disks?.held === true && nets?.complete === true && bootData?.complete === true;
    const {runStrategy, call, guestStopped} = planPower({
      wanted: scope.server.spec.powerState ?? 'Running',
      offMode: scope.server.spec.powerOffMode ?? 'TrySoft',
      mayStart: complete,
      machine: scope.machine,
      instance: scope.instance,
      seenRunning: isBuilt(scope.server) && scope.server.status?.taskState !== 'STARTING',
      evicted: isEvicted(scope.server, scope.guest),
    });
    if (guestStopped === true && (await confirmGuestStopped(deps, scope, context.signal))) {
      // Only now is it what the spec wants: the guest's own decision becomes the declared state, once.
      const stopped = await recordGuestStop(scope.server, context.signal);
      return await carryOut(gather(deps, stopped), context);
    }
    if (!complete) {
      // Whatever is missing, a guest that should be off is switched off.
      const machine = scope.machine === undefined ? no('VirtualMachineMissing', 'something that it needs is missing') : NOT_YET;
      if (runStrategy === 'Halted') await haltMachine(deps, scope, context.signal);
      if (call?.kind === 'stop') await callPower(deps, scope, call, context.signal);
      return {
        scope,
        findings: {...common, machine},
        hasMachine: scope.machine !== undefined,
        machine: scope.machine,
        ...(errors.length === 0 ? {} : {error: errors[0]}),
      };
    }
    const applied = await applyMachine(deps, scope, {resources, disks: disks.disks, nics: nets.nics, bootData}, runStrategy);
    if (call !== undefined) await callPower(deps, scope, call, context.signal);
    const machine = applied.machine ?? scope.machine;
    return {
      scope,
      findings: {...common, machine: applied.finding},
      hasMachine: machine !== undefined,
      machine,
      ...(errors.length === 0 ? {} : {error: errors[0]}),
    };
  };

  const recordGuestStop = async (server: Server, signal: AbortSignal): Promise<Server> => {
    const patch = {metadata: {resourceVersion: server.metadata.resourceVersion}, spec: {powerState: 'Stopped'}};
    const stored = await client.mergePatch(SERVER, refOfObject(server), patch, {signal, fieldManager: FIELD_MANAGER});
    servers.observe(stored);
    deps.events.event(stored, {
      type: 'Normal',
      reason: 'GuestStopped',
      action: 'Stop',
      message: 'the guest switched itself off; powerState is Stopped now',
    });
    return stored;
  };

  const seenOf = ({scope, findings, hasMachine, machine}: Outcome, more: Partial<Seen>): Seen => {
    const guest = viewGuest(machine, scope.instance, informers.pods.byIndex('server', scope.key));
    const host = hostOf(guest.nodeName);
    const operation = operationOf(scope);
    const duplicate = duplicateOf(scope.server);
    return {
      server: scope.server,
      uuid: scope.uuid,
      findings,
      guest,
      hasMachine,
      ...(host === undefined ? {} : {host}),
      pendingChanges: [...pendingChanges(machine, scope.instance)],
      ...(operation === undefined ? {} : {operation}),
      ...(duplicate === undefined ? {} : {duplicate}),
      evicted: isEvicted(scope.server, guest),
      paused: isPaused(scope.server),
      complete: true,
      nowMs: clock.now(),
      ...more,
    };
  };

  /** Writes the status if it is due; events follow a successful save. Resolves with how long it was put off, in milliseconds. */
  const save = async (server: Server, status: ServerStatus, signal: AbortSignal): Promise<number> => {
    const delay = pace.delayMs(keyOf(refOfObject(server)), server.status, status, clock.monotonicMs());
    if (delay > 0) return delay;
    const {object, changed} = await writeStatus<ServerStatus, Server>({client, type: SERVER, informer: servers, signal}, server, status);
    // That it is being built, or deleted, is no news to whoever asked for it.
    if (changed && server.status?.phase !== status.phase && status.phase !== 'BUILD' && status.phase !== 'DELETING') announce(object);
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

  const later = (afterMs: number, why: string): Result => ({kind: 'requeue', afterMs: Math.max(1, afterMs), why});

  const reconcileDeleting = async (server: Server, context: ReconcileContext): Promise<Result> => {
    const scope = gather(deps, server);
    const remaining = await finalize(deps, book, scope, context);
    if (remaining === undefined) return DONE;
    const current = servers.get(scope.key) ?? server;
    const outcome: Outcome = {
      scope: {...scope, server: current},
      findings: NOTHING,
      hasMachine: scope.machine !== undefined,
      machine: scope.machine,
    };
    await save(current, serverStatus(seenOf(outcome, {deleting: remaining})), context.signal);
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
        await save(cached, pausedStatus(cached, serverStatus(seenOf(outcome, {complete: false}))), context.signal);
      }
      return DONE;
    }
    if (isDeleting(cached)) return hasFinalizer(cached) ? await reconcileDeleting(cached, context) : DONE;
    const server = await prepare(cached, context.signal);
    const outcome = await carryOut(gather(deps, server), context);
    const seen = seenOf(outcome, {complete: outcome.error === undefined});
    const status = serverStatus(seen);
    const delay = await save(outcome.scope.server, status, context.signal);
    if (outcome.error !== undefined) throw outcome.error;
    await releaseStaleLeases(outcome.scope, context.signal);
    await deleteEphemeral(outcome.scope, status, context.signal);
    if (outcome.findings.bootData.reason === 'SecretMissing') return later(SECRET_POLL_MS, 'the boot Secret may be there by then');
    if (delay > 0) return later(delay, 'lesser changes of the status are written together');
    const unplaced = status.conditions?.find(({type, status: is}) => type === 'Placed' && is === 'False');
    if (unplaced !== undefined && status.phase !== 'ERROR')
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

/** While paused nothing is judged anew: the stored status stays, but for the condition that says so. */
function pausedStatus(server: Server, fresh: ServerStatus): ServerStatus {
  if (server.status?.conditions === undefined) return fresh;
  const paused = fresh.conditions?.find(({type}) => type === 'Paused');
  return {
    ...server.status,
    conditions: server.status.conditions.map((condition) => (condition.type === 'Paused' && paused !== undefined ? paused : condition)),
  };
}
