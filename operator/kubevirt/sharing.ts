/** Storage for a drive that several servers mount at once: what its class can do, as CDI's StorageProfile tells. Pure. */
import type {KubeObject} from '../../kube/objects.ts';
import type {StorageTier} from './volumes.ts';

/** `cdi.kubevirt.io/v1beta1` StorageProfile, as far as it is read. CDI keeps one for each StorageClass, of the same name. */
export type StorageProfile = KubeObject & {
  readonly status?: {
    /** What the class can do, the best first. */
    readonly claimPropertySets?: readonly {readonly accessModes?: readonly string[]; readonly volumeMode?: string}[];
  };
};

/**
 * The tier with modes that let several servers write: a raw device where the class has one, because guests then see each other's writes at
 * once; else a file. A class of which nothing is known, or nothing of the kind, is asked for many writers of a file system: most can that,
 * and one that cannot leaves the claim waiting and says so.
 */
export function sharedTier(tier: StorageTier, profile: StorageProfile | undefined): StorageTier {
  const many = (profile?.status?.claimPropertySets ?? []).filter(({accessModes}) => accessModes?.includes('ReadWriteMany') === true);
  const hasDevice = many.some(({volumeMode}) => volumeMode === 'Block');
  return {...tier, accessMode: 'ReadWriteMany', volumeMode: hasDevice ? 'Block' : 'Filesystem'};
}
