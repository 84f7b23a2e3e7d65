/**
 * A small API server for tests: real HTTP, any kind by its URL, with faults to be switched on. It has resourceVersions, 409s, the status
 * subresource, patches, a simple apply, selectors, paging, watches and finalizers. It validates nothing and runs no admission: that is the
 * real control plane's part (test/cluster/).
 */
import {createServer} from 'node:http';
import type {IncomingMessage, ServerResponse} from 'node:http';
import type {AddressInfo, Socket} from 'node:net';
import type {KubeConfig} from '@kubernetes/client-node';
import type {KubeClient} from '../client.ts';
import type {KubeObject, Ref, ResourceType} from '../objects.ts';
import {createClient} from '../transport.ts';
import type {ClientOptions} from '../transport.ts';
import {fakeKubeConfig} from './fake-kube-config.ts';
import {Faults} from './fake-faults.ts';
import type {Fault} from './fake-faults.ts';
import {FakeStatusError, statusOf} from './fake-objects.ts';
import type {FakeObject} from './fake-objects.ts';
import {collectionOf, parsePath} from './fake-route.ts';
import type {DiscoveryRoute} from './fake-route.ts';
import {FakeStore} from './fake-store.ts';
import {FakeVerbs} from './fake-verbs.ts';
import {startWatch} from './fake-watch.ts';
import type {FakeWatch} from './fake-watch.ts';

/** Options of {@link startFakeApiServer}. */
export interface FakeApiServerOptions {
  /** Kinds that are served; others are 404. Absent: any kind is. */
  readonly types?: readonly Omit<ResourceType, '__shape'>[];
  /** Plurals whose status is a plain field of the object. */
  readonly withoutStatusSubresource?: readonly string[];
  /** Deletes what an ownerReference ties to a deleted object. Default false. */
  readonly collectGarbage?: boolean;
  /** Time of timestamps; default the machine's. */
  readonly now?: () => number;
}

/** A request as it came. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
  /** Of the answer; 0 when none was sent. */
  status: number;
}

/** An answer of a test's own, see {@link FakeApiServer.on}. `headers` beside `content-type: application/json`. */
export interface CustomAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A running fake. */
export interface FakeApiServer {
  readonly url: string;
  readonly faults: Faults;
  /** Every request so far, faults included. */
  readonly requests: RecordedRequest[];
  /** How many POST, PUT, PATCH and DELETE requests were answered with success (dry runs aside). */
  readonly writes: number;
  /** How many TCP connections were opened. */
  readonly connections: number;
  /** Open watches, oldest first. */
  readonly watches: readonly FakeWatch[];
  /** A client of it; it closes with the server. */
  client(options?: Partial<ClientOptions>): KubeClient;
  /** A light stand-in (kube/testing/fake-kube-config.ts). */
  kubeConfig(): KubeConfig;
  /** All objects of a kind. */
  objects<T extends KubeObject>(type: ResourceType<T>, namespace?: string): readonly T[];
  object<T extends KubeObject>(type: ResourceType<T>, ref: Ref): T | undefined;
  /** Stores an object as it is, status included, past all rules; watches see it. Returns it with uid and resourceVersion. */
  put<T extends KubeObject>(type: ResourceType<T>, object: T): T;
  /** Removes an object, past finalizers. */
  remove(type: Omit<ResourceType, '__shape'>, ref: Ref): void;
  /** Forgets the history: older resourceVersions and continue tokens get 410. */
  compact(): void;
  /** Sends a bookmark on every watch. */
  bookmark(): void;
  endWatches(how: 'close' | 'reset'): void;
  /** Answers matching requests (path without query) in place of the store, for subresources and other odd paths. */
  on(method: string, path: RegExp, answer: (request: RecordedRequest) => CustomAnswer): void;
  close(): Promise<void>;
}

/** Starts a fake on a free port of 127.0.0.1. */
export async function startFakeApiServer(options: FakeApiServerOptions = {}): Promise<FakeApiServer> {
  const fake = new Fake(options);
  await fake.listen();
  return fake;
}

