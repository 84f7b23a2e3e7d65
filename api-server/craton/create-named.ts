/** Creates one object of the inventory under a name that is derived from its unique key, so that of two creates at once one fails. */
import {inventoryName} from '../../crds/rules/names.ts';
import {isDeleting} from '../../kube/objects.ts';
import {Failure} from '../http/failure.ts';
import type {Collection, Draft} from '../store/types.ts';
import {checkDataSize} from './data.ts';
import {duplicate} from './errors.ts';
import type {InventoryKind, InventoryObject, Plan} from './kind.ts';
import type {View} from './view.ts';

/** Names that are tried when an object that was renamed, or is still going away, has the cluster name that a new one's key gives. */
const MAX_NAMESAKES = 5;

/** Throws 409 when the place or the UUID of a plan is taken, 413 when its data are too many. `current` is the object that it changes. */
export function checkFree<T extends InventoryObject>(
  kind: InventoryKind<T>,
  plan: Plan<T['spec']>,
  current: T | undefined,
  view: View,
): void {
  if (plan.spec.data !== undefined) checkDataSize(plan.spec.data);
  const collection = kind.collection(view.store);
  const taken = collection
    .byName(plan.name)
    .some((other) => !isDeleting(other) && other.metadata.uid !== current?.metadata.uid && kind.sameKey(other, plan.spec));
  if (taken) throw duplicate(kind.what, plan.member, plan.name);
  if (plan.uuid !== undefined && collection.byUuid(plan.uuid.value) !== undefined)
    throw duplicate(kind.what, plan.uuid.member, plan.uuid.value);
}

/** Creates it with a new id. */
export async function createNamed<T extends InventoryObject>(
  kind: InventoryKind<T>,
  plan: Plan<T['spec']>,
  view: View,
  signal: AbortSignal,
): Promise<T> {
  const id = await view.store.allocateId(kind.sequence, signal);
  const collection: Collection<T> = kind.collection(view.store);
  for (let attempt = 1; attempt <= MAX_NAMESAKES; attempt += 1) {
    const name = inventoryName(...(attempt === 1 ? [] : [String(attempt)]), ...plan.key);
    const draft: Draft<T> = {metadata: {name}, spec: {...plan.spec, id}};
    try {
      return await collection.create(draft, {signal});
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'already-exists') throw error;
      // The holder of the cluster name may have been renamed or deleted since: then its key is free although its name is not.
      const holder = collection.get({name});
      if (holder === undefined || (!isDeleting(holder) && kind.sameKey(holder, plan.spec)))
        throw duplicate(kind.what, plan.member, plan.name);
    }
  }
  throw duplicate(kind.what, plan.member, plan.name);
}
