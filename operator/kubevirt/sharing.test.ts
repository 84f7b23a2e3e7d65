import {describe, expect, test} from '@jest/globals';
import {movableTier, sharedTier} from './sharing.ts';
import type {StorageProfile} from './sharing.ts';
import type {StorageTier} from './volumes.ts';

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

describe('modes of a drive that one server uses at a time', () => {
  const FILE_ONE = {accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem'};
  const DEVICE_ONE = {accessModes: ['ReadWriteOnce'], volumeMode: 'Block'};
  const DEVICE_MANY = {accessModes: ['ReadWriteMany'], volumeMode: 'Block'};
  test.each<[string, StorageTier, StorageProfile | undefined, string | undefined, string | undefined]>([
    ['many writers before the preference of the class', {}, profile([FILE_ONE, FILE_MANY]), 'ReadWriteMany', 'Filesystem'],
    ['the first set with many writers', {}, profile([DEVICE_MANY, FILE_MANY]), 'ReadWriteMany', 'Block'],
    ['both modes in one set', {}, profile([{accessModes: ['ReadWriteMany', 'ReadWriteOnce']}]), 'ReadWriteMany', 'Filesystem'],
    ['one writer, where there is nothing else', {}, profile([DEVICE_ONE, FILE_ONE]), 'ReadWriteOnce', 'Block'],
    ['the volume mode of the tier', {volumeMode: 'Filesystem'}, profile([DEVICE_MANY, FILE_ONE]), 'ReadWriteOnce', 'Filesystem'],
    ['the access mode of the tier', {accessMode: 'ReadWriteOnce'}, profile([FILE_MANY]), 'ReadWriteOnce', undefined],
    ['nothing that a guest can write to', {}, profile([{accessModes: ['ReadOnlyMany'], volumeMode: 'Block'}]), undefined, undefined],
    ['a class of which CDI knows nothing', {}, profile(), undefined, undefined],
    ['no profile', {}, undefined, undefined, undefined],
  ])('%s', (_name, tier, seen, accessMode, volumeMode) => {
    const {accessMode: access, volumeMode: volume} = movableTier(tier, seen);
    expect([access, volume]).toEqual([accessMode, volumeMode]);
  });
});
