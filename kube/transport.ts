/**
 * The cluster client: `KubeClient` over pooled connections. Plain JSON in and out, no generated models (those drop fields newer than
 * themselves). client-node is used for kubeconfig, tokens and certificates only.
 */
import type {KubeConfig} from '@kubernetes/client-node';
import type {CallOptions, DeleteOptions, KubeClient, ListOptions, RawResponse, WatchOptions, WriteOptions} from './client.ts';
import {Caller} from './caller.ts';
import type {Answer, TransportMetrics} from './caller.ts';
import {systemClock} from './clock.ts';
import type {Clock} from './clock.ts';
import {ConnectionPools} from './connections.ts';
import {createCredentialSource} from './credentials.ts';
import {ApiError} from './errors.ts';
import {silentLogger} from './log.ts';
import type {Logger} from './log.ts';
import {apiVersionOf, refOfObject} from './objects.ts';
import type {AnyObject, KubeObject, List, Ref, ResourceType, WatchEvent} from './objects.ts';
import {collectionPath, listQuery, objectPath, requireNamespace, watchQuery, writeQuery} from './paths.ts';
import type {ResourcePlace} from './paths.ts';
import {DEFAULT_RETRY} from './retry.ts';
import type {RetryPolicy} from './retry.ts';
import {Semaphore} from './semaphore.ts';
import {decodeWatch} from './watch-stream.ts';

export type {TransportMetrics} from './caller.ts';

/** Options of {@link createClient}. */
export interface ClientOptions {
  readonly kubeConfig: KubeConfig;
  /** `component/version`, as the server's audit log shows it. */
  readonly userAgent: string;
  /** Field manager of writes that name none. */
  readonly fieldManager: string;
  readonly metrics?: TransportMetrics | undefined;
  /** Sockets for calls, which is also how many run at once. Default 32. */
  readonly connections?: number;
  readonly log?: Logger;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly retry?: Partial<RetryPolicy>;
}

const UNARY_TIMEOUT_MS = 30_000;
const LIST_TIMEOUT_MS = 60_000;
/** A watch answers with its headers at once, however quiet it is. */
const WATCH_OPEN_TIMEOUT_MS = 30_000;
/** Calls that may wait for a socket; beyond that something is wrong and more memory does not help. */
const LONGEST_LINE = 10_000;

const JSON_TYPE = 'application/json';
const MERGE_PATCH_TYPE = 'application/merge-patch+json';
const JSON_PATCH_TYPE = 'application/json-patch+json';
const APPLY_PATCH_TYPE = 'application/apply-patch+yaml';

/** Makes a client of the current cluster of `kubeConfig`. Opens nothing before the first call. */
export function createClient(options: ClientOptions): KubeClient {
  const {connections = 32, clock = systemClock, log = silentLogger, random = Math.random} = options;
  const pools = new ConnectionPools(connections);
  const caller = new Caller({
    clock,
    log,
    random,
    pools,
    credentials: createCredentialSource(options.kubeConfig, clock),
    places: new Semaphore(connections, LONGEST_LINE),
    retry: {...DEFAULT_RETRY, ...options.retry},
    metrics: options.metrics,
    userAgent: options.userAgent,
  });
  return new TransportClient(caller, pools, clock, options.fieldManager);
}

interface Shape {
  readonly verb: string;
  readonly method: string;
  readonly path: string;
  readonly idempotent: boolean;
  readonly body?: unknown;
  readonly contentType?: string;
}

class TransportClient implements KubeClient {
  readonly #caller: Caller;
  readonly #pools: ConnectionPools;
  readonly #clock: Clock;
  readonly #fieldManager: string;

  constructor(caller: Caller, pools: ConnectionPools, clock: Clock, fieldManager: string) {
    this.#caller = caller;
    this.#pools = pools;
    this.#clock = clock;
    this.#fieldManager = fieldManager;
  }

  async get<T extends KubeObject>(type: ResourceType<T>, ref: Ref, options: CallOptions = {}): Promise<T> {
    return this.#call<T>(type, {verb: 'get', method: 'GET', path: objectPath(type, ref), idempotent: true}, options);
  }

