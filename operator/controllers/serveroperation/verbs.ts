/** What each verb does, as one step that may be repeated: it looks, acts where something is left to do, and says how far it is. */
import {SERVER} from '../../../crds/index.ts';
import type {Reason, Server, ServerOperation} from '../../../crds/index.ts';
import {uuidOf} from '../../../crds/rules/ids.ts';
import {powerWish, wantedPower} from '../../../crds/rules/power.ts';
import type {PowerWish} from '../../../crds/rules/power.ts';
import {ApiError, isConflict} from '../../../kube/errors.ts';
import {keyOf, refOfObject} from '../../../kube/objects.ts';
import {ensureChild} from '../../children/ensure.ts';
import type {Child} from '../../children/ensure.ts';
import {callSubresource} from '../../children/subresource.ts';
import type {SubresourceCall} from '../../children/subresource.ts';
import {buildMigration} from '../../kubevirt/migration.ts';
import {MIGRATION} from '../../kubevirt/types.ts';
import type {VirtualMachineInstance, VirtualMachineInstanceMigration} from '../../kubevirt/types.ts';
import type {Deps} from '../../runtime/types.ts';
import {FIELD_MANAGER} from '../shared/finalizer.ts';
import {controllerReference} from '../shared/owner.ts';

/** How far a verb is. */
export type Step =
  | {readonly kind: 'going'; readonly message: string}
  | {readonly kind: 'done'; readonly reason: Reason; readonly message: string}
  | {readonly kind: 'failed'; readonly reason: Reason; readonly message: string};

/** What a verb works on. */
export interface Job {
  readonly deps: Deps;
  readonly operation: ServerOperation;
  readonly server: Server;
  readonly instance: VirtualMachineInstance | undefined;
  readonly signal: AbortSignal;
}

const going = (message: string): Step => ({kind: 'going', message});
const done = (reason: Reason, message: string): Step => ({kind: 'done', reason, message});
const fail = (reason: Reason, message: string): Step => ({kind: 'failed', reason, message});

const call = ({deps, server, signal}: Job, kind: SubresourceCall['kind'], verb: SubresourceCall['verb'], body: object): Promise<void> =>
  callSubresource(deps.client, {kind, ref: refOfObject(server), verb, body}, signal);

async function patchSpec({deps, server, signal}: Job, spec: Partial<Server['spec']>): Promise<void> {
  const changed = Object.entries(spec).some(([field, value]) => server.spec[field as keyof Server['spec']] !== value);
  if (!changed) return;
  const patch = {metadata: {resourceVersion: server.metadata.resourceVersion}, spec};
  deps.informers.servers.observe(await deps.client.mergePatch(SERVER, refOfObject(server), patch, {signal, fieldManager: FIELD_MANAGER}));
}

/** The operator has seen the present spec, and the phase is the wanted one with nothing left to do. */
const settledAs = ({status, metadata}: Server, phase: string): boolean =>
  status?.phase === phase && (status.taskState ?? '') === '' && status.observedGeneration === metadata.generation;

async function start(job: Job): Promise<Step> {
  if (wantedPower(job.server.spec) === 'Running' && settledAs(job.server, 'ACTIVE')) return done('Running', 'the server runs');
  await patchSpec(job, powerWish('start'));
  return going('the server is being started');
}

async function stop(job: Job, wish: PowerWish): Promise<Step> {
  if (wantedPower(job.server.spec) === 'Stopped' && settledAs(job.server, 'STOPPED')) return done('Stopped', 'the server has stopped');
  await patchSpec(job, wish);
  return going('the server is being stopped');
}

/** A softly rebooted guest needs an agent or ACPI; where neither is, KubeVirt says 409 and the guest is reset instead. */
async function softReboot(job: Job): Promise<Step> {
  try {
    await call(job, 'virtualmachineinstances', 'softreboot', {});
    return done('Rebooted', 'the guest was asked to restart');
  } catch (error) {
    if (!isConflict(error)) throw error;
    await call(job, 'virtualmachineinstances', 'reset', {});
    return done('Rebooted', `the guest was reset, because it could not be asked: ${error.message.slice(0, 200)}`);
  }
}

async function hardReboot(job: Job): Promise<Step> {
  if ((job.server.status?.pendingChanges ?? []).length === 0) {
    await call(job, 'virtualmachineinstances', 'reset', {});
    return done('Rebooted', 'the guest was reset');
  }
  // A reset keeps the instance as it is; changes that wait for a restart need a new one.
  await call(job, 'virtualmachines', 'restart', {gracePeriodSeconds: 0});
  return done('Rebooted', 'the guest was restarted with its pending changes');
}

