/** The route table of the compute API: every documented operation, and the few that clients need beside them. */
import {Failure} from '../http/failure.ts';
import type {RouteOf} from '../http/types.ts';
import {serverAction} from './actions.ts';
import type {ComputeContext} from './context.ts';
import {createServer} from './create.ts';
import {getExtension, listExtensions} from './extensions.ts';
import {getExtraSpecs, getFlavor, listFlavors, listFlavorsDetail} from './flavors.ts';
import {
  deleteImage,
  deleteImageMeta,
  getImage,
  getImageMeta,
  listImageMetadata,
  listImages,
  listImagesDetail,
  putImageMeta,
  updateImageMetadata,
} from './images.ts';
import {createKeyPair, deleteKeyPair, getKeyPair, listKeyPairs} from './keypairs.ts';
import {deleteServerMeta, getServerMeta, listServerMetadata, putServerMeta, updateServerMetadata} from './metadata.ts';
import {deleteServer, getConnection, getServer, listConnections, listServers, listServersDetail, renameServer} from './servers.ts';
import {getVersion} from './versions.ts';

const notImplemented = (): never => {
  throw new Failure('not-implemented');
};

/** A create may wait for the id counter and two writes. */
const CREATE_DEADLINE_MS = 30_000;

/** All routes. `open` ones are documented and answer not-implemented for now. */
export const COMPUTE_ROUTES: readonly RouteOf<ComputeContext>[] = [
  {method: 'GET', path: '', auth: 'public', handler: getVersion},

  {method: 'GET', path: '/servers', handler: listServers},
  {method: 'GET', path: '/servers/detail', handler: listServersDetail},
  {method: 'POST', path: '/servers', handler: createServer, deadlineMs: CREATE_DEADLINE_MS},
  {method: 'GET', path: '/servers/{id}', handler: getServer},
  {method: 'PUT', path: '/servers/{id}', handler: renameServer},
  {method: 'DELETE', path: '/servers/{id}', handler: deleteServer},
  {method: 'GET', path: '/servers/{id}/stats', handler: notImplemented, open: true},
  {method: 'GET', path: '/servers/{id}/diagnostics', handler: notImplemented, open: true},
  {method: 'GET', path: '/servers/{id}/ips', handler: listConnections},
  {method: 'GET', path: '/servers/{id}/ips/{network}', handler: getConnection},
  {method: 'GET', path: '/servers/{id}/metadata', handler: listServerMetadata},
  {method: 'POST', path: '/servers/{id}/metadata', handler: updateServerMetadata},
  {method: 'GET', path: '/servers/{id}/metadata/{key}', handler: getServerMeta},
  {method: 'PUT', path: '/servers/{id}/metadata/{key}', handler: putServerMeta},
  {method: 'DELETE', path: '/servers/{id}/metadata/{key}', handler: deleteServerMeta},
  {method: 'POST', path: '/servers/{id}/action', handler: serverAction},

  {method: 'GET', path: '/flavors', handler: listFlavors},
  {method: 'GET', path: '/flavors/detail', handler: listFlavorsDetail},
  {method: 'GET', path: '/flavors/{id}', handler: getFlavor},
  {method: 'GET', path: '/flavors/{id}/os-extra_specs', handler: getExtraSpecs},

  {method: 'GET', path: '/images', handler: listImages},
  {method: 'GET', path: '/images/detail', handler: listImagesDetail},
  // The document has no such operation, and says so with this code rather than with a wrong verb.
  {method: 'POST', path: '/images', handler: notImplemented},
  {method: 'GET', path: '/images/{id}', handler: getImage},
  {method: 'DELETE', path: '/images/{id}', handler: deleteImage},
  {method: 'GET', path: '/images/{id}/metadata', handler: listImageMetadata},
  {method: 'POST', path: '/images/{id}/metadata', handler: updateImageMetadata},
  {method: 'GET', path: '/images/{id}/metadata/{key}', handler: getImageMeta},
  {method: 'PUT', path: '/images/{id}/metadata/{key}', handler: putImageMeta},
  {method: 'DELETE', path: '/images/{id}/metadata/{key}', handler: deleteImageMeta},

  {method: 'GET', path: '/os-keypairs', handler: listKeyPairs},
  {method: 'POST', path: '/os-keypairs', handler: createKeyPair, deadlineMs: CREATE_DEADLINE_MS},
  {method: 'GET', path: '/os-keypairs/{name}', handler: getKeyPair},
  {method: 'DELETE', path: '/os-keypairs/{name}', handler: deleteKeyPair},

  {method: 'GET', path: '/os-floating-ips', handler: notImplemented, open: true},
  {method: 'GET', path: '/os-floating-ips/{id}', handler: notImplemented, open: true},
  {method: 'POST', path: '/os-floating-ips', handler: notImplemented, open: true},
  {method: 'DELETE', path: '/os-floating-ips/{id}', handler: notImplemented, open: true},

  {method: 'GET', path: '/extensions', handler: listExtensions},
  {method: 'GET', path: '/extensions/{alias}', handler: getExtension},
];
