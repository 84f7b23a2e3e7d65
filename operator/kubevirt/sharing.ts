/** In which modes a drive's storage is asked for: what its class can do, as CDI's StorageProfile tells. Pure. */
import type {KubeObject} from '../../kube/objects.ts';
import type {StorageTier} from './volumes.ts';

/** One way in which a class gives storage. */
interface ClaimProperties {
  readonly accessModes?: readonly string[];
  readonly volumeMode?: string;
}

/** `cdi.kubevirt.io/v1beta1` StorageProfile, as far as it is read. CDI keeps one for each StorageClass, of the same name. */
export type StorageProfile = KubeObject & {
  readonly status?: {
    /** What the class can do, the best first. */
    readonly claimPropertySets?: readonly ClaimProperties[];
  };
};

const setsWith = (profile: StorageProfile | undefined, accessMode: string): readonly ClaimProperties[] =>
  (profile?.status?.claimPropertySets ?? []).filter(({accessModes}) => accessModes?.includes(accessMode) === true);

const volumeModeOf = ({volumeMode}: ClaimProperties): 'Filesystem' | 'Block' => (volumeMode === 'Block' ? 'Block' : 'Filesystem');

/**
 * The tier with modes that let several servers write: a raw device where the class has one, because guests then see each other's writes at
 * once; else a file. A class of which nothing is known, or nothing of the kind, is asked for many writers of a file system: most can that,
 * and one that cannot leaves the claim waiting and says so.
 */
export function sharedTier(tier: StorageTier, profile: StorageProfile | undefined): StorageTier {
  const hasDevice = setsWith(profile, 'ReadWriteMany').some(({volumeMode}) => volumeMode === 'Block');
  return {...tier, accessMode: 'ReadWriteMany', volumeMode: hasDevice ? 'Block' : 'Filesystem'};
}

/**
 * The tier of a drive or image that one server uses at a time, with the modes that let its server move while it runs: a live migration has
 * two hosts mount the drive for a moment, so the claim has to be ReadWriteMany. Of the sets with it the first is taken, as CDI would;
 * where a class has none, one writer. What the tier itself says always stands, and of a class of which nothing is known nothing is asked.
 */
export function movableTier(tier: StorageTier, profile: StorageProfile | undefined): StorageTier {
  if (tier.accessMode !== undefined) return tier;
  for (const accessMode of ['ReadWriteMany', 'ReadWriteOnce'] as const) {
    const fits = setsWith(profile, accessMode).find((set) => tier.volumeMode === undefined || volumeModeOf(set) === tier.volumeMode);
    if (fits !== undefined) return {...tier, accessMode, volumeMode: volumeModeOf(fits)};
  }
  return tier;
}
