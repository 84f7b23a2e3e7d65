/**
 * Takes a DataVolume and its claim away. Not in the foreground: that order reaches CDI's worker pod, which would then wait for its scratch
 * claim to go, and a claim waits for the pod that uses it (a cycle that Kubernetes breaks for ephemeral volumes only). So the DataVolume goes
 * by itself, and the claim, which the garbage collector deletes after it, is waited for here.
 */
import type {KubeClient} from '../../../kube/client.ts';
import type {Informer} from '../../../kube/informer.ts';
import {keyOf} from '../../../kube/objects.ts';
import type {KubeObject} from '../../../kube/objects.ts';
import {PERSISTENT_VOLUME_CLAIM} from '../../../kube/types.ts';
import type {PersistentVolumeClaim} from '../../../kube/types.ts';
import {freshly, removeChild} from '../../children/ensure.ts';
import {DATA_VOLUME} from '../../kubevirt/types.ts';
import type {DataVolume} from '../../kubevirt/types.ts';
import {controllerOf} from './owner.ts';

/** What {@link removeVolume} needs. */
export interface VolumeTarget {
  readonly client: KubeClient;
  readonly dataVolumes: Informer<DataVolume>;
  readonly pvcs: Informer<PersistentVolumeClaim>;
  readonly signal: AbortSignal;
}

/** Deletes the owner's DataVolume, if it is there and the owner's, and tells whether it and its claim are gone. Throws `ApiError`. */
export async function removeVolume(
  {client, dataVolumes, pvcs, signal}: VolumeTarget,
  owner: KubeObject,
  ref: {readonly namespace: string; readonly name: string},
): Promise<boolean> {
  const isOwnersOf = (claim: PersistentVolumeClaim | undefined): boolean => {
    const controller = claim === undefined ? undefined : controllerOf(claim);
    return controller?.kind === 'DataVolume' && controller.name === ref.name;
  };
  if (!(await removeChild({client, type: DATA_VOLUME, informer: dataVolumes, signal}, owner, ref, 'Background'))) return false;
  // A DataVolume of the name that is still there is somebody else's, and so is its claim.
  if (dataVolumes.get(keyOf(ref)) !== undefined && (await freshly(client, DATA_VOLUME, ref, signal)) !== undefined) return true;
  if (isOwnersOf(pvcs.get(keyOf(ref)))) return false;
  return !isOwnersOf(await freshly(client, PERSISTENT_VOLUME_CLAIM, ref, signal));
}
