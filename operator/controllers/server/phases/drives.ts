/**
 * The drives of a server: makes the root drive, claims the listed ones, and says which are held. A server starts on nothing that it does
 * not hold.
 */
import {DRIVE, conditionTime} from '../../../../crds/index.ts';
import type {Drive, ServerResources} from '../../../../crds/index.ts';
import {decideClaim, statusWithClaims} from '../../../../crds/rules/claims.ts';
import {DEFAULT_IMAGE_BYTES, gibibytes} from '../../../../crds/rules/sizes.ts';
import {LABELS} from '../../../../crds/wellknown.ts';
import {isConflict} from '../../../../kube/errors.ts';
import {isDeleting} from '../../../../kube/objects.ts';
import {ensureChild} from '../../../children/ensure.ts';
import type {MachineDisk} from '../../../kubevirt/disks.ts';
import {claimNameOfDrive} from '../../../kubevirt/names.ts';
import type {Deps, ReconcileContext} from '../../../runtime/types.ts';
import {FINALIZER} from '../../shared/finalizer.ts';
import {controllerReference} from '../../shared/owner.ts';
import {STATUS_FIELD_MANAGER} from '../../shared/status-writer.ts';
import {failed, no, yes} from '../findings.ts';
import type {Finding} from '../findings.ts';
import type {Scope, WantedDisk} from '../scope.ts';

/** What the phase found. */
export interface DrivesFound {
  readonly finding: Finding;
  readonly image: Finding;
  /** Whether every drive is held, so that the machine may be made; it need not be filled yet. */
  readonly held: boolean;
  /** Whether the root drive has, or is about to get, its bytes: else there is nothing to start from. True without a root drive. */
  readonly rootBegun: boolean;
  readonly disks: readonly MachineDisk[];
  readonly percent: number;
}

/** Whether an image may be used here: from another namespace only when it is public. One that may not is answered as missing. */
function imageFinding({server, image, namespace, driveOf, disks}: Scope): Finding {
  const wanted = server.spec.image;
  if (wanted === undefined) return yes('NoImage', 'the server starts from drives alone');
  const root = disks.find((disk) => disk.root);
  if (root === undefined) return yes('NoImage', 'a drive of its own is in the slot of the root drive');
  if (driveOf(root.drive)?.status?.phase === 'Ready') return yes('ImageReady', 'the root drive has its bytes');
  const foreign = (wanted.namespace ?? namespace) !== namespace;
  if (image === undefined || (foreign && image.spec.visibility !== 'Public'))
    return no('DependencyMissing', `image ${wanted.name} does not exist`);
  const because = image.status?.conditions?.find(({type}) => type === 'Ready')?.message ?? '';
  if (image.status?.phase === 'Failed') return failed('ImportFailed', `image ${wanted.name}: ${because}`);
  if (isDeleting(image)) return no('ObjectDeleted', `image ${wanted.name} is being deleted`);
  if (image.status?.phase === 'Ready') return yes('ImageReady', `image ${wanted.name} is ready`);
  return no('DependencyNotReady', `image ${wanted.name} is not imported yet${because === '' ? '' : `: ${because}`}`);
}

/** Bytes of the root drive: what the spec says, else the flavor, else as many as the image has. */
export function rootDriveBytes({server, image}: Pick<Scope, 'server' | 'image'>, resources: ServerResources | undefined): number {
  const least = image?.status?.sizeBytes ?? image?.spec.sizeBytes ?? DEFAULT_IMAGE_BYTES;
  const sizeGiB = server.spec.rootDisk?.sizeGiB ?? resources?.diskGiB ?? 0;
  return sizeGiB > 0 ? gibibytes(sizeGiB) : least;
}

/** The root drive as it is created: with its finalizer, so that the drive controller has nothing to add. */
export function desiredRootDrive(scope: Scope, disk: WantedDisk, resources: ServerResources | undefined, id: number): Drive {
  const {server, namespace, uuid} = scope;
  const {image, rootDisk} = server.spec;
  return {
    apiVersion: server.apiVersion,
    kind: 'Drive',
    metadata: {
      name: disk.drive,
      namespace,
      labels: {[LABELS.server]: uuid},
      finalizers: [FINALIZER],
      ownerReferences: [controllerReference(server)],
    },
    spec: {
      id,
      name: `${server.spec.name} root`.slice(0, 255),
      sizeBytes: rootDriveBytes(scope, resources),
      type: 'Disk',
      claimType: 'Exclusive',
      ...(rootDisk?.tier === undefined ? {} : {tier: rootDisk.tier}),
      ...(image === undefined ? {} : {source: {image: {namespace: image.namespace ?? namespace, name: image.name}}}),
    },
  };
}

type Held = {readonly kind: 'held'; readonly drive: Drive} | {readonly kind: 'not'; readonly finding: Finding};