async function reboot(job: Job): Promise<Step> {
  const {server, instance, operation} = job;
  if (wantedPower(server.spec) === 'Stopped') return fail('WrongState', 'the server is stopped, or is being stopped');
  // Outside Running KubeVirt answers 400, so a guest that starts is waited for.
  if (instance?.status?.phase !== 'Running' || instance.metadata.deletionTimestamp !== undefined)
    return going('the guest is not running yet');
  try {
    return operation.spec.reboot?.type === 'Hard' ? await hardReboot(job) : await softReboot(job);
  } catch (error) {
    if (error instanceof ApiError && (error.status === 400 || error.status === 409))
      return going(`KubeVirt refused for now: ${error.message.slice(0, 200)}`);
    throw error;
  }
}

async function resize(job: Job): Promise<Step> {
  const flavor = job.operation.spec.resize?.flavor;
  const {server} = job;
  if (flavor === undefined) return fail('DependencyMissing', 'no flavor is given');
  if (job.deps.informers.flavors.get(flavor) === undefined) return fail('DependencyMissing', `flavor ${flavor} does not exist`);
  const synced = server.status?.conditions?.some(({type, status}) => type === 'VirtualMachineSynced' && status === 'True') === true;
  if (
    server.spec.flavor === flavor &&
    server.status?.resources?.flavor === flavor &&
    server.status.observedGeneration === server.metadata.generation &&
    synced
  ) {
    return done('Succeeded', `the server has flavor ${flavor}`);
  }
  if (server.spec.flavor !== flavor && job.instance !== undefined) return fail('WrongState', 'a server is resized while it is stopped');
  // A size is given by a flavor or by itself; null takes the other away.
  await patchSpec(job, {
    flavor,
    ...(server.spec.flavor === undefined ? ({cpu: null, memoryMiB: null} as unknown as Partial<Server['spec']>) : {}),
  });
  return going('the server is being resized');
}

async function migrate({deps, operation, server, instance, signal}: Job): Promise<Step> {
  const {informers, client} = deps;
  const {namespace = '', name} = refOfObject(operation);
  const host = operation.spec.migrate?.host;
  const desired = buildMigration({
    operation: name,
    namespace,
    owner: controllerReference(operation),
    server: server.metadata.name,
    serverUuid: uuidOf(server),
    ...(host === undefined ? {} : {host}),
  });
  if (informers.migrations.get(keyOf(refOfObject(desired))) === undefined && instance?.status?.phase !== 'Running')
    return fail('WrongState', 'only a running guest can move');
  let child: Child<VirtualMachineInstanceMigration>;
  try {
    child = await ensureChild({client, type: MIGRATION, informer: informers.migrations, signal}, operation, desired);
  } catch (error) {
    // KubeVirt's webhook says at once what makes a guest immovable.
    if (error instanceof ApiError && (error.status === 403 || error.status === 422 || error.status === 400))
      return fail('NotMigratable', error.message);
    throw error;
  }
  if (child.kind === 'foreign') return fail('NotOwned', `migration ${desired.metadata.name} exists and does not belong to this operation`);
  const phase = child.object.status?.phase;
  if (phase === 'Succeeded') return done('Succeeded', `the guest runs on ${instance?.status?.nodeName ?? 'another host'}`);
  if (phase === 'Failed') return fail('Failed', child.object.status?.migrationState?.failureReason ?? 'KubeVirt could not move the guest');
  return going('the guest is moving');
}

const notImplemented = (verb: string) => async (): Promise<Step> => fail('NotImplemented', `${verb} is not implemented yet`);

/** The step of each verb. */
export const VERBS = {
  Start: start,
  Stop: (job) => stop(job, powerWish('stop')),
  Shutdown: (job) => stop(job, powerWish('shutdown', 'Soft')),
  Reboot: reboot,
  Resize: resize,
  Migrate: migrate,
  Rebuild: notImplemented('Rebuild'),
  Snapshot: notImplemented('Snapshot'),
} satisfies Record<ServerOperation['spec']['verb'], (job: Job) => Promise<Step>>;

/** How long a verb may take in all, in milliseconds. A polite shutdown has the guest's 300 s, and a live migration moves all of its memory. */
export const DEADLINE_MS: Readonly<Record<ServerOperation['spec']['verb'], number>> = {
  Start: 10 * 60_000,
  Stop: 2 * 60_000,
  Shutdown: 6 * 60_000,
  Reboot: 2 * 60_000,
  Resize: 2 * 60_000,
  Migrate: 60 * 60_000,
  Rebuild: 60_000,
  Snapshot: 60_000,
};
