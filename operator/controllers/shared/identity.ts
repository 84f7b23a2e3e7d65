/** The integer `spec.id` of an object, from a persistent sequence per kind: given once, and never to two. */
import {byAge} from '../../../crds/rules/ids.ts';
import type {KubeObject, ResourceType} from '../../../kube/objects.ts';
import {isDeleting, refOfObject} from '../../../kube/objects.ts';
import type {Informer} from '../../../kube/informer.ts';
import type {Deps, Sequence} from '../../runtime/types.ts';
import {FINALIZER, hasFinalizer} from './finalizer.ts';

/** Field manager of `spec.id`, the one spec field that the operator writes: once, for objects made by kubectl. */
export const ID_FIELD_MANAGER = 'basalt-operator-id';

/** An object whose kind shows integer ids. */
export interface WithId extends KubeObject {
  readonly spec: {readonly id?: number};
  readonly status?: {readonly uuid?: string};
}

/** Gives the object the next id of its kind unless it has one. Returns it as stored and puts it into the informer. Throws `ApiError`. */
export async function ensureId<T extends WithId>(
  deps: Pick<Deps, 'client' | 'sequences'>,
  type: ResourceType<T>,
  informer: Informer<T>,
  object: T,
  signal: AbortSignal,
): Promise<T> {
  return await prepare(deps, type, informer, object, object.metadata.finalizers ?? [], signal);
}

/** The first write for a new object, all in one: the finalizer and, when it has none, an id. As {@link ensureId} otherwise. */
export async function ensureFinalizerAndId<T extends WithId>(
  deps: Pick<Deps, 'client' | 'sequences'>,
  type: ResourceType<T>,
  informer: Informer<T>,
  object: T,
  signal: AbortSignal,
): Promise<T> {
  const present = object.metadata.finalizers ?? [];
  return await prepare(deps, type, informer, object, hasFinalizer(object) ? present : [...present, FINALIZER], signal);
}

/** Most ids that are passed over in a row: somebody wrote them by hand, ahead of the sequence. */
const MOST_TAKEN = 10_000;

/** The next id of the sequence that no object carries. Throws when there is none within reach. */
async function freeId<T extends WithId>(sequence: Sequence, informer: Informer<T>, signal: AbortSignal): Promise<number> {
  for (let passed = 0; passed < MOST_TAKEN; passed++) {
    const id = await sequence.next(signal);
    if (informer.byIndex('id', String(id)).length === 0) return id;
  }
  throw new Error(`the next ${MOST_TAKEN} ids are all taken by objects that were given their id by hand`);
}

async function prepare<T extends WithId>(
  deps: Pick<Deps, 'client' | 'sequences'>,
  type: ResourceType<T>,
  informer: Informer<T>,
  object: T,
  finalizers: readonly string[],
  signal: AbortSignal,
): Promise<T> {
  const addsFinalizer = finalizers.length !== (object.metadata.finalizers?.length ?? 0);
  if (isDeleting(object) || (object.spec.id !== undefined && !addsFinalizer)) return object;
  // An id taken for a write that then conflicts is a gap, which is allowed; a reused one would not be.
  const id = object.spec.id === undefined ? await freeId(deps.sequences(type), informer, signal) : undefined;
  const patch = {
    metadata: {resourceVersion: object.metadata.resourceVersion, ...(addsFinalizer ? {finalizers} : {})},
    ...(id === undefined ? {} : {spec: {id}}),
  };
  const stored = await deps.client.mergePatch(type, refOfObject(object), patch, {signal, fieldManager: ID_FIELD_MANAGER});
  informer.observe(stored);
  return stored;
}

/**
 * The object that owns an id which `object` carries too: an older one. `undefined` when `object` may keep its id. Objects of all
 * namespaces share one sequence, so `index` is the informer's index `id` over the whole cluster.
 */
export function olderWithSameId<T extends WithId>(informer: Informer<T>, object: T): T | undefined {
  const {id} = object.spec;
  if (id === undefined) return undefined;
  return informer.byIndex('id', String(id)).find((other) => other.metadata.uid !== object.metadata.uid && byAge(other, object) < 0);
}
