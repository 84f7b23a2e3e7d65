/** Drives and standard drives (public Images) as the API shows them. Pure. */
import type {Drive, Image} from '../../crds/index.ts';
import {uuidOf} from '../../crds/rules/ids.ts';
import {EVERYONE} from '../../crds/rules/readers.ts';
import type {TextObject} from './codec.ts';
import {NOBODY} from './identity.ts';

/** What a drive's text needs beyond the drive. */
export interface DriveContext {
  /** uuid of the account that owns the drive. */
  readonly user: string;
  /** For a claim's server: its uuid and the uuid of the host that it is on; undefined when the server is gone. */
  readonly server: (name: string) => {readonly uuid: string; readonly hostUuid: string | undefined} | undefined;
}

/** `active`, `inactive`, `copying` (a clone under way); what is not known to be usable is `inactive`. */
export function driveStatus(drive: Pick<Drive, 'spec' | 'status'>): 'active' | 'inactive' | 'copying' {
  if (drive.status?.phase === 'Ready') return 'active';
  return isCopying(drive) ? 'copying' : 'inactive';
}

/** Whether the drive is still being filled from its source. */
export function isCopying({spec, status}: Pick<Drive, 'spec' | 'status'>): boolean {
  const hasSource = spec.source?.image !== undefined || spec.source?.drive !== undefined;
  return hasSource && status?.phase !== 'Ready' && status?.phase !== 'Failed' && status?.phase !== 'Deleting';
}

const words = (list: readonly string[] | undefined): string | undefined =>
  list === undefined || list.length === 0 ? undefined : list.join(' ');

/** `HOST:guest:SERVER:DEVICE` per claim; while the drive is being copied one entry more, so that waiting for its absence works. */
function claimedBy(drive: Drive, context: DriveContext): string | undefined {
  const entries = (drive.status?.claims ?? []).flatMap((claim) => {
    const server = context.server(claim.server);
    return server === undefined ? [] : [`${server.hostUuid ?? NOBODY}:guest:${server.uuid}:${claim.slot}`];
  });
  if (isCopying(drive)) entries.push(`${NOBODY}:copy:${uuidOf(drive)}`);
  return words(entries);
}

/** Keys that the answer to `drives/create` has; `type` is not among them, because jclouds compares the two answers. */
export function driveCreatedToText(drive: Drive, context: DriveContext): TextObject {
  const {spec, status} = drive;
  return {
    drive: uuidOf(drive),
    name: spec.name,
    user: context.user,
    size: spec.sizeBytes,
    status: driveStatus(drive),
    'claim:type': spec.claimType === 'Shared' ? 'shared' : 'exclusive',
    'encryption:cipher': spec.encryptionCipher === 'AesXtsPlain' ? 'aes-xts-plain' : 'none',
    readers: words(spec.readers),
    tags: words(spec.tags),
    use: words(spec.use),
    description: spec.description === '' ? undefined : spec.description,
    imaging: isCopying(drive) ? `${Math.floor(status?.progressPercent ?? 0)}%` : undefined,
    claimed: claimedBy(drive, context),
  };
}

/** All keys of a drive. */
export function driveToText(drive: Drive, context: DriveContext): TextObject {
  return {...driveCreatedToText(drive, context), type: drive.spec.type === 'Cdrom' ? 'cdrom' : 'disk'};
}

/** A drive of another account, to one of its readers: what they need to copy it, and nothing of who uses it or who else may read it. */
export function sharedDriveToText(drive: Drive, owner: string): TextObject {
  const {
    claimed: _claimed,
    readers: _readers,
    tags: _tags,
    use: _use,
    ...text
  } = driveToText(drive, {user: owner, server: () => undefined});
  return text;
}

/** Bytes of a standard drive; 0 while the import has not told. */
export const imageBytes = (image: Pick<Image, 'spec' | 'status'>): number => image.status?.sizeBytes ?? image.spec.sizeBytes ?? 0;

/** A public Image as a standard drive. */
export function imageToText(image: Image): TextObject {
  const {spec, status} = image;
  const cdrom = spec.type === 'Cdrom';
  return {
    drive: uuidOf(image),
    name: spec.name,
    user: NOBODY,
    size: imageBytes(image),
    status: status?.phase === 'Ready' ? 'active' : 'inactive',
    type: cdrom ? 'cdrom' : 'disk',
    drive_type: cdrom ? 'installcd' : 'preinstalled',
    'claim:type': 'shared',
    'encryption:cipher': 'none',
    readers: EVERYONE,
    os: spec.os,
    description: spec.description,
  };
}
