/** The compute API and what its clients need beside it. */
import {OPENSTACK_HEADERS} from '../http/openstack-fault.ts';
import {bindRoutes, requireRoles, type ApiModule, type ModuleDeps} from '../http/types.ts';
import {createComputeContext} from './context.ts';
import {writeComputeError} from './faults.ts';
import {stripSuffix} from './format.ts';
import {createImageApiModule} from './image-api.ts';
import {CLIENT_MOUNT, DOCUMENT_MOUNT} from './profile.ts';
import {COMPUTE_ROUTES} from './routes.ts';
import {TENANT} from './scope.ts';
import {createSmallModules} from './small-apis.ts';
import {createVersionsModule} from './versions.ts';

/** Collections may have a final slash (`/servers/`, `/servers/42/ips/`); a single object may not: `/servers/42/` is a 400. */
const SLASHED = /^\/[\w-]+\/$|^\/\w+\/[^/]+\/(ips|metadata)\/$/;

/** The modules: compute at both mounts, version lists, image API, account and network calls. Follows the store's caches. */
export function createCycladesModules(deps: ModuleDeps): readonly ApiModule[] {
  const compute: ApiModule = {
    name: 'cyclades',
    mounts: [DOCUMENT_MOUNT, CLIENT_MOUNT],
    schemes: ['token'],
    routes: bindRoutes(requireRoles(COMPUTE_ROUTES, TENANT), createComputeContext(deps)),
    headers: OPENSTACK_HEADERS,
    trailingSlash: (path) => SLASHED.test(path),
    rewrite: (path) => stripSuffix(path).path,
    writeError: writeComputeError,
  };
  return [compute, createVersionsModule(compute), createImageApiModule(deps.store), ...createSmallModules(deps)];
}
