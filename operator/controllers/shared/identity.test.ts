import {describe, expect, test} from '@jest/globals';
import type {KubeClient} from '../../../kube/client.ts';
import type {Informer} from '../../../kube/informer.ts';
import type {ResourceType} from '../../../kube/objects.ts';
import type {Deps} from '../../runtime/types.ts';
import {ensureId, olderWithSameId, type WithId} from './identity.ts';

const FLAVOR: ResourceType<WithId> = {group: 'basalt.dev', version: 'v1alpha1', plural: 'flavors', kind: 'Flavor', namespaced: false};

const flavor = (name: string, id?: number, created = '2026-01-01T00:00:00Z'): WithId => ({
  apiVersion: 'basalt.dev/v1alpha1',
  kind: 'Flavor',
  metadata: {name, uid: `uid-${name}`, resourceVersion: '1', creationTimestamp: created},
  spec: id === undefined ? {} : {id},
});

/** An informer over these objects, a sequence that starts at 1, and a client that records its patches. */
function world(objects: readonly WithId[]) {
  const patches: object[] = [];
  let next = 1;
  const informer = {
    byIndex: (_name: string, value: string) => objects.filter(({spec}) => String(spec.id) === value),
    observe: () => undefined,
  } as unknown as Informer<WithId>;
  const client = {
    mergePatch: (_type: unknown, ref: {name: string}, patch: {spec?: {id?: number}}) => {
      patches.push(patch);
      return Promise.resolve(flavor(ref.name, patch.spec?.id));
    },
  } as unknown as KubeClient;
  const deps = {client, sequences: () => ({next: () => Promise.resolve(next++)})} as unknown as Pick<Deps, 'client' | 'sequences'>;
  return {deps, informer, patches};
}

const signal = new AbortController().signal;

describe('ids of objects made by kubectl', () => {
  test.each([
    {name: 'the first id of a new cluster', present: [], expected: 1},
    {name: 'ids written by hand ahead of the sequence are passed over', present: [1, 2, 3], expected: 4},
    {name: 'a gap between them is used', present: [1, 3], expected: 2},
  ])('$name', async ({present, expected}) => {
    const {deps, informer} = world(present.map((id) => flavor(`hand-${id}`, id)));
    const stored = await ensureId(deps, FLAVOR, informer, flavor('new'), signal);
    expect(stored.spec.id).toBe(expected);
  });

  test('an object that has one is left alone', async () => {
    const {deps, informer, patches} = world([]);
    const object = flavor('has', 7);
    expect(await ensureId(deps, FLAVOR, informer, object, signal)).toBe(object);
    expect(patches).toEqual([]);
  });

  test('ends when a hand has taken everything within reach', async () => {
    const {deps, informer} = world([]);
    const taken = {...informer, byIndex: () => [flavor('everywhere')]} as unknown as Informer<WithId>;
    await expect(ensureId(deps, FLAVOR, taken, flavor('new'), signal)).rejects.toThrow('all taken');
  });
});

describe('an id that two objects carry', () => {
  const older = flavor('older', 5, '2026-01-01T00:00:00Z');
  const younger = flavor('younger', 5, '2026-01-02T00:00:00Z');
  test('belongs to the older one', () => {
    const {informer} = world([older, younger]);
    expect(olderWithSameId(informer, younger)).toBe(older);
    expect(olderWithSameId(informer, older)).toBeUndefined();
  });
});
