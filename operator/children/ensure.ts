/**
 * Children whose spec cannot change once made (DataVolume, DataSource, claim, root drive): created once under their derived name, and
 * looked at ever after. What changes is applied instead (kube/apply.ts).
 */
import type {KubeClient} from '../../kube/client.ts';
import {isAlreadyExists, isNotFound} from '../../kube/errors.ts';
import type {Informer} from '../../kube/informer.ts';
import {isDeleting, keyOf, refOfObject} from '../../kube/objects.ts';
import type {KubeObject, ResourceType} from '../../kube/objects.ts';
import {FIELD_MANAGER} from '../controllers/shared/finalizer.ts';
import {isControlledBy} from '../controllers/shared/owner.ts';

/** What {@link ensureChild} needs. */
export interface ChildTarget<T extends KubeObject> {
  readonly client: KubeClient;
  readonly type: ResourceType<T>;
  readonly informer: Informer<T>;
  readonly signal: AbortSignal;
}

/** How a child was found. `foreign`: the name is taken by an object that is not the owner's; it is never adopted. */
export type Child<T> =
  | {readonly kind: 'ours'; readonly object: T; readonly created: boolean}
  | {readonly kind: 'foreign'; readonly object: T}
  | {readonly kind: 'deleting'; readonly object: T};

const classify = <T extends KubeObject>(object: T, owner: KubeObject): Child<T> => {
  if (!isControlledBy(object, owner)) return {kind: 'foreign', object};
  return isDeleting(object) ? {kind: 'deleting', object} : {kind: 'ours', object, created: false};
};

/**
 * Finds the child in the cache or creates it. A create that meets AlreadyExists (the cache was behind) looks at what is there. Throws
 * `ApiError`.
 */
export async function ensureChild<T extends KubeObject>(target: ChildTarget<T>, owner: KubeObject, desired: T): Promise<Child<T>> {
  const {client, type, informer, signal} = target;
  const cached = informer.get(keyOf(refOfObject(desired)));
  if (cached !== undefined) return classify(cached, owner);
  try {
    const object = await client.create(type, desired, {fieldManager: FIELD_MANAGER, signal});
    informer.observe(object);
    return {kind: 'ours', object, created: true};
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const object = await client.get(type, refOfObject(desired), {signal});
    informer.observe(object);
    return classify(object, owner);
  }
}

/** The object as the server has it now, or `undefined`: the evidence on which a finalizer goes. Throws `ApiError` for all but 404. */
export async function freshly<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  ref: {readonly namespace?: string; readonly name: string},
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    return await client.get(type, ref, {signal});
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** How a child goes: in the foreground when its own children are waited for; nothing that has none needs that. */
export type Propagation = 'Foreground' | 'Background';

/**
 * Deletes the owner's child, if it is there and the owner's, and tells whether it is gone. What the cache shows alive is deleted, and what it
 * shows going is waited for; that nothing is left is believed only of a fresh read. Repeating it while the child goes writes nothing.
 */
export async function removeChild<T extends KubeObject>(
  target: ChildTarget<T>,
  owner: KubeObject,
  ref: {readonly namespace?: string; readonly name: string},
  propagationPolicy: Propagation = 'Foreground',
): Promise<boolean> {
  const {client, type, informer, signal} = target;
  const cached = informer.get(keyOf(ref));
  if (cached !== undefined && isControlledBy(cached, owner) && isDeleting(cached)) return false;
  const object = cached ?? (await freshly(client, type, ref, signal));
  if (object === undefined || !isControlledBy(object, owner)) return true;
  if (isDeleting(object)) return false;
  try {
    await client.delete(type, ref, {signal, propagationPolicy, preconditions: {uid: object.metadata.uid ?? ''}});
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return (await freshly(client, type, ref, signal)) === undefined;
}
