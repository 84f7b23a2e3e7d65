/** The route table of the Craton Inventory API, and the module made of it. */
import {bindRoutes, type ApiModule, type ModuleDeps, type RouteOf} from '../http/types.ts';
import {CELLS} from './cells.ts';
import {JSON_TYPE, writeError} from './errors.ts';
import {HOSTS} from './hosts.ts';
import type {InventoryKind, InventoryObject} from './kind.ts';
import {create, deleteData, get, getVariables, list, putData, putVariables, remove, update, type Operation} from './operations.ts';
import {REGIONS} from './regions.ts';

/** Verb, path below the kind, operation. `/variables` is what the last clients call `/data`. */
const OPERATIONS: readonly (readonly [RouteOf<ModuleDeps>['method'], string, Operation])[] = [
  ['GET', '', list],
  ['POST', '', create],
  ['GET', '/{id}', get],
  ['PUT', '/{id}', update],
  ['DELETE', '/{id}', remove],
  ['PUT', '/{id}/data', putData],
  ['DELETE', '/{id}/data', deleteData],
  ['GET', '/{id}/variables', getVariables],
  ['PUT', '/{id}/variables', putVariables],
  ['DELETE', '/{id}/variables', deleteData],
];

function routesOf<T extends InventoryObject>(kind: InventoryKind<T>): RouteOf<ModuleDeps>[] {
  return OPERATIONS.map(([method, path, operation]) => ({
    method,
    path: `/${kind.path}${path}`,
    roles: ['inventory'],
    handler: (input, deps) => operation(kind, input, deps),
  }));
}

/** The Craton Inventory API at `/v1`, beside Nodepool: what neither names is answered by this one. */
export function createCratonModule(deps: ModuleDeps): ApiModule {
  return {
    name: 'craton',
    mounts: ['/v1'],
    routes: bindRoutes([...routesOf(REGIONS), ...routesOf(CELLS), ...routesOf(HOSTS)], deps),
    schemes: ['triple', 'api-key'],
    contentType: JSON_TYPE,
    writeError,
  };
}
