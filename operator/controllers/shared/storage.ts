/** The storage that a drive or image asks for: of its tier, with the modes that its class offers. */
import type {Drive} from '../../../crds/index.ts';
import type {KubeClient} from '../../../kube/client.ts';
import type {Clock} from '../../../kube/clock.ts';
import {isNotFound} from '../../../kube/errors.ts';
import type {AnyObject, ResourceType} from '../../../kube/objects.ts';
import {anyType} from '../../../kube/types.ts';
import {freshly} from '../../children/ensure.ts';
import {movableTier, sharedTier} from '../../kubevirt/sharing.ts';
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
/** How long an answer about a class counts, in milliseconds: classes hardly ever change, and a thousand drives may be made in a minute. */
const KNOWN_FOR_MS = 30_000;

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

/** What the cluster's storage classes can do. */
export interface StorageClasses {
  /**
   * The tier with its modes: for several writers when the drive is `Shared`, else those that let its server move. Call it when the volume is
   * to be made: afterwards its modes cannot change. Throws `ApiError`.
   */
  tierFor(tier: StorageTier, claimType: Drive['spec']['claimType'], signal: AbortSignal): Promise<StorageTier>;
}

/** Asks the cluster, and remembers the answers for {@link KNOWN_FOR_MS}; there are as many as tiers have classes. */
export function createStorageClasses({client, clock}: {readonly client: KubeClient; readonly clock: Clock}): StorageClasses {
  const known = new Map<string, {readonly profile: StorageProfile | undefined; readonly untilMs: number}>();
  const profileOf = async (tier: StorageTier, signal: AbortSignal): Promise<StorageProfile | undefined> => {
    const key = tier.storageClassName ?? '';
    const remembered = known.get(key);
    if (remembered !== undefined && remembered.untilMs > clock.monotonicMs()) return remembered.profile;
    const name = tier.storageClassName ?? (await defaultClass(client, signal));
    const profile = name === undefined ? undefined : await freshly(client, STORAGE_PROFILE, {name}, signal);
    known.set(key, {profile, untilMs: clock.monotonicMs() + KNOWN_FOR_MS});
    return profile;
  };
  return {
    async tierFor(tier, claimType, signal) {
      const profile = await profileOf(tier, signal);
      return claimType === 'Shared' ? sharedTier(tier, profile) : movableTier(tier, profile);
    },
  };
}
