/** For tests: the whole program over the fake API server, with two accounts, flavors, images and the public network; and a caller. */
import {
  ACCOUNT,
  API_VERSION,
  FLAVOR,
  IMAGE,
  NETWORK,
  PUBLIC_NETWORK,
  SERVER,
  SYSTEM_NAMESPACE,
  type Account,
  type Flavor,
  type Image,
  type Server,
  type ServerSpec,
  type ServerStatus,
} from '../../crds/index.ts';
import {hashToken} from '../../crds/rules/credentials.ts';
import {systemClock} from '../../kube/clock.ts';
import {silentLogger} from '../../kube/log.ts';
import {startFakeApiServer, type FakeApiServer} from '../../kube/testing/fake-api-server.ts';
import {until} from '../../kube/testing/until.ts';
import {SECRET} from '../../kube/types.ts';
import {readConfig} from '../config.ts';
import type {AuthLimits} from '../http/authenticator.ts';
import {createHttpMetrics} from '../http/metrics.ts';
import {startProgram, type Program} from '../program.ts';
import {cheapHash} from './cheap-hash.ts';

/** An account of the harness with its credentials in the clear. */
export interface TestAccount {
  readonly name: string;
  readonly uuid: string;
  readonly email: string;
  readonly password: string;
  readonly token: string;
  readonly apiKey: string;
  readonly project: string;
  readonly roles: readonly ('inventory' | 'tenant' | 'nodepool' | 'admin')[];
}

/** Has every role. */
export const DEMO: TestAccount = {
  name: 'demo',
  uuid: '11111111-1111-4111-8111-111111111111',
  email: 'demo@example.org',
  password: 'demo:pass word',
  token: 'demo-token-0123456789',
  apiKey: 'demo-api-key-0123456789',
  project: '1',
  roles: ['inventory', 'tenant', 'nodepool', 'admin'],
};

/** For isolation. */
export const OTHER: TestAccount = {
  name: 'other',
  uuid: '22222222-2222-4222-8222-222222222222',
  email: 'Other@example.org',
  password: 'other-password',
  token: 'other-token-0123456789',
  apiKey: 'other-api-key-0123456789',
  project: '2',
  roles: ['inventory', 'tenant'],
};

/** A request of a test. `json` sets body and Content-Type; `basic` is `user:password`. */
export interface Call {
  readonly token?: string;
  readonly basic?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly body?: string | Buffer;
}

/** An answer: status, headers, text, and the text as JSON. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Throws when the text is not JSON. */
  json<T = Record<string, never>>(): T;
}

/** A running program over a fake cluster. */
export interface Harness {
  readonly fake: FakeApiServer;
  readonly program: Program;
  call(method: string, path: string, call?: Call): Promise<Reply>;
  /** The same at the CloudSigma root. */
  callRoot(method: string, path: string, call?: Call): Promise<Reply>;
  /** Puts a server into the cluster and waits until the program sees it. */
  putServer(server: {
    readonly name: string;
    readonly account?: TestAccount;
    readonly spec?: Partial<ServerSpec>;
    readonly status?: ServerStatus;
  }): Promise<Server>;
  stop(): Promise<void>;
}

/** Name of the namespace of an account. */
export const namespaceOf = ({name}: TestAccount): string => `acct-${name}`;

/** Starts it; takes about 100 ms. */
export async function startHarness({authLimits}: {readonly authLimits?: AuthLimits} = {}): Promise<Harness> {
  const fake = await startFakeApiServer();
  seed(fake);
  const config = readConfig({
    BASALT_LISTEN: '127.0.0.1:0',
    BASALT_CLOUDSIGMA_LISTEN: '127.0.0.1:0',
    BASALT_METRICS_LISTEN: '127.0.0.1:0',
  });
  const program = await startProgram({
    config,
    client: fake.client({fieldManager: 'basalt-api-server'}),
    clock: systemClock,
    log: silentLogger,
    metrics: createHttpMetrics({defaults: false}),
    ...(authLimits === undefined ? {} : {authLimits}),
  });
  let nextId = 1000;
  return {
    fake,
    program,
    call: (method, path, call) => request(program.main.url + path, method, call),
    callRoot: (method, path, call) => request(program.cloudSigma.url + path, method, call),
    async putServer({name, account = DEMO, spec, status}) {
      nextId += 1;
      const put = fake.put(SERVER, {
        apiVersion: API_VERSION,
        kind: 'Server',
        metadata: {name, namespace: namespaceOf(account), generation: 1, creationTimestamp: '2026-01-01T00:00:00Z'},
        spec: {
          id: nextId,
          name,
          flavor: 'small',
          image: {namespace: SYSTEM_NAMESPACE, name: 'tiny'},
          powerState: 'Running',
          ...spec,
        } as ServerSpec,
        ...(status === undefined ? {} : {status}),
      } as Server);
      const version = put.metadata.resourceVersion;
      return until(`server ${name} in the cache`, () => {
        const seen = program.store.servers.get({namespace: namespaceOf(account), name});
        return seen?.metadata.resourceVersion === version ? seen : undefined;
      });
    },
    async stop() {
      await program.stop();
      await fake.close();
    },
  };
}

