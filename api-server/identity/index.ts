/** Identity v2.0: tokens with a service catalogue, version documents, tenants. */
import type {Authenticator} from '../http/authenticator.ts';
import {Failure} from '../http/failure.ts';
import {faultOf, OPENSTACK_HEADERS, writeFault} from '../http/openstack-fault.ts';
import {
  bindRoutes,
  type Answer,
  type ApiModule,
  type Caller,
  type Input,
  type ModuleConfig,
  type PublicInput,
  type RouteOf,
} from '../http/types.ts';
import {serviceCatalog} from './catalogue.ts';
import {readTokenRequest} from './request.ts';

/** Collaborators. */
export interface IdentityDeps {
  readonly authenticator: Authenticator;
  readonly config: ModuleConfig;
}

/** What a static token, which never expires, is said to expire at. */
const NEVER_MS = Date.UTC(2099, 11, 31);

/** POST /identity/v2.0/tokens. */
async function createToken(input: PublicInput, {authenticator, config}: IdentityDeps): Promise<Answer> {
  const {proof, tenant} = readTokenRequest(input.body.json());
  let caller: Caller;
  let token: {readonly id: string; readonly expiresAtMs: number};
  if ('token' in proof) {
    const known = await authenticator.token(proof.token, input.address);
    caller = known.caller;
    // The same token again: it is still good, and a client that holds two of them gains nothing.
    token = {id: proof.token, expiresAtMs: known.expiresAtMs ?? NEVER_MS};
  } else {
    caller = await authenticator.login(proof.user, proof.password, input.address);
    const issued = authenticator.issue(caller);
    token = {id: issued.token, expiresAtMs: issued.expiresAtMs};
  }
  checkTenant(tenant, caller);
  return {status: 200, body: {access: access(caller, token, input.origin, config.regionName)}};
}

/** An account is its own and only tenant, by name, e-mail address or id. */
function checkTenant(tenant: string | undefined, caller: Caller): void {
  if (tenant === undefined || [caller.name, caller.uuid, caller.email].includes(tenant)) return;
  throw new Failure('unauthenticated', `Not authorized for tenant "${tenant.slice(0, 64)}"`);
}

/** The `access` member. */
export function access(caller: Caller, token: {readonly id: string; readonly expiresAtMs: number}, origin: string, region: string) {
  const {uuid, name} = caller;
  return {
    token: {id: token.id, expires: `${new Date(token.expiresAtMs).toISOString().slice(0, -1)}000+00:00`, tenant: {id: uuid, name}},
    user: {id: uuid, name, roles: caller.roles.map((role, index) => ({id: String(index + 1), name: role})), roles_links: []},
    serviceCatalog: serviceCatalog(origin, region),
  };
}

const version = (url: string) => ({
  id: 'v2.0',
  status: 'stable',
  updated: '2014-04-17T00:00:00Z',
  links: [{rel: 'self', href: `${url}/`}],
  'media-types': [{base: 'application/json', type: 'application/vnd.openstack.identity-v2.0+json'}],
});

/** GET /identity. */
function listVersions({baseUrl}: PublicInput): Answer {
  return {status: 200, body: {versions: {values: [version(`${baseUrl}/v2.0`)]}}};
}

/** GET /identity/v2.0. */
function getVersion({baseUrl}: PublicInput): Answer {
  return {status: 200, body: {version: version(`${baseUrl}/v2.0`)}};
}

/** GET /identity/v2.0/tenants. */
function listTenants({caller}: Input): Answer {
  return {
    status: 200,
    body: {
      tenants: [{id: caller.uuid, name: caller.name, enabled: true, description: caller.account.spec.displayName ?? ''}],
      tenants_links: [],
    },
  };
}

const ROUTES: readonly RouteOf<IdentityDeps>[] = [
  {method: 'GET', path: '', auth: 'public', handler: listVersions},
  {method: 'GET', path: '/v2.0', auth: 'public', handler: getVersion},
  {method: 'POST', path: '/v2.0/tokens', auth: 'public', handler: createToken, bodyLimitBytes: 64 * 1024},
  {method: 'GET', path: '/v2.0/tenants', handler: listTenants},
];

/** The module of `/identity`. */
export function createIdentityModule(deps: IdentityDeps): ApiModule {
  return {
    name: 'identity',
    mounts: ['/identity'],
    schemes: ['token'],
    routes: bindRoutes(ROUTES, deps),
    headers: OPENSTACK_HEADERS,
    writeError: (failure) => writeFault(faultOf(failure), failure),
  };
}
