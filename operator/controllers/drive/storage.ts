/** The storage that a drive asks for: of its tier, with modes for several writers when it is Shared. */
import type {Drive} from '../../../crds/index.ts';
import type {KubeClient} from '../../../kube/client.ts';
import {isNotFound} from '../../../kube/errors.ts';
import type {AnyObject, ResourceType} from '../../../kube/objects.ts';
import {anyType} from '../../../kube/types.ts';
import {freshly} from '../../children/ensure.ts';
import {sharedTier} from '../../kubevirt/sharing.ts';
import type {StorageProfile} from '../../kubevirt/sharing.ts';
import type {StorageTier} from '../../kubevirt/volumes.ts';

export const STORAGE_CLASS: ResourceType<AnyObject> = anyType('storage.k8s.io/v1', 'StorageClass', 'storageclasses', false);
export const STORAGE_PROFILE: ResourceType<StorageProfile> = {
  group: 'cdi.kubevirt.io',
  version: 'v1beta1',
  plural: 'storageprofiles',
  kind: 'StorageProfile',
  namespaced: false,
};

/** Marks the class that claims without one get; of several the newest counts. */
const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';

async function defaultClass(client: KubeClient, signal: AbortSignal): Promise<string | undefined> {
  try {
    const {items} = await client.list(STORAGE_CLASS, {signal});
    const defaults = items.filter(({metadata}) => metadata.annotations?.[DEFAULT_CLASS] === 'true');
    const born = ({metadata}: AnyObject): string => metadata.creationTimestamp ?? '';
    return defaults.toSorted((a, b) => (born(a) < born(b) ? 1 : -1))[0]?.metadata.name;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/**
 * The tier with the modes of the drive. Asks the cluster for a Shared drive only, so call it when the volume is to be made: afterwards its
 * modes cannot change. Throws `ApiError`.
 */
export async function tierOfDrive(client: KubeClient, drive: Drive, tier: StorageTier, signal: AbortSignal): Promise<StorageTier> {
  if (drive.spec.claimType !== 'Shared') return tier;
  const name = tier.storageClassName ?? (await defaultClass(client, signal));
  return sharedTier(tier, name === undefined ? undefined : await freshly(client, STORAGE_PROFILE, {name}, signal));
}
