/** Images on the wire: of the compute API and of the small image API. Pure. */
import type {Image} from '../../crds/index.ts';
import {uuidOf} from '../../crds/rules/ids.ts';
import {createdMs, updatedMs} from '../store/times.ts';
import {apiDate} from './dates.ts';
import {links} from './server-view.ts';
import {isDeleting} from '../../kube/objects.ts';

/** States of an image on the compute API. */
export type ImageStatus = 'ACTIVE' | 'SAVING' | 'ERROR' | 'DELETED' | 'UNKNOWN';

/** The state that clients see. */
export function imageStatus(image: Image): ImageStatus {
  if (isDeleting(image)) return 'DELETED';
  switch (image.status?.phase ?? 'Pending') {
    case 'Ready':
      return 'ACTIVE';
    case 'Pending':
    case 'Creating':
    case 'Importing':
    case 'Cloning':
    case 'AwaitingUpload':
      return 'SAVING';
    case 'Failed':
      return 'ERROR';
    case 'Deleting':
      return 'DELETED';
    default:
      return 'UNKNOWN';
  }
}

/** Metadata as an object; `OS` is there when only the field `os` says it. */
export function imageMetadata(image: Image): Record<string, string> {
  const metadata = Object.fromEntries((image.spec.metadata ?? []).map(({key, value}) => [key, value]));
  const {os} = image.spec;
  const told = Object.keys(metadata).some((key) => key.toUpperCase() === 'OS');
  return os === undefined || os === '' || told ? metadata : {...metadata, OS: os};
}

/** id and name, and links where OpenStack clients look for them. */
export function briefImage(image: Image, baseUrl: string) {
  const id = uuidOf(image);
  return {id, name: image.spec.name, links: links(`${baseUrl}/images/${id}`)};
}

/** All members. `owner`: uuid of the account that owns it. */
export function fullImage(image: Image, owner: string, baseUrl: string) {
  const status = imageStatus(image);
  return {
    ...briefImage(image, baseUrl),
    status,
    progress: progress(image),
    created: apiDate(createdMs(image)),
    updated: apiDate(updatedMs(image)),
    user_id: owner,
    tenant_id: owner,
    public: image.spec.visibility === 'Public',
    is_snapshot: false,
    metadata: imageMetadata(image),
  };
}

function progress(image: Image): number {
  if (image.status?.phase === 'Ready') return 100;
  return Math.min(99, Math.max(0, Math.trunc(image.status?.progressPercent ?? 0)));
}

const V2_STATUS: Readonly<Record<ImageStatus, string>> = {
  ACTIVE: 'active',
  SAVING: 'saving',
  ERROR: 'killed',
  DELETED: 'deleted',
  UNKNOWN: 'queued',
};

/** An image of the image API v2. */
export function v2Image(image: Image, owner: string) {
  const id = uuidOf(image);
  const metadata = imageMetadata(image);
  return {
    // The metadata first: none of it may take the place of a member of the API.
    ...Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key.toLowerCase(), value])),
    id,
    name: image.spec.name,
    status: V2_STATUS[imageStatus(image)],
    visibility: image.spec.visibility === 'Public' ? 'public' : 'private',
    owner,
    size: image.status?.sizeBytes ?? image.spec.sizeBytes ?? null,
    virtual_size: null,
    min_disk: 0,
    min_ram: 0,
    container_format: 'bare',
    disk_format: 'raw',
    protected: false,
    tags: [],
    checksum: null,
    created_at: secondsZ(createdMs(image)),
    updated_at: secondsZ(updatedMs(image)),
    self: `/v2/images/${id}`,
    file: `/v2/images/${id}/file`,
    schema: '/v2/schemas/image',
  };
}

/** An image of the image API v1.0, as kamaki reads it. */
export function v1Image(image: Image, owner: string) {
  const v2 = v2Image(image, owner);
  const {id, name, size, container_format, disk_format, created_at, updated_at} = v2;
  return {
    id,
    name,
    size,
    status: imageStatus(image) === 'ACTIVE' ? 'available' : v2.status,
    store: 'basalt',
    owner,
    container_format,
    disk_format,
    is_public: v2.visibility === 'public',
    is_snapshot: false,
    checksum: null,
    location: null,
    created_at,
    updated_at,
    deleted_at: null,
    properties: imageMetadata(image),
  };
}

const secondsZ = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
