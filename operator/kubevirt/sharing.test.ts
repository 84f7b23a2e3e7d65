import {describe, expect, test} from '@jest/globals';
import {sharedTier} from './sharing.ts';
import type {StorageProfile} from './sharing.ts';

type Sets = NonNullable<NonNullable<StorageProfile['status']>['claimPropertySets']>;
const profile = (claimPropertySets?: Sets): StorageProfile =>
  ({metadata: {name: 'ssd'}, status: claimPropertySets === undefined ? {} : {claimPropertySets}}) as StorageProfile;
const FILE_MANY = {accessModes: ['ReadWriteMany'], volumeMode: 'Filesystem'};

describe('modes of a drive that several servers mount', () => {
  test.each<[string, StorageProfile | undefined, 'Block' | 'Filesystem']>([
    [
      'a raw device, even when the class prefers files',
      profile([FILE_MANY, {accessModes: ['ReadWriteOnce', 'ReadWriteMany'], volumeMode: 'Block'}]),
      'Block',
    ],
    [
      'a file, when only those have many writers',
      profile([{accessModes: ['ReadWriteOnce'], volumeMode: 'Block'}, FILE_MANY]),
      'Filesystem',
    ],
    ['a class that has none', profile([{accessModes: ['ReadWriteOnce'], volumeMode: 'Block'}]), 'Filesystem'],
    ['a class of which CDI knows nothing', profile(), 'Filesystem'],
    ['no profile', undefined, 'Filesystem'],
  ])('%s', (_name, seen, volumeMode) => {
    const tier = {storageClassName: 'ssd', accessMode: 'ReadWriteOnce', volumeMode: 'Block'} as const;
    expect(sharedTier(tier, seen)).toEqual({storageClassName: 'ssd', accessMode: 'ReadWriteMany', volumeMode});
  });
});
