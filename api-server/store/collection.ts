/** A `Collection` over an informer and a client: reads from the cache, guarded writes that are readable at once. */
import {byAge} from '../../crds/rules/ids.ts';
import type {KubeClient} from '../../kube/client.ts';
import type {Clock} from '../../kube/clock.ts';
import {isConflict, isNotFound} from '../../kube/errors.ts';
import type {Informer} from '../../kube/informer.ts';
import {apiVersionOf, isDeleting, keyOf, refOfObject, type Ref, type ResourceType} from '../../kube/objects.ts';
import {Failure} from '../http/failure.ts';
import {failureOf} from '../http/normalise.ts';
import {byIdThenAge} from './indexes.ts';
import type {Collection, Draft, Stored, UpdateCall, WaitCall, WriteCall} from './types.ts';

/** Tries of a guarded write. Backing off 10, 20, … ms doubled and jittered, eight tries wait at most 2.55 s in all. */
const UPDATE_TRIES = 8;
const FIRST_BACKOFF_MS = 10;
/** How long a delete waits until the cache shows it. */
const DELETE_SEEN_MS = 10_000;

/** Collaborators of a collection. */
export interface CollectionDeps<T extends Stored> {
  readonly type: ResourceType<T>;
  /** Has the indexes of indexes.ts. */
  readonly informer: Informer<T>;
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Jitter in [0, 1); default `Math.random`. */
  readonly random?: () => number;
}

/** Creates a collection. */
export function createCollection<T extends Stored>({
  type,
  informer,
  client,
  clock,
  random = Math.random,
}: CollectionDeps<T>): Collection<T> {
  const sorted = new Map<string, {readonly revision: number; readonly objects: readonly T[]}>();

  const inNamespace = (namespace: string | undefined) => (object: T) => namespace === undefined || object.metadata.namespace === namespace;
  const find = (index: string, value: string, namespace: string | undefined): T[] =>
    informer.byIndex(index, value).filter(inNamespace(namespace)).sort(byAge);

  const collection: Collection<T> = {
    type,
    get revision() {
      return informer.revision;
    },

    get: (ref) => informer.get(keyOf(ref)),

    list(namespace) {
      const key = namespace ?? '';
      const known = sorted.get(key);
      if (known?.revision === informer.revision) return known.objects;
      const {revision} = informer;
      const objects = [...informer.list(namespace)].sort(byIdThenAge);
      // One entry per namespace asked for; a fleet of accounts is bounded by dropping them all now and then.
      if (sorted.size > 1000) sorted.clear();
      sorted.set(key, {revision, objects});
      return objects;
    },

    byId: (id, namespace) => find('id', String(id), namespace)[0],
    byUuid: (uuid, namespace) => find('uuid', uuid, namespace)[0],
    byName: (name, namespace) => find('name', name, namespace),

    async create(draft: Draft<T>, {signal}: WriteCall) {
      const object = {apiVersion: apiVersionOf(type), kind: type.kind, ...draft} as unknown as T;
      return seen(await created(client.create(type, object, {signal})));
    },

    async update(ref, change, call) {
      let current = informer.get(keyOf(ref)) ?? (await translated(client.get(type, ref, {signal: call.signal})));
      for (let attempt = 1; ; attempt += 1) {
        const next = change(current);
        if (next === undefined) return current;
        try {
          return seen(await client.replace(type, next, writeOptions(call)));
        } catch (error) {
          if (!isConflict(error) || attempt === UPDATE_TRIES) throw failureOf(error);
        }
        await clock.sleep(FIRST_BACKOFF_MS * 2 ** (attempt - 1) * (0.5 + random() / 2), call.signal);
        current = seen(await translated(client.get(type, ref, {signal: call.signal})));
      }
    },

    async patch(ref, patch, call) {
      return seen(await translated(client.mergePatch(type, ref, patch, writeOptions(call))));
    },

    async delete(ref, {signal, uid}) {
      const answer = await translated(
        client.delete(type, ref, {signal, propagationPolicy: 'Background', ...(uid === undefined ? {} : {preconditions: {uid}})}),
      );
      if (answer.kind === type.kind && isDeleting(answer)) {
        informer.observe(answer as T);
        return;
      }
      await collection.waitFor(
        ref,
        (object) => object === undefined || isDeleting(object) || (uid !== undefined && object.metadata.uid !== uid),
        {
          signal,
          deadlineMs: DELETE_SEEN_MS,
        },
      );
    },

    waitFor: (ref, until, call) => waitFor(ref, until, call),

    onChange: (handler) => informer.onChange(handler),
  };

  function seen(object: T): T {
    informer.observe(object);
    // The cache may already be ahead of this write; both are fine to answer from, and the newer one is shared.
    return informer.get(keyOf(refOfObject(object))) ?? object;
  }

  async function waitFor(ref: Ref, until: (object: T | undefined) => boolean, {signal, deadlineMs}: WaitCall): Promise<T | undefined> {
    const deadline = new AbortController();
    const stop = clock.setTimer(deadlineMs, () =>
      deadline.abort(new Failure('timeout', `${type.kind} did not settle within ${Math.ceil(deadlineMs / 1000)} s`)),
    );
    try {
      return await informer.waitFor(keyOf(ref), until, AbortSignal.any([signal, deadline.signal]));
    } finally {
      stop();
    }
  }

  return collection;
}

const writeOptions = ({signal, subresource}: UpdateCall) => ({signal, ...(subresource === undefined ? {} : {subresource})});

/** As {@link translated}, of a create: what is "not found" then is the namespace of an account that the operator has not set up yet. */
export async function created<R>(call: Promise<R>): Promise<R> {
  try {
    return await call;
  } catch (error) {
    if (isNotFound(error)) throw new Failure('unavailable', 'The account is still being set up', {retryAfterSeconds: 2, cause: error});
    throw failureOf(error);
  }
}

/** A call to the cluster whose errors are `Failure`s. */
async function translated<R>(call: Promise<R>): Promise<R> {
  try {
    return await call;
  } catch (error) {
    throw failureOf(error);
  }
}

/** Whether a failed update was for an object that is gone. */
export const isGoneFailure = (error: unknown): boolean => (error instanceof Failure && error.code === 'not-found') || isNotFound(error);
