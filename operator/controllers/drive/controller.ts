/** Drive: a claim on storage with its bytes, and the book of who holds it. Deleting it waits until nobody does. */
import {DRIVE} from '../../../crds/index.ts';
import type {DriveClaim as Claim, Drive, DriveStatus, Image, Reason} from '../../../crds/index.ts';
import {owningServer} from '../../../crds/rules/claims.ts';
import {uuidOf} from '../../../crds/rules/ids.ts';
import {rootDriveName} from '../../../crds/rules/names.ts';
import {keyOf, refOfObject} from '../../../kube/objects.ts';
import type {KubeObject} from '../../../kube/objects.ts';
import {PERSISTENT_VOLUME_CLAIM} from '../../../kube/types.ts';
import type {PersistentVolumeClaim} from '../../../kube/types.ts';
import {ensureChild, freshly, removeChild} from '../../children/ensure.ts';
import type {Child} from '../../children/ensure.ts';
import {volumeStateOf} from '../../kubevirt/data-volume-state.ts';
import {claimNameOfDrive} from '../../kubevirt/names.ts';
import {DATA_VOLUME} from '../../kubevirt/types.ts';
import type {DataVolume} from '../../kubevirt/types.ts';
import {buildBlankClaim, buildDataVolume, driveLabels} from '../../kubevirt/volumes.ts';
import {DONE, watchOf} from '../../runtime/types.ts';
import type {ControllerDefinition, Deps, Result} from '../../runtime/types.ts';
import type {StorageOptions} from '../image/controller.ts';
import {conditionOf, someOf} from '../shared/conditions.ts';
import {FIELD_MANAGER} from '../shared/finalizer.ts';
import {namespaceGot, noAccount} from '../shared/home.ts';
import {Pace} from '../shared/pace.ts';
import {removeVolume} from '../shared/remove-volume.ts';
import {createKindController} from '../shared/kind-controller.ts';
import {controllerReference} from '../shared/owner.ts';
import {STORAGE_CLASS, createStorageClasses} from '../shared/storage.ts';
import {nextStaleCheckMs, standingClaims} from './claims.ts';
import type {ClaimantView} from './claims.ts';
import {grownRequest, isRefusalOfGrowth} from './growth.ts';
import {isMounted, isPlugged} from './mounts.ts';
import {isPressing} from './pressing.ts';
import {driveSource} from './source.ts';
import type {DriveSource} from './source.ts';
import {driveStatus} from './status.ts';
import type {DriveSeen} from './status.ts';

/** How long to wait before a drive that is going looks again, in milliseconds, in case the last event was missed. */
const DELETE_POLL_MS = 5_000;

type Volume = Pick<DriveSeen, 'blocked' | 'claim' | 'volume' | 'waitsForConsumer' | 'growing' | 'growthRefused'>;

