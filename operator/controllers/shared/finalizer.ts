/**
 * The one finalizer of every kind. It is the first write for a new object, before anything is created for it, and it goes only when a
 * fresh list shows that nothing is left (memory is not evidence). Its patch replaces the whole list, so it carries the
 * resourceVersion: without it another controller's finalizer could be lost.
 */
import {FIELD_MANAGERS, FINALIZER} from '../../../crds/wellknown.ts';
import type {KubeClient} from '../../../kube/client.ts';
import {isNotFound} from '../../../kube/errors.ts';
import {isDeleting, refOfObject} from '../../../kube/objects.ts';
import type {KubeObject, ResourceType} from '../../../kube/objects.ts';

export {FINALIZER, isDeleting};

/** Field manager of everything but status. */
export const FIELD_MANAGER = FIELD_MANAGERS.operator;

export const hasFinalizer = (object: KubeObject): boolean => object.metadata.finalizers?.includes(FINALIZER) ?? false;

/** Removes the finalizer; an object that is gone already is a success. Throws `ApiError` (a conflict when the object is stale). */
export async function removeFinalizer<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  object: T,
  signal: AbortSignal,
): Promise<void> {
  if (!hasFinalizer(object)) return;
  const finalizers = (object.metadata.finalizers ?? []).filter((name) => name !== FINALIZER);
  try {
    await client.mergePatch(
      type,
      refOfObject(object),
      {metadata: {resourceVersion: object.metadata.resourceVersion, finalizers}},
      {signal, fieldManager: FIELD_MANAGER},
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