  async list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions = {}): Promise<List<T>> {
    const path = collectionPath(type, options.namespace) + listQuery(options);
    const page = await this.#call<ListPage<T>>(
      type,
      {verb: 'list', method: 'GET', path, idempotent: true},
      {timeoutMs: LIST_TIMEOUT_MS, ...options},
    );
    // The server leaves these out on items of built-in kinds; whoever gets an object must not have to know from where.
    const apiVersion = apiVersionOf(type);
    const items = (page.items ?? []).map((item) => (item.kind === undefined ? {...item, apiVersion, kind: type.kind} : item));
    const {resourceVersion = '', remainingItemCount} = page.metadata ?? {};
    const next = page.metadata?.continue;
    return {
      items,
      resourceVersion,
      ...(next === undefined || next === '' ? {} : {continue: next}),
      ...(remainingItemCount === undefined ? {} : {remainingItemCount}),
    };
  }

  async create<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const {name, namespace} = object.metadata;
    requireNamespace(type, namespace);
    const collection = collectionPath(type, namespace);
    const path = options.subresource === undefined ? collection : `${collection}/${encodeURIComponent(name)}/${options.subresource}`;
    return this.#write<T>(type, {verb: 'create', method: 'POST', path, idempotent: false, body: object, contentType: JSON_TYPE}, options);
  }

  async replace<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const path = objectPath(type, refOfObject(object), options.subresource);
    return this.#write<T>(type, {verb: 'update', method: 'PUT', path, idempotent: true, body: object, contentType: JSON_TYPE}, options);
  }

  async mergePatch<T extends KubeObject>(type: ResourceType<T>, ref: Ref, patch: object, options: WriteOptions = {}): Promise<T> {
    return this.#patch<T>(type, ref, patch, MERGE_PATCH_TYPE, false, options);
  }

  async jsonPatch<T extends KubeObject>(
    type: ResourceType<T>,
    ref: Ref,
    operations: readonly object[],
    options: WriteOptions = {},
  ): Promise<T> {
    return this.#patch<T>(type, ref, operations, JSON_PATCH_TYPE, false, options);
  }

  async apply<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions & {readonly force?: boolean} = {}): Promise<T> {
    return this.#patch<T>(type, refOfObject(object), object, APPLY_PATCH_TYPE, true, options);
  }

  async delete<T extends KubeObject>(type: ResourceType<T>, ref: Ref, options: DeleteOptions = {}): Promise<T | AnyObject> {
    const {propagationPolicy, gracePeriodSeconds, preconditions} = options;
    const body = {apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy, gracePeriodSeconds, preconditions};
    const shape = {verb: 'delete', method: 'DELETE', path: objectPath(type, ref), idempotent: true, body, contentType: JSON_TYPE};
    return this.#call<T | AnyObject>(type, shape, options);
  }

  async *watch<T extends KubeObject>(type: ResourceType<T>, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    const call = {verb: 'watch', resource: type.plural};
    const path = collectionPath(type, options.namespace) + watchQuery(options);
    const cut = new AbortController();
    const onAbort = (): void => cut.abort(options.signal?.reason);
    if (options.signal?.aborted === true) onAbort();
    else options.signal?.addEventListener('abort', onAbort, {once: true});
    try {
      const outgoing = {...call, method: 'GET', path, headers: {}, idempotent: true, timeoutMs: WATCH_OPEN_TIMEOUT_MS};
      const body = await this.#caller.open(outgoing, cut.signal);
      const {signal, idleTimeoutMs} = options;
      yield* decodeWatch<T>(call, body, {clock: this.#clock, idleTimeoutMs, signal, cut: (reason) => cut.abort(reason)});
    } finally {
      options.signal?.removeEventListener('abort', onAbort);
      cut.abort(new Error('the reader of this watch has left'));
    }
  }

  async raw(
    method: string,
    path: string,
    options: CallOptions & {
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
      readonly acceptErrors?: boolean;
    } = {},
  ): Promise<RawResponse> {
    const {body, acceptErrors = false} = options;
    const isBytes = typeof body === 'string' || Buffer.isBuffer(body);
    const resource = path.split('?', 1)[0] ?? path;
    const answer = await this.#caller.send({
      verb: method.toLowerCase(),
      resource,
      method,
      path,
      headers: {...(body === undefined ? {} : {'content-type': JSON_TYPE}), ...options.headers},
      ...(body === undefined ? {} : {body: isBytes ? body : JSON.stringify(body)}),
      idempotent: ['GET', 'HEAD', 'PUT', 'DELETE'].includes(method),
      timeoutMs: options.timeoutMs ?? UNARY_TIMEOUT_MS,
      signal: options.signal,
      maxRetries: options.maxRetries,
      acceptErrors,
    });
    return {status: answer.status, headers: plainHeaders(answer), body: answer.body};
  }

  close(): Promise<void> {
    return this.#pools.close();
  }

  #patch<T extends KubeObject>(
    type: ResourceType<T>,
    ref: Ref,
    body: object,
    contentType: string,
    idempotent: boolean,
    options: WriteOptions & {readonly force?: boolean},
  ): Promise<T> {
    const path = objectPath(type, ref, options.subresource);
    return this.#write<T>(
      type,
      {verb: contentType === APPLY_PATCH_TYPE ? 'apply' : 'patch', method: 'PATCH', path, idempotent, body, contentType},
      options,
    );
  }

  #write<T>(type: ResourcePlace, shape: Shape, options: WriteOptions & {readonly force?: boolean}): Promise<T> {
    return this.#call<T>(type, {...shape, path: shape.path + writeQuery(options, this.#fieldManager)}, options);
  }

  async #call<T>(type: ResourcePlace, shape: Shape, options: CallOptions): Promise<T> {
    const {verb, method, path, idempotent, body, contentType} = shape;
    const answer = await this.#caller.send({
      verb,
      resource: type.plural,
      method,
      path,
      headers: contentType === undefined ? {} : {'content-type': contentType},
      ...(body === undefined ? {} : {body: JSON.stringify(body)}),
      idempotent,
      timeoutMs: options.timeoutMs ?? UNARY_TIMEOUT_MS,
      signal: options.signal,
      maxRetries: options.maxRetries,
    });
    return parseAnswer<T>(answer, verb, type.plural);
  }
}

interface ListPage<T> {
  readonly items?: readonly T[] | null;
  readonly metadata?: {readonly resourceVersion?: string; readonly continue?: string; readonly remainingItemCount?: number};
}

function parseAnswer<T>(answer: Answer, verb: string, resource: string): T {
  try {
    return JSON.parse(answer.body.toString()) as T;
  } catch (cause) {
    throw new ApiError({
      verb,
      resource,
      status: 0,
      reason: 'MalformedAnswer',
      message: `${verb} ${resource}: the answer is no JSON`,
      cause,
    });
  }
}

function plainHeaders(answer: Answer): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}
