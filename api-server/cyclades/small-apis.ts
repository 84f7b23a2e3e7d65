/** Three calls beside compute that clients make: user catalogues (kamaki), and read-only networks (openstack). */
import type {Network} from '../../crds/index.ts';
import {idOf, uuidOf} from '../../crds/rules/ids.ts';
import {isObject} from '../http/body.ts';
import {Failure} from '../http/failure.ts';
import {faultOf, OPENSTACK_HEADERS, writeFault} from '../http/openstack-fault.ts';
import {
  bindRoutes,
  requireRoles,
  type Answer,
  type ApiModule,
  type Input,
  type ModuleConfig,
  type PublicInput,
  type RouteOf,
} from '../http/types.ts';
import type {Store} from '../store/types.ts';
import {networksOf, TENANT} from './scope.ts';

interface SmallDeps {
  readonly store: Store;
  readonly config: ModuleConfig;
}

/** At most so many ids in one question. */
const MAX_UUIDS = 1000;

/** POST /account/v1.0/user_catalogs: names for ids. Only the caller's own account is told; one account knows nothing of the others. */
function userCatalogs(input: Input): Answer {
  const body = input.body.json();
  if (!isObject(body)) throw new Failure('bad-request', 'Malformed request: a JSON object is expected');
  const {uuids = [], displaynames = []} = body;
  if (!isTextList(uuids) || !isTextList(displaynames)) throw new Failure('bad-request', 'Malformed request: "uuids" is a list of strings');
  const {uuid, email, name} = input.caller;
  return {
    status: 200,
    body: {
      uuid_catalog: uuids.includes(uuid) ? {[uuid]: email} : {},
      displayname_catalog: Object.fromEntries(
        displaynames.filter((shown) => shown === email || shown === name).map((shown) => [shown, uuid]),
      ),
    },
  };
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= MAX_UUIDS && value.every((item) => typeof item === 'string');
}

/** A network as the network API shows it. */
function networkView(network: Network, tenant: string) {
  const isPublic = network.spec.type === 'Public';
  return {
    id: String(idOf(network) ?? uuidOf(network)),
    name: network.spec.name,
    status: 'ACTIVE',
    subnets: [],
    tenant_id: isPublic ? '' : tenant,
    user_id: isPublic ? '' : tenant,
    admin_state_up: true,
    shared: isPublic,
    public: isPublic,
    'router:external': isPublic,
    'SNF:floating_ip_pool': isPublic,
  };
}

/** GET /network/v2.0/networks. */
function listNetworks({caller, query}: Input, {store, config}: SmallDeps): Answer {
  const name = query.get('name');
  const networks = networksOf(caller, store, config.systemNamespace).filter((network) => name === null || network.spec.name === name);
  return {status: 200, body: {networks: networks.map((network) => networkView(network, caller.uuid))}};
}

/** GET /network/v2.0/networks/{id}. */
function getNetwork({caller, params}: Input, {store, config}: SmallDeps): Answer {
  const network = networksOf(caller, store, config.systemNamespace).find(
    (candidate) => params['id'] === String(idOf(candidate) ?? uuidOf(candidate)),
  );
  if (network === undefined) throw new Failure('not-found', 'Network not found.');
  return {status: 200, body: {network: networkView(network, caller.uuid)}};
}

function networkVersions({origin}: PublicInput): Answer {
  return {status: 200, body: {versions: [{id: 'v2.0', status: 'CURRENT', links: [{rel: 'self', href: `${origin}/network/v2.0/`}]}]}};
}

const ACCOUNT_ROUTES: readonly RouteOf<SmallDeps>[] = [{method: 'POST', path: '/v1.0/user_catalogs', handler: userCatalogs}];

const NETWORK_ROUTES: readonly RouteOf<SmallDeps>[] = [
  {method: 'GET', path: '', auth: 'public', handler: networkVersions},
  {method: 'GET', path: '/v2.0', auth: 'public', handler: networkVersions},
  {method: 'GET', path: '/v2.0/networks', handler: listNetworks},
  {method: 'GET', path: '/v2.0/networks/{id}', handler: getNetwork},
  {method: 'GET', path: '/v2.0/ports', handler: () => ({status: 200, body: {ports: []}})},
  {method: 'GET', path: '/v2.0/subnets', handler: () => ({status: 200, body: {subnets: []}})},
  {method: 'GET', path: '/v2.0/floatingips', handler: () => ({status: 200, body: {floatingips: []}})},
];

const common = {
  schemes: ['token'],
  headers: OPENSTACK_HEADERS,
  writeError: (failure) => writeFault(faultOf(failure), failure),
} as const satisfies Partial<ApiModule>;

/** The modules of `/account` and `/network`. */
export function createSmallModules(deps: SmallDeps): readonly ApiModule[] {
  return [
    {
      ...common,
      name: 'account',
      mounts: ['/account'],
      routes: bindRoutes(ACCOUNT_ROUTES, deps),
    },
    {...common, name: 'network', mounts: ['/network'], routes: bindRoutes(requireRoles(NETWORK_ROUTES, TENANT), deps)},
  ];
}
