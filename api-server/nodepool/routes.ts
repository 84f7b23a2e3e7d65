/**
 * The route table of the Nodepool API, and the module made of it. The operations answer "not implemented" until CI pools exist; who may
 * call them, and how errors look, holds already.
 */
import {Failure} from '../http/failure.ts';
import {bindRoutes, type Answer, type ApiModule, type ModuleDeps, type PublicInput, type RouteOf} from '../http/types.ts';
import {acceptsJson, writeError} from './errors.ts';

const READS = ['/nodes', '/nodes/{id}', '/images', '/images/{id}', '/dib_images', '/dib_images/{id}'];

const WRITES = [
  ['DELETE', '/nodes/{id}'],
  ['PUT', '/nodes/{id}'],
  ['DELETE', '/images/{id}'],
  ['POST', '/images/{id}/update'],
  ['DELETE', '/dib_images/{id}'],
  ['POST', '/dib_images/{name}/build'],
  ['POST', '/dib_images/{name}/upload'],
] as const;

/** Actions exist for POST alone: anything else is no path at all, as in the original (404, not 405). */
const ACTIONS = ['/images/{id}/update', '/dib_images/{name}/build', '/dib_images/{name}/upload'];

function unknownPath(): Answer {
  throw new Failure('unknown-path');
}

function notImplemented(): Answer {
  throw new Failure('not-implemented');
}

/** Lists and single objects are JSON only: a client that takes none of it is told so. */
function readNotImplemented(input: PublicInput): Answer {
  if (!acceptsJson(input.headers.accept)) throw new Failure('not-acceptable', 'The answer is application/json');
  return notImplemented();
}

/** The table. Reads are public unless the installation wants credentials for them. */
function tableOf(publicReads: boolean): RouteOf<ModuleDeps>[] {
  const reads = READS.map((path): RouteOf<ModuleDeps> =>
    publicReads
      ? {method: 'GET', path, auth: 'public', open: true, handler: readNotImplemented}
      : {method: 'GET', path, roles: ['nodepool'], open: true, handler: readNotImplemented},
  );
  const writes = WRITES.map(([method, path]): RouteOf<ModuleDeps> => ({
    method,
    path,
    roles: ['nodepool'],
    open: true,
    handler: notImplemented,
  }));
  const noReads = ACTIONS.map((path): RouteOf<ModuleDeps> => ({method: 'GET', path, auth: 'public', handler: unknownPath}));
  return [...reads, ...writes, ...noReads];
}

/** The Nodepool API at `/v1`, beside Craton. */
export function createNodepoolModule(deps: ModuleDeps): ApiModule {
  return {
    name: 'nodepool',
    mounts: ['/v1'],
    collections: ['nodes', 'images', 'dib_images'],
    routes: bindRoutes(tableOf(deps.config.nodepoolPublicReads), deps),
    schemes: ['basic'],
    contentType: 'application/json',
    writeError,
  };
}
