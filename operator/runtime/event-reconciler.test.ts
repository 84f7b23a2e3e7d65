import {expect, test} from '@jest/globals';
import {silentLogger} from '../../kube/log.ts';
import type {KubeObject} from '../../kube/objects.ts';
import {FakeClock} from '../../kube/testing/fake-clock.ts';
import {FakeInformer} from '../testing/fake-informer.ts';
import {createEventReconciler} from './event-reconciler.ts';
import type {ReconcileContext} from './types.ts';

const context: ReconcileContext = {signal: new AbortController().signal, log: silentLogger, clock: new FakeClock(), reconcileId: 'test'};
const object = (uid: string, revision = '1'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: {name: 'a', uid, resourceVersion: revision},
});

function setUp(onEvent: (event: string) => Promise<void> = () => Promise.resolve()) {
  const informer = new FakeInformer<KubeObject>();
  const events: string[] = [];
  const controller = createEventReconciler({
    name: 'thing',
    informer,
    describe: (type, {metadata}) => `${type} ${metadata.uid}@${metadata.resourceVersion}`,
    onEvent: (event) => {
      events.push(event);
      return onEvent(event);
    },
  });
  return {informer, events, reconcile: () => controller.reconcile('a', context)};
}

test('added once, modified afterwards, deleted with the last state', async () => {
  const {informer, events, reconcile} = setUp();
  informer.set(object('u1', '1'));
  await reconcile();
  informer.set(object('u1', '2'));
  informer.set(object('u1', '3'));
  await reconcile();
  informer.remove('a');
  await reconcile();
  await reconcile();
  expect(events).toEqual(['ADDED u1@1', 'MODIFIED u1@3', 'DELETED u1@3']);
});

test('added comes again until the handler succeeds', async () => {
  let failing = true;
  const {informer, events, reconcile} = setUp(() => (failing ? Promise.reject(new Error('not yet')) : Promise.resolve()));
  informer.set(object('u1'));
  await expect(reconcile()).rejects.toThrow('not yet');
  failing = false;
  await reconcile();
  await reconcile();
  expect(events).toEqual(['ADDED u1@1', 'ADDED u1@1', 'MODIFIED u1@1']);
});

test('a namesake that replaced the object is a deletion and an addition', async () => {
  const {informer, events, reconcile} = setUp();
  informer.set(object('u1'));
  await reconcile();
  informer.remove('a');
  informer.set(object('u2'));
  await reconcile();
  expect(events).toEqual(['ADDED u1@1', 'DELETED u1@1', 'ADDED u2@1']);
});

test('an object that vanished before the handler ever saw it never was', async () => {
  const {informer, events, reconcile} = setUp();
  informer.set(object('u1'));
  informer.remove('a');
  await reconcile();
  expect(events).toEqual([]);
});

test('an object that vanishes while its addition is handled is deleted afterwards', async () => {
  const {informer, events, reconcile} = setUp(() => {
    informer.remove('a');
    return Promise.resolve();
  });
  informer.set(object('u1'));
  await reconcile();
  await reconcile();
  expect(events).toEqual(['ADDED u1@1', 'DELETED u1@1']);
});

test('a deletion is delivered again when the handler fails', async () => {
  let failures = 1;
  const {informer, events, reconcile} = setUp((event) =>
    event.startsWith('DELETED') && failures-- > 0 ? Promise.reject(new Error('busy')) : Promise.resolve(),
  );
  informer.set(object('u1'));
  await reconcile();
  informer.remove('a');
  await expect(reconcile()).rejects.toThrow('busy');
  await reconcile();
  expect(events).toEqual(['ADDED u1@1', 'DELETED u1@1', 'DELETED u1@1']);
});
