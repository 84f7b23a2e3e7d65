/** The only way a controller writes status: the whole of it, by PUT, under the resourceVersion it was computed from, and only if it differs. */
import {FIELD_MANAGERS} from '../../../crds/wellknown.ts';
import type {KubeClient} from '../../../kube/client.ts';
import type {Informer} from '../../../kube/informer.ts';
import type {KubeObject, ResourceType} from '../../../kube/objects.ts';
import {sameJson} from './same-json.ts';

/** Field manager of status. */
export const STATUS_FIELD_MANAGER = FIELD_MANAGERS.operatorStatus;

/** An object with a status. */
export interface WithStatus<S> extends KubeObject {
  readonly status?: S;
}

/** What {@link writeStatus} needs. The answer is put into `informer` at once, so that the next run sees its own write. */
export interface StatusTarget<T extends KubeObject> {
  readonly client: KubeClient;
  readonly type: ResourceType<T>;
  readonly informer: Informer<T>;
  readonly signal: AbortSignal;
}

/**
 * Writes `status` unless the object already has it. `changed` tells whether it wrote, so that events and metrics come only after a
 * successful save. Throws `ApiError`; a conflict means that the cache was stale and the run is tried again.
 */
export async function writeStatus<S, T extends WithStatus<S>>(
  target: StatusTarget<T>,
  object: T,
  status: S,
): Promise<{readonly object: T; readonly changed: boolean}> {
  if (sameJson(object.status ?? {}, status)) return {object, changed: false};
  const stored = await target.client.replace(
    target.type,
    {...object, status},
    {
      subresource: 'status',
      fieldManager: STATUS_FIELD_MANAGER,
      signal: target.signal,
    },
  );
  target.informer.observe(stored);
  return {object: stored, changed: true};
}
