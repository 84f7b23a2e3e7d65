/** Controller references: same namespace only, never across (KubeVirt and the garbage collector both delete what breaks this). */
import type {KubeObject, OwnerReference} from '../../../kube/objects.ts';

/** The reference that makes `owner` the controller of a child, blocking foreground deletion of the owner until the child is gone. */
export function controllerReference(owner: KubeObject): OwnerReference {
  const {name, uid} = owner.metadata;
  if (uid === undefined) throw new Error(`${owner.kind} ${name} has no uid: it was never stored`);
  return {apiVersion: owner.apiVersion, kind: owner.kind, name, uid, controller: true, blockOwnerDeletion: true};
}

/** The controller of an object, if any. */
export const controllerOf = (object: KubeObject): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find((reference) => reference.controller === true);

/** Whether `owner` (this very one, by uid) controls `child`. */
export const isControlledBy = (child: KubeObject, owner: KubeObject): boolean =>
  owner.metadata.uid !== undefined && controllerOf(child)?.uid === owner.metadata.uid;
