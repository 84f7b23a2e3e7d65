/**
 * The verbs of a Kubernetes API server, each with its content type and its lock spelled out. `kube/transport.ts` implements it over a
 * connection pool; tests give it the address of the fake API server. Every method throws `ApiError` (kube/errors.ts) for an answer
 * that is not a success, and the signal's reason when it was aborted.
 */
import type {AnyObject, KubeObject, List, Ref, ResourceType, WatchEvent} from './objects.ts';

/** Options that every call takes. */
export interface CallOptions {
  /** Cancels the call; combined with the per-verb deadline. */
  readonly signal?: AbortSignal;
  /** Deadline of this call in milliseconds; the default depends on the verb (unary 30 s, list page 60 s). */
  readonly timeoutMs?: number;
  /** Tries after the first, for what is worth one (kube/retry.ts); default 4. 0 where a 429 is an answer, as in an eviction. */
  readonly maxRetries?: number;
}

/** Options of the verbs that write. */
export interface WriteOptions extends CallOptions {
  /** Name of the field manager; default: the client's own. */
  readonly fieldManager?: string;
  /** Writes to this subresource (`status`, `scale`) in place of the object. */
  readonly subresource?: string;
  /** Validate and admit without storing. */
  readonly dryRun?: boolean;
}

/** Options of a list. */
export interface ListOptions extends CallOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Page size; absent: the server's choice (everything). */
  readonly limit?: number;
  readonly continue?: string;
  /** `'0'` reads from the server's watch cache; absent: the newest state. */
  readonly resourceVersion?: string;
}

/** Options of a watch. */
export interface WatchOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion?: string;
  readonly timeoutSeconds?: number;
  /** Ends the stream with an error when nothing, not even a bookmark, arrives for so long. */
  readonly idleTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Options of a delete. */
export interface DeleteOptions extends CallOptions {
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: {readonly uid?: string; readonly resourceVersion?: string};
}

/** One operation of a JSON patch (RFC 6902). */
export interface JsonPatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'test';
  readonly path: string;
  readonly value?: unknown;
}

/** A raw answer: status and body as sent. */
export interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What may be written: an object without the fields that the server fills in. */
export type Writable<T extends KubeObject> = T;

/** A client of one API server. Safe for concurrent use. `close` ends its connections once running calls have ended. */
export interface KubeClient {
  get<T extends KubeObject>(type: ResourceType<T>, ref: Ref, options?: CallOptions): Promise<T>;
  /** One page. */
  list<T extends KubeObject>(type: ResourceType<T>, options?: ListOptions): Promise<List<T>>;
  create<T extends KubeObject>(type: ResourceType<T>, object: Writable<T>, options?: WriteOptions): Promise<T>;
  /** PUT; the object's `metadata.resourceVersion` is the lock. */
  replace<T extends KubeObject>(type: ResourceType<T>, object: Writable<T>, options?: WriteOptions): Promise<T>;
  /** JSON merge patch (RFC 7386); put `metadata.resourceVersion` into the patch to lock. */
  mergePatch<T extends KubeObject>(type: ResourceType<T>, ref: Ref, patch: object, options?: WriteOptions): Promise<T>;
  /** JSON patch; begin with a `test` to lock. */
  jsonPatch<T extends KubeObject>(
    type: ResourceType<T>,
    ref: Ref,
    operations: readonly JsonPatchOperation[],
    options?: WriteOptions,
  ): Promise<T>;
  /** Server-side apply. `force` (default false) takes fields from other managers. */
  apply<T extends KubeObject>(type: ResourceType<T>, object: Writable<T>, options?: WriteOptions & {readonly force?: boolean}): Promise<T>;
  /** Resolves with the object as answered, or the `Status` of the deletion. */
  delete<T extends KubeObject>(type: ResourceType<T>, ref: Ref, options?: DeleteOptions): Promise<T | AnyObject>;
  /** Yields events until the server ends the stream; throws on a broken one and on an ERROR event (as `ApiError`). */
  watch<T extends KubeObject>(type: ResourceType<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  /** Any path of the server (`/readyz`, KubeVirt's subresources). Throws `ApiError` from 400 up unless `acceptErrors`. */
  raw(
    method: string,
    path: string,
    options?: CallOptions & {readonly body?: unknown; readonly headers?: Readonly<Record<string, string>>; readonly acceptErrors?: boolean},
  ): Promise<RawResponse>;
  close(): Promise<void>;
}