class Fake implements FakeApiServer {
  readonly faults = new Faults();
  readonly requests: RecordedRequest[] = [];
  readonly watches: FakeWatch[] = [];
  writes = 0;
  connections = 0;
  url = '';
  readonly #options: FakeApiServerOptions;
  readonly #store: FakeStore;
  readonly #verbs: FakeVerbs;
  readonly #sockets = new Set<Socket>();
  readonly #clients: KubeClient[] = [];
  readonly #custom: {readonly method: string; readonly path: RegExp; readonly answer: (request: RecordedRequest) => CustomAnswer}[] = [];
  readonly #server = createServer((request, response) => {
    void this.#serve(request, response);
  });

  constructor(options: FakeApiServerOptions) {
    this.#options = options;
    this.#store = new FakeStore({collectGarbage: options.collectGarbage === true, now: options.now ?? Date.now});
    this.#verbs = new FakeVerbs(this.#store, options.withoutStatusSubresource ?? []);
  }

  async listen(): Promise<void> {
    this.#server.on('connection', (socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  client(options: Partial<ClientOptions> = {}): KubeClient {
    const client = createClient({kubeConfig: this.kubeConfig(), userAgent: 'test/0', fieldManager: 'test', ...options});
    this.#clients.push(client);
    return client;
  }

  kubeConfig(): KubeConfig {
    return fakeKubeConfig(this.url);
  }

  objects<T extends KubeObject>(type: ResourceType<T>, namespace?: string): readonly T[] {
    return this.#store.list(collectionOf(type), namespace, () => true) as unknown as readonly T[];
  }

  object<T extends KubeObject>(type: ResourceType<T>, ref: Ref): T | undefined {
    return this.#store.find(collectionOf(type), ref.namespace, ref.name) as unknown as T | undefined;
  }

  put<T extends KubeObject>(type: ResourceType<T>, object: T): T {
    return this.#store.put(collectionOf(type), structuredClone(object) as unknown as FakeObject) as unknown as T;
  }

  remove(type: Omit<ResourceType, '__shape'>, ref: Ref): void {
    const object = this.#store.require(collectionOf(type), ref.namespace, ref.name);
    this.#store.delete(collectionOf(type), {...object, metadata: {...object.metadata, finalizers: []}}, {});
  }

  compact(): void {
    this.#store.compact();
  }

  bookmark(): void {
    for (const watch of this.watches) watch.bookmark();
  }

  endWatches(how: 'close' | 'reset'): void {
    for (const watch of [...this.watches]) watch.end(how);
  }

  on(method: string, path: RegExp, answer: (request: RecordedRequest) => CustomAnswer): void {
    this.#custom.push({method, path, answer});
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = new Promise((resolve) => {
      this.#server.close(resolve);
    });
    await Promise.all([closed, ...this.#clients.map((client) => client.close())]);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // the client went away in the middle of its request: nobody to answer
    }
    const record: RecordedRequest = {
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: parseBody(Buffer.concat(chunks).toString()),
      status: 0,
    };
    this.requests.push(record);
    const fault = this.faults.take({method: record.method, path: record.path, watch: record.query.has('watch')});
    try {
      await this.#answer(record, response, fault);
    } catch (error) {
      const failure = error instanceof FakeStatusError ? error : new FakeStatusError(500, 'InternalError', String(error));
      this.#send(record, response, failure.code, statusOf(failure), failure.retryAfterSeconds);
    }
  }

  async #answer(record: RecordedRequest, response: ServerResponse, fault: Fault | undefined): Promise<void> {
    const watching = record.query.has('watch');
    switch (fault?.kind) {
      case 'slow':
        await new Promise((resolve) => {
          setTimeout(resolve, fault.ms);
        });
        break;
      case 'halfOpen':
        if (watching) response.writeHead(200, {'content-type': 'application/json'}).flushHeaders();
        return;
      case 'status': {
        const failure = new FakeStatusError(fault.code, fault.reason, `injected ${fault.code}`, fault.retryAfterSeconds);
        if (!fault.asEvent) throw failure;
        record.status = 200;
        response.writeHead(200, {'content-type': 'application/json'});
        response.end(`${JSON.stringify({type: 'ERROR', object: statusOf(failure)})}\n`);
        return;
      }
      case 'reset':
        if (fault.afterEffect) this.#run(record);
        response.socket?.resetAndDestroy();
        return;
      case undefined:
        break;
    }
    const custom = this.#custom.find(({method, path}) => method === record.method && path.test(record.path));
    if (custom !== undefined) {
      const {status, body, headers = {}} = custom.answer(record);
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      return this.#send(record, response, status, body);
    }
    if (['/readyz', '/livez', '/healthz'].includes(record.path)) {
      record.status = 200;
      response.end('ok');
      return;
    }
    if (watching) return this.#watch(record, response);
    const {code, body} = this.#run(record);
    this.#send(record, response, code, body);
  }

  #run(record: RecordedRequest): {readonly code: number; readonly body: object} {
    const route = parsePath(record.path);
    if (!('plural' in route)) return {code: 200, body: this.#discover(route)};
    this.#requireServed(route.group, route.plural);
    const {method, query, body} = record;
    const answer = this.#verbs.run({method, route, query, contentType: record.headers['content-type'] ?? '', body});
    if (method !== 'GET' && !query.has('dryRun')) this.writes++;
    return answer;
  }

  #watch(record: RecordedRequest, response: ServerResponse): void {
    const route = parsePath(record.path);
    if (!('plural' in route)) throw new FakeStatusError(404, 'NotFound', 'a watch needs a kind');
    this.#requireServed(route.group, route.plural);
    record.status = 200;
    const watch = startWatch(this.#store, route, record.query, response, () => {
      const at = this.watches.indexOf(watch);
      if (at >= 0) this.watches.splice(at, 1);
    });
    if (!response.writableEnded) this.watches.push(watch);
  }

  #requireServed(group: string, plural: string): void {
    const {types} = this.#options;
    if (types !== undefined && !types.some((type) => type.group === group && type.plural === plural)) {
      throw new FakeStatusError(404, 'NotFound', 'the server could not find the requested resource');
    }
  }

  #discover({group, version}: DiscoveryRoute): object {
    const types = (this.#options.types ?? []).filter((type) => type.group === group && type.version === version);
    if (types.length === 0) throw new FakeStatusError(404, 'NotFound', 'the server could not find the requested resource');
    const resources = types.map(({plural, kind, namespaced}) => ({
      name: plural,
      singularName: kind.toLowerCase(),
      namespaced,
      kind,
      verbs: ['get', 'list', 'watch'],
    }));
    return {kind: 'APIResourceList', apiVersion: 'v1', groupVersion: group === '' ? version : `${group}/${version}`, resources};
  }

  #send(record: RecordedRequest, response: ServerResponse, code: number, body: unknown, retryAfterSeconds?: number): void {
    record.status = code;
    if (retryAfterSeconds !== undefined) response.setHeader('retry-after', String(retryAfterSeconds));
    response.writeHead(code, {'content-type': 'application/json'});
    response.end(body === undefined ? '' : JSON.stringify(body));
  }
}

function parseBody(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text; // not JSON (a raw call): recorded as it came
  }
}
