/** The storage of drives and images through the operator: whose profile is asked, and what is asked of the storage. */
import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {PERSISTENT_VOLUME_CLAIM} from '../../../kube/types.ts';
import {dataVolumeNameOfImage} from '../../kubevirt/names.ts';
import {DATA_VOLUME} from '../../kubevirt/types.ts';
import type {DataVolume} from '../../kubevirt/types.ts';
import {NS, Scenario} from '../server/testing/scenario.ts';
import {STORAGE_CLASS, STORAGE_PROFILE} from '../shared/storage.ts';

let world: Scenario;
beforeEach(async () => {
  world = await Scenario.start();
});
afterEach(() => world.stop());

function putClass(name: string, accessModes: readonly string[], isDefault: boolean, born: string): void {
  const annotations = {'storageclass.kubernetes.io/is-default-class': String(isDefault)};
  world.operator.server.put(STORAGE_CLASS, {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: {name, annotations, creationTimestamp: born},
  });
  world.operator.server.put(STORAGE_PROFILE, {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'StorageProfile',
    metadata: {name},
    status: {claimPropertySets: [{accessModes, volumeMode: 'Block'}]},
  });
}

const modes = async (name: string): Promise<unknown> => {
  await world.drive(name, ({status}) => status?.phase === 'Ready');
  const claim = world.operator.server.object(PERSISTENT_VOLUME_CLAIM, {namespace: NS, name});
  return [claim?.spec?.accessModes, claim?.spec?.volumeMode];
};

test('the profile of the newest default class decides, and is asked for once', async () => {
  putClass('old', ['ReadWriteOnce'], true, '2026-01-01T00:00:00Z');
  putClass('new', ['ReadWriteOnce', 'ReadWriteMany'], true, '2026-01-02T00:00:00Z');
  putClass('other', ['ReadWriteOnce'], false, '2026-01-03T00:00:00Z');
  await world.createDrive('shared', {claimType: 'Shared'});
  expect(await modes('shared')).toEqual([['ReadWriteMany'], 'Block']);
  await world.createDrive('own');
  expect(await modes('own')).toEqual([['ReadWriteMany'], 'Block']);
  expect(world.operator.server.requests.filter(({path}) => path.includes('storageclasses'))).toHaveLength(1);
});

test('an image has the modes of the drives that are copied from it, or copies could not be quick', async () => {
  putClass('new', ['ReadWriteMany'], true, '2026-01-02T00:00:00Z');
  await world.createImage('tiny');
  const made = await world.operator.eventually<DataVolume>(DATA_VOLUME, dataVolumeNameOfImage('tiny'), () => true, 'basalt-system');
  expect(made.spec.storage).toMatchObject({accessModes: ['ReadWriteMany'], volumeMode: 'Block'});
});

test('where nothing is known of the storage: many writers of a file system for many servers, one writer for one', async () => {
  await world.createDrive('shared', {claimType: 'Shared'});
  await world.createDrive('own');
  expect(await modes('shared')).toEqual([['ReadWriteMany'], 'Filesystem']);
  expect(await modes('own')).toEqual([['ReadWriteOnce'], 'Filesystem']);
});
