/**
 * Every documented operation has a route, and those that still answer "not implemented" are exactly the ones listed as open: so none is
 * forgotten, and none is finished without leaving the list.
 */
import {readFileSync} from 'node:fs';
import {describe, expect, test} from '@jest/globals';
import {createCloudSigmaModule} from '../../api-server/cloudsigma/index.ts';
import {createCratonModule} from '../../api-server/craton/index.ts';
import {ACTIONS} from '../../api-server/cyclades/actions.ts';
import {createCycladesModules} from '../../api-server/cyclades/index.ts';
import {createRouter} from '../../api-server/http/router.ts';
import type {ApiModule, ModuleDeps} from '../../api-server/http/types.ts';
import {createNodepoolModule} from '../../api-server/nodepool/index.ts';
import {createStore} from '../../api-server/store/store.ts';
import type {KubeClient} from '../../kube/client.ts';
import {silentLogger} from '../../kube/log.ts';
import {FakeClock} from '../../kube/testing/fake-clock.ts';

interface Operation {
  readonly line: string;
  readonly api: string;
  readonly method: string;
  readonly path: string;
  /** Of the one route that is many operations. */
  readonly action: string | undefined;
}

function readOperations(file: string): Operation[] {
  const text = readFileSync(new URL(`../../docs/reference/${file}`, import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [api = '', method = '', path = '', action] = line.split(' ');
      return {line, api, method, path, action};
    });
}

// Nothing is started, so nothing is called: the modules are made for their tables alone.
const clock = new FakeClock();
const store = createStore({client: {} as KubeClient, clock, log: silentLogger, systemNamespace: 'basalt-system'});
const deps: ModuleDeps = {
  store,
  clock,
  log: silentLogger,
  config: {systemNamespace: 'basalt-system', regionName: 'default', nodepoolPublicReads: true},
};
const [compute] = createCycladesModules(deps);
if (compute === undefined) throw new Error('no compute module');
const MODULES: Readonly<Record<string, ApiModule>> = {
  cyclades: compute,
  craton: createCratonModule(deps),
  nodepool: createNodepoolModule(deps),
  cloudsigma: createCloudSigmaModule(deps),
};
/** What endpoints.txt writes before the paths of an API. */
const PREFIXES: Readonly<Record<string, string>> = {craton: '/v1', nodepool: '/v1'};

/** The route of an operation, found the way a request would find it. */
function routeOf({api, method, path}: Operation) {
  const module = MODULES[api];
  if (module === undefined) throw new Error(`unknown API ${api}`);
  const below = path.slice((PREFIXES[api] ?? '').length).replaceAll(/\{\w+\}/g, '7');
  const match = createRouter(module.routes)(method, module.rewrite?.(below) ?? below);
  return match.kind === 'found' ? match.route : undefined;
}

const isOpen = (operation: Operation): boolean =>
  operation.action === undefined ? routeOf(operation)?.open === true : ACTIONS[operation.action]?.open === true;

const DOCUMENTED = readOperations('endpoints.txt');

describe('documented operations', () => {
  test('are all there to be read', () => {
    expect(DOCUMENTED).toHaveLength(135);
  });

  test.each(DOCUMENTED.map((operation) => [operation.line, operation] as const))('%s has a route', (_line, operation) => {
    expect(routeOf(operation)).toBeDefined();
    if (operation.action !== undefined) expect(ACTIONS).toHaveProperty(operation.action);
  });

  test('those still open are those listed in docs/reference/open-operations.txt', () => {
    const open = DOCUMENTED.filter(isOpen).map(({line}) => line);
    expect(open).toEqual(readOperations('open-operations.txt').map(({line}) => line));
  });
});