/** Makes the Drive controller. */
export function createDriveController(deps: Deps, {tierOf = () => ({})}: StorageOptions = {}): ControllerDefinition {
  const {client, informers, clock} = deps;
  const {drives, images, servers, accounts, dataVolumes, pvcs, virtualMachines, virtualMachineInstances} = informers;
  const storage = createStorageClasses({client, clock});

  const keyIn = (drive: KubeObject, name: string): string => keyOf({namespace: drive.metadata.namespace ?? '', name});
  const paceOfRoots = new Pace<DriveStatus>((before, after) => isPressing(before, after, true));
  const paceOfOthers = new Pace<DriveStatus>((before, after) => isPressing(before, after, false));
  const paceOf = (drive: Drive): Pace<DriveStatus> => (owningServer(drive) === undefined ? paceOfOthers : paceOfRoots);
  const claimName = (drive: Drive): string => claimNameOfDrive(drive.metadata.name);

  const viewOf = (drive: Drive, claim: Claim): ClaimantView => {
    const key = keyIn(drive, claim.server);
    return {server: servers.get(key), mounted: isPlugged(virtualMachines.get(key), virtualMachineInstances.get(key), claimName(drive))};
  };

  const sourceOf = (drive: Drive): DriveSource => {
    const home = drive.metadata.namespace ?? '';
    const {image, drive: from} = drive.spec.source ?? {};
    const sourceDrive = from === undefined ? undefined : drives.get(keyOf({namespace: from.namespace ?? home, name: from.name}));
    const mountedBy = sourceDrive?.status?.claims?.find(({server}) =>
      isMounted(virtualMachineInstances.get(keyIn(sourceDrive, server)), claimName(sourceDrive)),
    );
    return driveSource(drive, {
      image: image === undefined ? undefined : images.get(keyOf({namespace: image.namespace ?? home, name: image.name})),
      sourceDrive,
      sourceMountedBy: mountedBy?.server,
      account: accounts.list().find((account) => account.status?.namespace === home),
    });
  };

  const obstacle = (child: Child<KubeObject>): Volume | undefined => {
    if (child.kind === 'ours') return undefined;
    const name = `${child.object.kind} ${child.object.metadata.name}`;
    const blocked: Volume['blocked'] =
      child.kind === 'foreign'
        ? {reason: 'NotOwned', message: `${name} exists and does not belong to this drive`, permanent: true}
        : {reason: 'ObjectDeleted', message: `${name} is being deleted; it is made anew once it is gone`, permanent: false};
    return {blocked, waitsForConsumer: false, growing: false};
  };

  /** Grows the claim where the spec has grown. A class that cannot grow refuses, which is an answer and not an error. */
  const grow = async (
    drive: Drive,
    claim: PersistentVolumeClaim,
    volume: DataVolume | undefined,
    signal: AbortSignal,
  ): Promise<Pick<Volume, 'growing' | 'growthRefused'>> => {
    const bytes = claim.status?.phase === 'Bound' ? grownRequest(drive.spec.sizeBytes, claim, volume) : undefined;
    if (bytes === undefined) return {growing: false};
    try {
      const patch = {metadata: {resourceVersion: claim.metadata.resourceVersion}, spec: {resources: {requests: {storage: String(bytes)}}}};
      pvcs.observe(await client.mergePatch(PERSISTENT_VOLUME_CLAIM, refOfObject(claim), patch, {signal, fieldManager: FIELD_MANAGER}));
      deps.events.event(drive, {type: 'Normal', reason: 'Resizing', action: 'Resize', message: `the claim asks for ${bytes} bytes now`});
      return {growing: true};
    } catch (error) {
      if (!isRefusalOfGrowth(error)) throw error;
      return {growing: false, growthRefused: error.message};
    }
  };

  const waitsForConsumer = async (claim: PersistentVolumeClaim, signal: AbortSignal): Promise<boolean> => {
    if (claim.status?.phase === 'Bound' || claim.spec?.storageClassName === undefined) return false;
    const storageClass = await freshly(client, STORAGE_CLASS, {name: claim.spec.storageClassName}, signal);
    return storageClass?.['volumeBindingMode'] === 'WaitForFirstConsumer';
  };

  const ensureVolume = async (drive: Drive, signal: AbortSignal): Promise<Volume> => {
    const namespace = drive.metadata.namespace ?? '';
    const key = keyIn(drive, claimName(drive));
    const isMade = pvcs.get(key) !== undefined || dataVolumes.get(key) !== undefined;
    const homeless = isMade ? undefined : noAccount(deps, drive);
    if (homeless !== undefined) return {blocked: {...homeless, permanent: false}, waitsForConsumer: false, growing: false};
    // Bytes that were asked to be encrypted are never stored in the clear instead.
    if (!isMade && (drive.spec.encryptionCipher ?? 'None') !== 'None') {
      const message = 'no storage tier of this installation encrypts';
      return {blocked: {reason: 'EncryptionUnavailable', message, permanent: true}, waitsForConsumer: false, growing: false};
    }
    const tier = tierOf(drive.spec.tier);
    const request = {sizeBytes: drive.spec.sizeBytes, tier: isMade ? tier : await storage.tierFor(tier, drive.spec.claimType, signal)};
    const identity = {name: claimName(drive), namespace, owner: controllerReference(drive), labels: driveLabels(uuidOf(drive))};
    if (drive.spec.source === undefined) {
      const child = await ensureChild(
        {client, type: PERSISTENT_VOLUME_CLAIM, informer: pvcs, signal},
        drive,
        buildBlankClaim(identity, request),
      );
      if (child.kind !== 'ours') return obstacle(child) ?? {waitsForConsumer: false, growing: false};
      const [waits, growth] = await Promise.all([waitsForConsumer(child.object, signal), grow(drive, child.object, undefined, signal)]);
      return {claim: child.object, waitsForConsumer: waits, ...growth};
    }
    // Once the DataVolume is there, its source is of no interest any more: it may have changed, or be gone.
    const source = dataVolumes.get(key) === undefined ? sourceOf(drive) : undefined;
    if (source?.kind === 'blocked') return {blocked: source, waitsForConsumer: false, growing: false};
    const bytes = source?.kind === 'bytes' ? source.source : {kind: 'upload' as const};
    // A root drive is mounted at once, so its class may choose the node then. Any other drive must fill up for clients that wait for that.
    const bindNow = owningServer(drive) === undefined;
    const child = await ensureChild(
      {client, type: DATA_VOLUME, informer: dataVolumes, signal},
      drive,
      buildDataVolume(identity, request, bytes, {bindNow}),
    );
    if (child.kind !== 'ours') return obstacle(child) ?? {waitsForConsumer: false, growing: false};
    const claim = pvcs.get(key);
    const volume = volumeStateOf(child.object, {phase: drive.status?.phase, condition: conditionOf(drive, 'Populated')});
    const growth = claim === undefined || volume.phase !== 'Ready' ? {growing: false} : await grow(drive, claim, child.object, signal);
    // CDI makes the claim; its name is known before it is there.
    return {
      ...(claim === undefined ? {} : {claim}),
      volume,
      waitsForConsumer: child.object.status?.phase === 'WaitForFirstConsumer',
      ...growth,
    };
  };

  const announceReleases = (drive: Drive, standing: readonly Claim[]): void => {
    for (const claim of drive.status?.claims ?? []) {
      if (standing.some(({server}) => server === claim.server)) continue;
      deps.events.event(drive, {
        type: 'Normal',
        reason: 'ClaimReleased',
        action: 'Release',
        message: `the claim of server ${claim.server} was released`,
      });
    }
  };

  const keysOfServer = (object: KubeObject): readonly string[] =>
    drives.byIndex('server', keyOf(refOfObject(object))).map((drive) => keyOf(refOfObject(drive)));
  const ownKey = ({object}: {readonly object: KubeObject}): readonly string[] => {
    const key = keyOf(refOfObject(object));
    return drives.get(key) === undefined ? [] : [key];
  };

  return createKindController<DriveStatus, Drive>({
    deps,
    name: 'drive',
    type: DRIVE,
    informer: drives,
    workers: 16,
    watches: [
      watchOf(accounts, (change) => {
        const namespace = namespaceGot(change);
        return namespace === undefined ? [] : drives.list(namespace).map((drive) => keyOf(refOfObject(drive)));
      }),
      watchOf(dataVolumes, ownKey),
      watchOf(pvcs, ownKey),
      watchOf(images, ({object}: {readonly object: Image}) =>
        drives
          .byIndex('image', keyOf(refOfObject(object)))
          .filter((drive) => drive.status?.persistentVolumeClaim === undefined)
          .map((drive) => keyOf(refOfObject(drive))),
      ),
      watchOf(drives, ({object}) => drives.byIndex('sourceDrive', keyOf(refOfObject(object))).map((drive) => keyOf(refOfObject(drive)))),
      // Only what can free a drive: a server that changed its list or is going, and a guest that is gone.
      watchOf(servers, ({object, oldObject}) =>
        oldObject !== undefined && oldObject.metadata.generation === object.metadata.generation ? [] : keysOfServer(object),
      ),
      watchOf(virtualMachines, ({kind, object, oldObject}) => {
        const unplugged = kind === 'deleted' || oldObject?.metadata.generation !== object.metadata.generation;
        return unplugged ? [...new Set([...keysOfServer(object), keyIn(object, rootDriveName(object.metadata.name))])] : [];
      }),
      watchOf(virtualMachineInstances, ({kind, object}) => {
        if (kind !== 'deleted') return [];
        const freed = keysOfServer(object);
        return [...freed, ...freed.flatMap((key) => drives.byIndex('sourceDrive', key).map((drive) => keyOf(refOfObject(drive))))];
      }),
    ],
    async reconcile(drive, scope): Promise<Result> {
      const {nowMs, duplicate, signal} = scope;
      const volume = await ensureVolume(drive, signal);
      const claims = standingClaims(drive, (claim) => viewOf(drive, claim), nowMs);
      const status = driveStatus({drive, ...volume, claims, ...(duplicate === undefined ? {} : {duplicate}), nowMs});
      const delay = paceOf(drive).delayMs(keyOf(refOfObject(drive)), drive.status, status, clock.monotonicMs());
      if (delay > 0) return {kind: 'requeue', afterMs: delay, why: 'lesser changes of the status are written together'};
      const saved = await scope.saveStatus(drive, status);
      if (saved !== drive) announceReleases(drive, claims);
      if (volume.blocked !== undefined) return {kind: 'blocked', ...volume.blocked};
      const afterMs = owningServer(drive) === undefined ? nextStaleCheckMs(claims, nowMs) : undefined;
      return afterMs === undefined ? DONE : {kind: 'requeue', afterMs, why: 'a young claim may turn out to be an orphan'};
    },
    async finalize(drive, scope): Promise<Result> {
      const {nowMs, signal} = scope;
      paceOf(drive).forget(keyOf(refOfObject(drive)));
      const namespace = drive.metadata.namespace ?? '';
      const claims = standingClaims(drive, (claim) => viewOf(drive, claim), nowMs);
      const wait = async (reason: Reason, message: string): Promise<Result> => {
        const claim = pvcs.get(keyIn(drive, claimName(drive)));
        await scope.saveStatus(
          drive,
          driveStatus({
            drive,
            ...(claim === undefined ? {} : {claim}),
            waitsForConsumer: false,
            growing: false,
            claims,
            deleting: {reason, message},
            nowMs,
          }),
        );
        return {kind: 'requeue', afterMs: DELETE_POLL_MS, why: message};
      };
      const holders = claims.filter((claim) => {
        const {server, mounted} = viewOf(drive, claim);
        // A server that is going gives its drives free once its machine is gone; a missing one holds nothing.
        return mounted || (server !== undefined && server.metadata.deletionTimestamp === undefined);
      });
      if (holders.length > 0) return await wait('WaitingForServers', `in use by ${someOf(holders.map(({server}) => server))}`);
      const copies = drives.byIndex('sourceDrive', keyOf(refOfObject(drive))).filter(({status}) => status?.phase === 'Cloning');
      if (copies.length > 0) return await wait('WaitingForClones', `being copied to ${someOf(copies.map(({metadata}) => metadata.name))}`);
      const ref = {namespace, name: claimName(drive)};
      const volumeGone = await removeVolume({client, dataVolumes, pvcs, signal}, drive, ref);
      const claimGone = await removeChild({client, type: PERSISTENT_VOLUME_CLAIM, informer: pvcs, signal}, drive, ref, 'Background');
      return volumeGone && claimGone ? DONE : await wait('WaitingForChildren', 'its storage is being given back');
    },
  });
}
