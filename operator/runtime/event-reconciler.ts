/**
 * Turns a level-triggered controller into the added/modified/deleted callbacks of `@dot-i/k8s-operator`. `ADDED` means the first
 * success in this process, not a creation; a `DELETED` carries the last state seen, and comes before the `ADDED` of a namesake.
 */
import type {Informer} from '../../kube/informer.ts';
import {keyOf, refOfObject} from '../../kube/objects.ts';
import type {KubeObject} from '../../kube/objects.ts';
import {DONE} from './types.ts';
import type {ControllerDefinition} from './types.ts';

/** Options of {@link createEventReconciler}; `E` is the event type of the callback. */
export interface EventReconcilerOptions<E> {
  readonly name: string;
  readonly informer: Informer<KubeObject>;
  describe(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): E;
  onEvent(event: E): Promise<void>;
}

/** Makes the controller. It remembers one uid per living object and one tombstone per undelivered deletion. */
export function createEventReconciler<E>(options: EventReconcilerOptions<E>): ControllerDefinition {
  const {name, informer, describe, onEvent} = options;
  // What the handler was called with. Noted before the call: it may have acted even if it failed, or while the object vanished.
  const offered = new Map<string, {readonly uid: string; readonly succeeded: boolean}>();
  const tombstones = new Map<string, KubeObject>();
  informer.onChange((change) => {
    const key = keyOf(refOfObject(change.object));
    if (change.kind === 'deleted' && offered.get(key)?.uid === uidOf(change.object)) tombstones.set(key, change.object);
  });
  return {
    name,
    primary: informer,
    async reconcile(key) {
      const tombstone = tombstones.get(key);
      if (tombstone !== undefined) {
        await onEvent(describe('DELETED', tombstone));
        tombstones.delete(key);
        offered.delete(key);
      }
      const object = informer.get(key);
      if (object === undefined) return DONE;
      const uid = uidOf(object);
      const before = offered.get(key);
      const known = before?.uid === uid && before.succeeded;
      offered.set(key, {uid, succeeded: known});
      await onEvent(describe(known ? 'MODIFIED' : 'ADDED', object));
      offered.set(key, {uid, succeeded: true});
      return DONE;
    },
  };
}

const uidOf = (object: KubeObject): string => object.metadata.uid ?? '';
