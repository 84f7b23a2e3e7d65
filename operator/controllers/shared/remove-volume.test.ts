import {afterEach, beforeEach, expect, test} from '@jest/globals';
import type {KubeObject, OwnerReference, ResourceType} from '../../../kube/objects.ts';
import {startFakeApiServer} from '../../../kube/testing/fake-api-server.ts';
import type {FakeApiServer} from '../../../kube/testing/fake-api-server.ts';
import {PERSISTENT_VOLUME_CLAIM} from '../../../kube/types.ts';
import type {PersistentVolumeClaim} from '../../../kube/types.ts';
import {DATA_VOLUME} from '../../kubevirt/types.ts';
import type {DataVolume} from '../../kubevirt/types.ts';
import {FakeInformer} from '../../testing/fake-informer.ts';
import {removeVolume} from './remove-volume.ts';

const REF = {namespace: 'ns', name: 'v'};
const image: KubeObject = {apiVersion: 'basalt.dev/v1alpha1', kind: 'Image', metadata: {name: 'i', namespace: 'ns', uid: 'image'}};
const ownedBy = (kind: string, name: string, uid: string): {ownerReferences: OwnerReference[]} => ({
  ownerReferences: [{apiVersion: 'v1', kind, name, uid, controller: true}],
});
const volumeOf = (owner: string): DataVolume =>
  ({
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    metadata: {...REF, uid: 'dv', ...ownedBy('Image', 'i', owner)},
    spec: {},
  }) as DataVolume;
const claim: PersistentVolumeClaim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {...REF, uid: 'pvc', ...ownedBy('DataVolume', 'v', 'dv')},
};

let api: FakeApiServer;
beforeEach(async () => {
  api = await startFakeApiServer();
});
afterEach(async () => {
  await api.close();
});
const cacheOf = <T extends KubeObject>(type: ResourceType<T>): FakeInformer<T> => {
  const informer = new FakeInformer<T>();
  for (const object of api.objects(type)) informer.set(object);
  return informer;
};
const remove = (): Promise<boolean> =>
  removeVolume(
    {
      client: api.client(),
      dataVolumes: cacheOf(DATA_VOLUME),
      pvcs: cacheOf(PERSISTENT_VOLUME_CLAIM),
      signal: AbortSignal.timeout(5_000),
    },
    image,
    REF,
  );

test('the claim is waited for when its DataVolume is gone, which does not go in the foreground', async () => {
  api.put(DATA_VOLUME, volumeOf('image'));
  api.put(PERSISTENT_VOLUME_CLAIM, claim);
  expect(await remove()).toBe(false);
  expect(api.object(DATA_VOLUME, REF)).toBeUndefined();
  const deletion = api.requests.find(({method}) => method === 'DELETE');
  expect(deletion?.body).toMatchObject({propagationPolicy: 'Background', preconditions: {uid: 'dv'}});
  expect(await remove()).toBe(false);
  api.remove(PERSISTENT_VOLUME_CLAIM, REF);
  expect(await remove()).toBe(true);
});

test.each([
  ['a DataVolume that is not the owner’s, with its claim', () => void api.put(DATA_VOLUME, volumeOf('another')), claim],
  ['a claim of somebody else', () => undefined, {...claim, metadata: {...REF, uid: 'pvc'}}],
])('%s is left alone and not waited for', async (_name, others, theirs) => {
  others();
  api.put(PERSISTENT_VOLUME_CLAIM, theirs);
  expect(await remove()).toBe(true);
  expect(api.writes).toBe(0);
});
