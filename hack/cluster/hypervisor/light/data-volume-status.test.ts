import {describe, expect, test} from '@jest/globals';
import type {DataVolume} from '../types.ts';
import {claimOf, dataVolumeStatus, isMarkedToFail, workOf} from './data-volume-status.ts';
import type {DataVolumePhase} from './data-volume-status.ts';

const NOW = Date.parse('2026-01-01T10:00:00.500Z');
const volume = (spec: DataVolume['spec'], status?: DataVolume['status']): DataVolume => ({
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataVolume',
  metadata: {name: 'd1', namespace: 'ns', uid: 'u1'},
  spec,
  ...(status === undefined ? {} : {status}),
});

test.each<[string, DataVolume['spec'], object]>([
  ['http', {source: {http: {url: 'http://x/y.raw'}}}, {kind: 'import', url: 'http://x/y.raw'}],
  ['registry', {source: {registry: {url: 'docker://x'}}}, {kind: 'import', url: 'docker://x'}],
  ['clone', {source: {pvc: {namespace: 'images', name: 'i'}}}, {kind: 'clone', namespace: 'images', name: 'i'}],
  [
    'source reference, own namespace',
    {sourceRef: {kind: 'DataSource', name: 's'}},
    {kind: 'clone-of-data-source', namespace: 'ns', name: 's'},
  ],
  ['upload', {source: {upload: {}}}, {kind: 'upload'}],
  ['blank', {source: {blank: {}}}, {kind: 'blank'}],
])('work of %s', (_name, spec, work) => {
  expect(workOf(volume(spec))).toEqual(work);
});

test.each([
  ['http://127.0.0.1/fail/disk.raw', true],
  ['http://127.0.0.1/disk.raw?fail', true],
  ['http://127.0.0.1/failover.raw', false],
  ['http://127.0.0.1/disk.raw', false],
])('%s is marked to fail: %s', (url, expected) => {
  expect(isMarkedToFail(url)).toBe(expected);
});

test('the claim has the name, asks for what the volume asks for and belongs to it', () => {
  const claim = claimOf(
    volume({
      storage: {resources: {requests: {storage: '3Gi'}}, accessModes: ['ReadWriteMany'], storageClassName: 'fast', volumeMode: 'Block'},
    }),
  );
  expect(claim.metadata).toMatchObject({name: 'd1', namespace: 'ns', ownerReferences: [{kind: 'DataVolume', uid: 'u1', controller: true}]});
  expect(claim.spec).toEqual({
    accessModes: ['ReadWriteMany'],
    resources: {requests: {storage: '3Gi'}},
    volumeMode: 'Block',
    storageClassName: 'fast',
  });
});

describe('status', () => {
  test.each<[DataVolumePhase, string, object]>([
    ['Pending', 'N/A', {Bound: 'False', Running: 'False', Ready: 'False'}],
    ['ImportInProgress', '50.0%', {Bound: 'True', Running: 'True', Ready: 'False'}],
    ['UploadReady', 'N/A', {Bound: 'True', Running: 'True', Ready: 'False'}],
    ['Succeeded', '100.0%', {Bound: 'True', Running: 'False', Ready: 'True'}],
    ['Failed', 'N/A', {Bound: 'True', Running: 'False', Ready: 'False'}],
  ])('%s', (phase, progress, conditions) => {
    const status = dataVolumeStatus(volume({}), phase, 'why', NOW);
    expect(status).toMatchObject({phase, progress});
    expect(Object.fromEntries((status.conditions ?? []).map((condition) => [condition.type, condition.status]))).toEqual(conditions);
    expect(dataVolumeStatus(volume({}, status), phase, 'why', NOW + 5_000)).toBe(status);
  });

  test('a failure carries its message', () => {
    expect(dataVolumeStatus(volume({}), 'Failed', 'no such host', NOW).conditions).toContainEqual(
      expect.objectContaining({type: 'Running', reason: 'Error', message: 'no such host'}),
    );
  });
});
