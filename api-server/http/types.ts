/**
 * What one REST API looks like to the listener. An `ApiModule` is data (a route table) plus one error writer; nothing in it knows
 * Express. Handlers are `(input, deps) => answer` and throw `Failure` (failure.ts) for everything that is not a success.
 */
import type {IncomingHttpHeaders} from 'node:http';
import type {Readable} from 'node:stream';
import type {Account} from '../../crds/index.ts';
import type {Clock} from '../../kube/clock.ts';
import type {Logger} from '../../kube/log.ts';
import type {Store} from '../store/types.ts';
import type {Failure} from './failure.ts';

/** What an account may do: `Account.spec.roles`. `admin` implies every other role. */
export type Role = 'inventory' | 'tenant' | 'nodepool' | 'admin';

/**
 * Ways to show who you are. `basic`: Authorization header. `token`: `X-Auth-Token` (issued or static; also the query argument of that
 * name). `api-key`: header `api_key`. `triple`: `X-Auth-User`, `X-Auth-Project` and `X-Auth-Token` (an api key or password) together.
 */
export type AuthScheme = 'basic' | 'token' | 'api-key' | 'triple';

/** Who calls: the account that the credentials proved. */
export interface Caller {
  /** `Account.metadata.name`: also the OpenStack tenant name and user name. */
  readonly name: string;
  /** `Account.status.uuid` (before the operator has seen it: its uid): OpenStack user and tenant id, CloudSigma `user`. */
  readonly uuid: string;
  readonly email: string;
  /** As granted, `admin` not expanded: ask with {@link hasRole}. */
  readonly roles: readonly Role[];
  /** Namespace of everything the account owns (`acct-<name>`). */
  readonly namespace: string;
  /** Craton project: that of the triple, else of the account; undefined when neither names one. */
  readonly projectId: string | undefined;
  readonly scheme: AuthScheme;
  /** The account as the cache has it. Read-only. */
  readonly account: Account;
}

/** Whether the caller has the role, or is admin. */
export function hasRole(caller: Pick<Caller, 'roles'>, role: Role): boolean {
  return caller.roles.includes(role) || caller.roles.includes('admin');
}

/** The body of a request, read whole within the route's limit. The parsers throw `Failure` `bad-body`. */
export interface RequestBody {
  /** Zero-length when there was none. */
  readonly raw: Buffer;
  /** Lower-cased media type without parameters; `''` when no Content-Type was sent. */
  readonly mediaType: string;
  /** As UTF-8. */
  text(): string;
  /** As JSON, whatever the media type says; an empty body is a `bad-body` failure. */
  json(): unknown;
  /** Fields of a form: urlencoded or multipart (text parts only). */
  form(): URLSearchParams;
}

/** What a handler of a public route gets. */
export interface PublicInput {
  readonly method: string;
  /** Where the module is mounted: `/v1`, `/compute/v2.0`, `''` at a root. */
  readonly mount: string;
  /** Path below the mount as the routes spell it (still percent-encoded), beginning with `/`, or `''`. */
  readonly path: string;
  /** Path below the mount as it was sent, before `rewrite`. */
  readonly rawPath: string;
  /** Values of the template's placeholders, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** Repeated arguments are kept (`getAll`). */
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: RequestBody;
  /** Only on a route with `body: 'stream'`: the body as it comes; `body.raw` is empty then. */
  readonly stream: Readable | undefined;
  /** Scheme and host that the client used (or the configured public URL): `http://127.0.0.1:8080`, without a final slash. */
  readonly origin: string;
  /** `origin` + `mount`. */
  readonly baseUrl: string;
  readonly requestId: string;
  /** Aborts when the client goes away, the deadline of the route passes, or the server shuts down hard. */
  readonly signal: AbortSignal;
  /** When the route's deadline passes, in `clock.monotonicMs()` terms. */
  readonly deadlineMs: number;
  readonly log: Logger;
  /** Remote address of the connection. */
  readonly address: string;
}

/** What a handler behind authentication gets. */
export interface Input extends PublicInput {
  readonly caller: Caller;
}