async function holdRoot(
  deps: Deps,
  scope: Scope,
  disk: WantedDisk,
  resources: ServerResources | undefined,
  signal: AbortSignal,
): Promise<Held> {
  const {server} = scope;
  const cached = scope.driveOf(disk.drive);
  // The id is taken only when a drive is really made.
  const id = cached === undefined ? await deps.sequences(DRIVE).next(signal) : 1;
  const child = await ensureChild(
    {client: deps.client, type: DRIVE, informer: deps.informers.drives, signal},
    server,
    cached ?? desiredRootDrive(scope, disk, resources, id),
  );
  if (child.kind === 'ours') return {kind: 'held', drive: child.object};
  if (child.kind === 'foreign')
    return {kind: 'not', finding: failed('NotOwned', `drive ${disk.drive} exists and does not belong to this server`)};
  return {kind: 'not', finding: no('Deleting', `drive ${disk.drive} is being deleted; it is made anew once it is gone`)};
}

async function holdListed(deps: Deps, scope: Scope, disk: WantedDisk, {signal, clock}: ReconcileContext): Promise<Held> {
  const drive = scope.driveOf(disk.drive);
  if (drive === undefined) return {kind: 'not', finding: no('DependencyMissing', `drive ${disk.drive} does not exist`)};
  const {name, uid} = scope.server.metadata;
  const decision = decideClaim(drive, {server: name, uid, slot: disk.slot}, conditionTime(clock.now()));
  switch (decision.kind) {
    case 'held':
      return {kind: 'held', drive};
    case 'refused':
      return {kind: 'not', finding: no(decision.reason, decision.message)};
    case 'claim': {
      const status = statusWithClaims(drive.status, decision.claims);
      try {
        const stored = await deps.client.replace(
          DRIVE,
          {...drive, status},
          {subresource: 'status', fieldManager: STATUS_FIELD_MANAGER, signal},
        );
        deps.informers.drives.observe(stored);
        return {kind: 'held', drive: stored};
      } catch (error) {
        // Somebody else wrote first: whoever it was, the newer state decides, in a later run.
        if (isConflict(error)) return {kind: 'not', finding: no('Progressing', `drive ${disk.drive} is being claimed`)};
        throw error;
      }
    }
    default:
      return decision satisfies never;
  }
}

export function fillFinding(drives: readonly Drive[]): Finding {
  if (drives.length === 0) return yes('NoDrives', 'the server has no drives');
  const broken = drives.find(({status}) => status?.phase === 'Failed');
  const because = (drive: Drive): string => drive.status?.conditions?.find(({type}) => type === 'Ready')?.message ?? '';
  if (broken !== undefined) return failed('DriveFailed', `drive ${broken.metadata.name}: ${because(broken)}`);
  const filling = drives.find(({status}) => status?.phase !== 'Ready');
  if (filling === undefined) return yes('DrivesReady', 'every drive is held and filled');
  if (isDeleting(filling)) return no('Deleting', `drive ${filling.metadata.name} is being deleted`);
  const why = because(filling);
  return no('Provisioning', `drive ${filling.metadata.name} is being prepared${why === '' ? '' : `: ${why}`}`);
}

/** Percentage over all drives: each counts the same, one that reports nothing counts as not begun. */
function percentOf(drives: readonly Drive[]): number {
  if (drives.length === 0) return 100;
  const sum = drives.reduce((total, {status}) => total + (status?.phase === 'Ready' ? 100 : (status?.progressPercent ?? 0)), 0);
  return Math.floor(sum / drives.length);
}

/** Runs the phase. Throws `ApiError`. */
export async function ensureDrives(
  deps: Deps,
  scope: Scope,
  resources: ServerResources | undefined,
  context: ReconcileContext,
): Promise<DrivesFound> {
  const image = imageFinding(scope);
  const root = scope.disks.find((disk) => disk.root);
  const rootMissing = root !== undefined && scope.driveOf(root.drive) === undefined;
  // The size of a root drive that is yet to be made depends on both, and cannot be taken back.
  if (rootMissing && image.reason === 'DependencyMissing')
    return {finding: no(image.reason, image.message), image, held: false, rootBegun: false, disks: [], percent: 0};
  if (rootMissing && resources === undefined)
    return {finding: no('Pending', 'the size is not known yet'), image, held: false, rootBegun: false, disks: [], percent: 0};
  const results = await Promise.all(
    scope.disks.map(async (disk) => ({
      disk,
      result: disk.root ? await holdRoot(deps, scope, disk, resources, context.signal) : await holdListed(deps, scope, disk, context),
    })),
  );
  const missing = results.map(({result}) => result).find((result) => result.kind === 'not');
  const drives = results.flatMap(({result}) => (result.kind === 'held' ? [result.drive] : []));
  const disks = results.map(({disk, result}): MachineDisk => {
    const drive = result.kind === 'held' ? result.drive : undefined;
    const media = disk.media === 'Cdrom' || drive?.spec.type === 'Cdrom' ? 'Cdrom' : 'Disk';
    return {slot: disk.slot, claimName: claimNameOfDrive(disk.drive), media, shared: drive?.spec.claimType === 'Shared'};
  });
  const rootDrive = root === undefined ? undefined : drives.find(({metadata}) => metadata.name === root.drive);
  const rootBegun = image.status === 'True' || rootDrive?.status?.persistentVolumeClaim !== undefined;
  const finding = missing?.finding ?? (rootBegun ? fillFinding(drives) : image);
  return {finding, image, held: missing === undefined, rootBegun, disks, percent: percentOf(drives)};
}
