/**
 * One REST API alone: the real listener, authentication and store over the fake API server, with the accounts that a test names. The
 * conformance tests of an API need nothing of the others (harness.ts starts the whole program).
 */
import {ACCOUNT, API_VERSION, SYSTEM_NAMESPACE, accountNamespace, credentialsSecretName, type Account} from '../../crds/index.ts';
import {systemClock} from '../../kube/clock.ts';
import {silentLogger} from '../../kube/log.ts';
import {startFakeApiServer, type FakeApiServer} from '../../kube/testing/fake-api-server.ts';
import {SECRET, type Secret} from '../../kube/types.ts';
import {createApp} from '../http/app.ts';
import {createAuthenticator} from '../http/authenticator.ts';
import {listen} from '../http/listeners.ts';
import {createHttpMetrics} from '../http/metrics.ts';
import {createTokenService} from '../http/tokens.ts';
import type {ApiModule, ModuleDeps} from '../http/types.ts';
import {createStore, type RunningStore} from '../store/store.ts';

/** An account that exists from the start. */
export interface ModuleAccount {
  readonly name: string;
  readonly roles: NonNullable<Account['spec']['roles']>;
  readonly projectId?: string;
  readonly profile?: NonNullable<Account['spec']['profile']>;
}

/** An answer, read whole. */
export interface TestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; throws when it is none. */
  json(): unknown;
}

/** What a request sends beside its verb and path. */
export interface TestRequest {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A running listener with everything behind it. */
export interface ModuleHarness {
  readonly url: string;
  readonly fake: FakeApiServer;
  readonly store: RunningStore;
  request(method: string, path: string, request?: TestRequest): Promise<TestAnswer>;
  close(): Promise<void>;
}

/** Password of every {@link ModuleAccount}; a colon in it must do no harm. */
export const PASSWORD = 'open:sesame';

/** The Authorization header of an account, by its e-mail address. */
export function basic(name: string, password: string = PASSWORD): Record<string, string> {
  return {authorization: `Basic ${Buffer.from(`${name}@example.com:${password}`).toString('base64')}`};
}

/** The api key of an account. */
export const apiKeyOf = (name: string): string => `key-of-${name}`;

function putAccount(fake: FakeApiServer, {name, roles, projectId, profile}: ModuleAccount): void {
  const spec = {
    email: `${name}@example.com`,
    roles,
    ...(projectId === undefined ? {} : {projectId}),
    ...(profile === undefined ? {} : {profile}),
  };
  const status = {namespace: accountNamespace(name), phase: 'Active' as const};
  fake.put<Account>(ACCOUNT, {apiVersion: API_VERSION, kind: 'Account', metadata: {name}, spec, status});
  // In the clear, as a person writes them: until the operator has hashed them they count as they are.
  const clear = {password: PASSWORD, 'api-key': apiKeyOf(name)};
  const data = Object.fromEntries(Object.entries(clear).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
  const metadata = {namespace: SYSTEM_NAMESPACE, name: credentialsSecretName(name), labels: {'basalt.dev/account': name}};
  fake.put<Secret>(SECRET, {apiVersion: 'v1', kind: 'Secret', metadata, data});
}

/** Options of {@link startModules}. */
export interface ModuleHarnessOptions {
  readonly accounts: readonly ModuleAccount[];
  readonly modules: (deps: ModuleDeps) => readonly ApiModule[];
  /** Puts into the cluster what should be there before the caches are filled. */
  readonly seed?: (fake: FakeApiServer) => void;
}

/** Starts everything; takes about 100 ms. */
export async function startModules({accounts, modules, seed}: ModuleHarnessOptions): Promise<ModuleHarness> {
  const fake = await startFakeApiServer();
  for (const account of accounts) putAccount(fake, account);
  seed?.(fake);
  const clock = systemClock;
  const log = silentLogger;
  const client = fake.client({fieldManager: 'basalt-api-server'});
  const store = createStore({client, clock, log, systemNamespace: SYSTEM_NAMESPACE});
  const stop = new AbortController();
  store.start(stop.signal);
  await store.waitForSync(AbortSignal.timeout(10_000));
  const config = {systemNamespace: SYSTEM_NAMESPACE, regionName: 'default', nodepoolPublicReads: true};
  const metrics = createHttpMetrics({defaults: false});
  const tokens = createTokenService({key: Buffer.alloc(32, 7), clock, lifetimeMs: 3_600_000});
  const authenticator = createAuthenticator({credentials: store.credentials, tokens, clock});
  const app = createApp(modules({store, clock, log, config}), {authenticator, metrics, clock, log, shutdown: stop.signal});
  const listener = await listen({address: {host: '127.0.0.1', port: 0}, app, ready: () => undefined, metrics, log});
  return {
    url: listener.url,
    fake,
    store,
    async request(method, path, {headers = {}, body} = {}) {
      const response = await fetch(listener.url + path, {
        method,
        headers,
        ...(body === undefined ? {} : {body}),
        signal: AbortSignal.timeout(20_000),
      });
      const text = await response.text();
      return {status: response.status, headers: response.headers, text, json: (): unknown => JSON.parse(text)};
    },
    async close() {
      stop.abort();
      listener.server.closeAllConnections();
      await new Promise<void>((resolve) => {
        listener.server.close(() => resolve());
      });
      await fake.close();
    },
  };
}
