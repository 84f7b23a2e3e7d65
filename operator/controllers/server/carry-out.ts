/** Carries the spec of a living server out: size, drives and addresses at the same time, then first-boot data, then machine and power. */
import {SERVER} from '../../../crds/index.ts';
import type {Server} from '../../../crds/index.ts';
import {refOfObject} from '../../../kube/objects.ts';
import type {LeaseBook} from '../../leases/lease-book.ts';
import type {Deps, ReconcileContext} from '../../runtime/types.ts';
import {FIELD_MANAGER} from '../shared/finalizer.ts';
import {NOT_YET, no, yes} from './findings.ts';
import type {Finding, Findings} from './findings.ts';
import {ensureBootData} from './phases/boot-data.ts';
import {ensureDrives} from './phases/drives.ts';
import {applyMachine, callPower, confirmGuestStopped, haltMachine} from './phases/machine.ts';
import {ensureNetworks} from './phases/networks.ts';
import {missingForPlacement} from './placement.ts';
import {planPower} from './power.ts';
import {resolveSize} from './resources.ts';
import {gather} from './scope.ts';
import type {Scope} from './scope.ts';
import {isBuilt, isEvicted} from './status.ts';

/** What carrying a spec out came to. */
export interface Outcome {
  readonly scope: Scope;
  readonly findings: Findings;
  readonly hasMachine: boolean;
  readonly machine: Scope['machine'];
  /** The first error of a phase: thrown after the status is written, so that the run is tried again. */
  readonly error?: unknown;
}

/** The guest's own decision becomes the declared state, once, so that it stays as it is. */
async function recordGuestStop({client, informers, events}: Deps, server: Server, signal: AbortSignal): Promise<Server> {
  const patch = {metadata: {resourceVersion: server.metadata.resourceVersion}, spec: {powerState: 'Stopped'}};
  const stored = await client.mergePatch(SERVER, refOfObject(server), patch, {signal, fieldManager: FIELD_MANAGER});
  informers.servers.observe(stored);
  events.event(stored, {
    type: 'Normal',
    reason: 'GuestStopped',
    action: 'Stop',
    message: 'the guest switched itself off; powerState is Stopped now',
  });
  return stored;
}

/** Carries the spec out as far as it goes. */
export async function carryOut(deps: Deps, book: LeaseBook, scope: Scope, context: ReconcileContext): Promise<Outcome> {
  const size = resolveSize(scope.server, scope.flavor, scope.account);
  const resources = size.kind === 'resolved' ? size.resources : undefined;
  const flavor: Finding =
    size.kind === 'resolved' ? yes('FlavorResolved', 'CPU, memory and disk sizes are known') : no(size.reason, size.message);
  const [drives, networks] = await Promise.allSettled([
    ensureDrives(deps, scope, resources, context),
    ensureNetworks(deps, book, scope, context.signal),
  ]);
  const nets = networks.status === 'fulfilled' ? networks.value : undefined;
  const [boot] = await Promise.allSettled([ensureBootData(deps, scope, nets?.complete === true ? nets.seeds : undefined, context.signal)]);
  const disks = drives.status === 'fulfilled' ? drives.value : undefined;
  const bootData = boot.status === 'fulfilled' ? boot.value : undefined;
  const errors = [drives, networks, boot].flatMap((settled) => (settled.status === 'rejected' ? [settled.reason as unknown] : []));

  const placement = missingForPlacement(scope, deps.informers);
  const common = {
    ...(placement === undefined ? {} : {placement}),
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
  // A machine that is there goes on; a new one is made when there is something to start from, and where.
  const startable = disks?.held === true && ((disks.rootBegun && placement === undefined) || scope.machine !== undefined);
  const complete = resources !== undefined && startable && nets?.complete === true && bootData?.complete === true;
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
    const stopped = await recordGuestStop(deps, scope.server, context.signal);
    return await carryOut(deps, book, gather(deps, stopped), context);
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
}