function seed(fake: FakeApiServer): void {
  for (const account of [DEMO, OTHER]) {
    const {name, uuid, email, roles, project} = account;
    fake.put(ACCOUNT, {
      apiVersion: API_VERSION,
      kind: 'Account',
      metadata: {name},
      spec: {email, roles, projectId: project, profile: {firstName: 'Test'}},
      status: {uuid, namespace: namespaceOf(account)},
    } as unknown as Account);
    const data = {
      'password.hash': cheapHash(account.password),
      'token.hash': hashToken(account.token),
      'api-key.hash': hashToken(account.apiKey),
    };
    fake.put(SECRET, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {name: `${name}-credentials`, namespace: SYSTEM_NAMESPACE, labels: {'basalt.dev/account': name}},
      data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
    });
  }
  const flavor = (name: string, spec: Partial<Flavor['spec']>): void => {
    fake.put(FLAVOR, {
      apiVersion: API_VERSION,
      kind: 'Flavor',
      metadata: {name},
      spec: {name, vcpus: 1, memoryMiB: 512, diskGiB: 5, ...spec},
    } as Flavor);
  };
  flavor('small', {id: 1});
  flavor('medium', {id: 2, vcpus: 2, memoryMiB: 2048, diskGiB: 20});
  flavor('secret', {id: 3, visibility: 'Restricted', projects: ['other']});
  flavor('granted', {id: 4, visibility: 'Restricted', projects: ['demo']});
  flavor('retired', {id: 5, creation: 'Denied'});
  const image = (name: string, namespace: string, spec: Partial<Image['spec']>, uuid: string): void => {
    fake.put(IMAGE, {
      apiVersion: API_VERSION,
      kind: 'Image',
      metadata: {name, namespace, creationTimestamp: '2026-01-01T00:00:00Z'},
      spec: {name, source: {http: {url: 'http://127.0.0.1/x.raw'}}, ...spec},
      status: {uuid, phase: 'Ready', progressPercent: 100, sizeBytes: 1_048_576},
    } as Image);
  };
  image(
    'tiny',
    SYSTEM_NAMESPACE,
    {
      id: 1,
      visibility: 'Public',
      metadata: [
        {key: 'OS', value: 'debian'},
        {key: 'USERS', value: 'root'},
      ],
    },
    IMAGE_TINY,
  );
  image('mine', namespaceOf(DEMO), {id: 2}, IMAGE_MINE);
  image('theirs', namespaceOf(OTHER), {id: 3}, IMAGE_THEIRS);
  fake.put(NETWORK, {
    apiVersion: API_VERSION,
    kind: 'Network',
    metadata: {name: PUBLIC_NETWORK, namespace: SYSTEM_NAMESPACE},
    spec: {id: 1, name: 'public', type: 'Public', cidr: '10.0.0.0/24'},
  } as never);
}

/** Public, in the system namespace, with metadata OS and USERS. */
export const IMAGE_TINY = 'aaaaaaaa-0000-4000-8000-000000000001';
/** The demo account's. */
export const IMAGE_MINE = 'aaaaaaaa-0000-4000-8000-000000000002';
/** The other account's. */
export const IMAGE_THEIRS = 'aaaaaaaa-0000-4000-8000-000000000003';

async function request(url: string, method: string, {token, basic, headers, json, body}: Call = {}): Promise<Reply> {
  const sent: Record<string, string> = {...headers};
  if (token !== undefined) sent['x-auth-token'] = token;
  if (basic !== undefined) sent['authorization'] = `Basic ${Buffer.from(basic).toString('base64')}`;
  if (json !== undefined) sent['content-type'] ??= 'application/json';
  const payload = json === undefined ? body : JSON.stringify(json);
  const response = await fetch(url, {
    method,
    headers: sent,
    ...(payload === undefined ? {} : {body: payload as string}),
    redirect: 'manual',
  });
  const text = await response.text();
  return {status: response.status, headers: response.headers, text, json: <T>() => JSON.parse(text) as T};
}
