/**
 * Deletion of a server: its guest is switched off at once, its machine, seed and root drive go, and what it held is given back: drives,
 * addresses. Drives that it merely listed stay. The finalizer goes only when fresh reads show that nothing is left.
 */
import {DRIVE, SERVER} from '../../../crds/index.ts';
import type {Reason} from '../../../crds/index.ts';
import {owningServer, statusWithClaims, withoutClaim} from '../../../crds/rules/claims.ts';
import {cloudInitSecretName, rootDriveName} from '../../../crds/rules/names.ts';
import {LABELS} from '../../../crds/wellknown.ts';
import {isConflict, isNotFound} from '../../../kube/errors.ts';
import {refOfObject} from '../../../kube/objects.ts';
import {SECRET} from '../../../kube/types.ts';
import type {Secret} from '../../../kube/types.ts';
import {freshly, removeChild} from '../../children/ensure.ts';
import {virtualMachineName} from '../../kubevirt/names.ts';
import {VIRTUAL_MACHINE} from '../../kubevirt/types.ts';
import type {LeaseBook} from '../../leases/lease-book.ts';
import type {Deps, ReconcileContext} from '../../runtime/types.ts';
import {removeFinalizer} from '../shared/finalizer.ts';
import {STATUS_FIELD_MANAGER} from '../shared/status-writer.ts';
import {callPower} from './phases/machine.ts';
import {stopCall} from './power.ts';
import type {Scope} from './scope.ts';

/** What is still to be waited for. */
export interface Remaining {
  readonly reason: Reason;
  readonly message: string;
}

/** Asks the machine to go, and its guest at once: a server that is destroyed has no say in it. `undefined`: both are gone. */
async function removeMachine(deps: Deps, scope: Scope, signal: AbortSignal): Promise<Remaining | undefined> {
  const {server, namespace, instance} = scope;
  const ref = {namespace, name: virtualMachineName(server.metadata.name)};
  const machineGone = await removeChild(
    {client: deps.client, type: VIRTUAL_MACHINE, informer: deps.informers.virtualMachines, signal},
    server,
    ref,
  );
  const call = stopCall(instance, 'Hard');
  if (!machineGone && call !== undefined) await callPower(deps, scope, call, signal);
  if (!machineGone)
    return {
      reason: instance === undefined ? 'DeletingVirtualMachine' : 'StoppingServer',
      message: 'its guest is being switched off and its VirtualMachine removed',
    };
  // A machine keeps its finalizer until its instance is gone.
  return undefined;
}

/** Whether a Secret goes with the server: nobody else owns it, and it was adopted by the server or written for it. */
function isOnlyOf({server, uuid}: Scope, {metadata}: Secret): boolean {
  const owners = metadata.ownerReferences ?? [];
  if (owners.length > 0) return owners.length === 1 && owners[0]?.uid === server.metadata.uid;
  return [server.metadata.name, uuid].includes(metadata.labels?.[LABELS.server] ?? '');
}

/** First-boot data and the password of the console go with their last server. A person's own Secret that it never took stays. */
async function removeSecrets(deps: Deps, scope: Scope, signal: AbortSignal): Promise<boolean> {
  const {server, namespace} = scope;
  const {bootSecret, console: access} = server.spec;
  const removeNamed = async (name: string): Promise<void> => {
    const secret = await freshly(deps.client, SECRET, {namespace, name}, signal);
    if (secret === undefined || !isOnlyOf(scope, secret)) return;
    try {
      await deps.client.delete(SECRET, refOfObject(secret), {signal, preconditions: {uid: secret.metadata.uid ?? ''}});
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };
  const named = [bootSecret?.name, access?.vnc?.passwordSecret?.name].filter((name) => name !== undefined);
  const [seedGone] = await Promise.all([
    removeChild(
      {client: deps.client, type: SECRET, informer: deps.informers.secrets, signal},
      server,
      {namespace, name: cloudInitSecretName(server.metadata.name)},
      'Background',
    ),
    ...named.map(removeNamed),
  ]);
  return seedGone;
}

/** Gives back the claims on drives. A lost race is won by the next run. */
async function releaseDrives(deps: Deps, {key, server}: Scope, signal: AbortSignal): Promise<boolean> {
  const {drives} = deps.informers;
  const held = drives.byIndex('server', key).filter((drive) => owningServer(drive)?.uid !== server.metadata.uid);
  const released = await Promise.all(
    held.map(async (drive) => {
      const claims = withoutClaim(drive.status?.claims ?? [], {server: server.metadata.name, uid: server.metadata.uid});
      const status = statusWithClaims(drive.status, claims);
      try {
        drives.observe(
          await deps.client.replace(DRIVE, {...drive, status}, {subresource: 'status', fieldManager: STATUS_FIELD_MANAGER, signal}),
        );
        return true;
      } catch (error) {
        if (isNotFound(error)) return true;
        if (isConflict(error)) return false;
        throw error;
      }
    }),
  );
  return released.every(Boolean);
}

/**
 * One pass of the deletion. Resolves with what is still to be waited for; with `undefined` the finalizer was removed. Throws `ApiError`.
 */
export async function finalize(deps: Deps, book: LeaseBook, scope: Scope, {signal}: ReconcileContext): Promise<Remaining | undefined> {
  const {server, namespace, key} = scope;
  const root = {namespace, name: rootDriveName(server.metadata.name)};
  // All at once: the root drive waits by its own finalizer until no guest is on it.
  const [machine, rootGone, secretsGone] = await Promise.all([
    removeMachine(deps, scope, signal),
    removeChild({client: deps.client, type: DRIVE, informer: deps.informers.drives, signal}, server, root, 'Background'),
    removeSecrets(deps, scope, signal),
  ]);
  if (machine !== undefined) return machine;
  if (!(await releaseDrives(deps, scope, signal))) return {reason: 'ReleasingDrives', message: 'its drives are being given back'};
  await book.release({namespace, name: server.metadata.name}, signal);
  if (!rootGone) return {reason: 'WaitingForVolumeDetach', message: `its root drive ${root.name} is being deleted`};
  if (!secretsGone) return {reason: 'WaitingForChildren', message: 'its seed is being deleted'};
  await removeFinalizer(deps.client, SERVER, deps.informers.servers.get(key) ?? server, signal);
  return undefined;
}