/** An answer. An object or array body is sent as JSON; a string as UTF-8; `undefined` as zero bytes. */
export interface Answer {
  readonly status: number;
  /** Lower-case names. A missing `content-type` is chosen by the module's `contentType`. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Buffer | string | Readable | object | null;
}

/** A handler with its collaborators as second argument, so that a test can call it. */
export type Handler<I extends PublicInput, D> = (input: I, deps: D) => Promise<Answer> | Answer;

interface RouteBase {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
  /** Below the mount, placeholders in braces: `/servers/{id}/metadata/{key}`. A literal segment wins over a placeholder. */
  readonly path: string;
  /** Largest body in bytes; default 1 MiB. Above: `payload-too-large`. */
  readonly bodyLimitBytes?: number;
  /** Default `buffer`. */
  readonly body?: 'buffer' | 'stream';
  /** Deadline of the whole request in milliseconds; default 60,000. */
  readonly deadlineMs?: number;
  /** Answers `not-implemented`: listed in docs/reference/open-operations.txt. */
  readonly open?: true;
}

/** One operation. `public`: no credentials are looked at. Otherwise the caller must have one of `roles` (default: any account). */
export type RouteOf<D> =
  | (RouteBase & {readonly auth: 'public'; readonly handler: Handler<PublicInput, D>})
  | (RouteBase & {readonly auth?: 'account'; readonly roles?: readonly Role[]; readonly handler: Handler<Input, D>});

/** A route whose collaborators are bound. */
export type Route = RouteOf<void>;

/** Binds the collaborators of a table: what `createXModule(deps)` does with its routes. */
export function bindRoutes<D>(table: readonly RouteOf<D>[], deps: D): readonly Route[] {
  return table.map((route): Route =>
    route.auth === 'public'
      ? {...route, handler: (input: PublicInput) => route.handler(input, deps)}
      : {...route, auth: 'account', handler: (input) => route.handler(input, deps)},
  );
}

/** The table with the roles on every route that is behind authentication and names none. */
export function requireRoles<D>(table: readonly RouteOf<D>[], roles: readonly Role[]): readonly RouteOf<D>[] {
  return table.map((route) => (route.auth === 'public' || route.roles !== undefined ? route : {...route, roles}));
}

/** What an error writer may look at. `caller` and parameters are unknown when authentication or routing failed. */
export interface FailedRequest {
  readonly method: string;
  readonly mount: string;
  /** As sent, below the mount. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly requestId: string;
}

/** One REST API. */
export interface ApiModule {
  /** Label of metrics and logs: craton, nodepool, cloudsigma, cyclades, identity. */
  readonly name: string;
  /** Where it is served: `['/v1']`; `''` is the root of a listener. The same routes answer on every mount. */
  readonly mounts: readonly string[];
  readonly routes: readonly Route[];
  /** Schemes that are accepted, in the order tried. */
  readonly schemes: readonly AuthScheme[];
  /**
   * First path segments that are this API's, where two share a mount: an unknown path below one of them is answered by this module.
   * Absent: everything below the mount that no other module claims.
   */
  readonly collections?: readonly string[];
  /** Whether `/servers/` means `/servers` (default true); `exceptFor` sees the path with its slash. */
  readonly trailingSlash?: (path: string) => boolean;
  /** Changes the path before routing (`/servers.xml`, `/guests/…`); default: none. */
  readonly rewrite?: (path: string) => string;
  /** Content type of an answer that names none; default `application/json`. */
  readonly contentType?: string;
  /** Headers that every answer of this API carries, errors included. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Renders a failure (unknown path, wrong verb, missing credentials, handler errors) in the API's documented format. */
  writeError(failure: Failure, request: FailedRequest): Answer;
}

/** Settings that modules need. */
export interface ModuleConfig {
  /** Namespace of public images and networks, credentials and counters: `basalt-system`. */
  readonly systemNamespace: string;
  /** Region name in the identity catalogue; default `default`. */
  readonly regionName: string;
  /** Whether Nodepool's reads need no credentials; default true. */
  readonly nodepoolPublicReads: boolean;
}

/** Collaborators of every `createXModule`. */
export interface ModuleDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly config: ModuleConfig;
}
