import {describe, expect, test} from '@jest/globals';
import type {Drive, Image} from '../../../crds/index.ts';
import {DEFAULT_IMAGE_BYTES} from '../../../crds/rules/sizes.ts';
import {desiredDataSource, desiredDataVolume, imageBytes, imageSource} from './plan.ts';
import {imageStatus} from './status.ts';
import type {ImageSeen} from './status.ts';

const image = (spec: object = {}, status: object = {}): Image =>
  ({
    apiVersion: 'basalt.dev/v1alpha1',
    kind: 'Image',
    metadata: {name: 'i', namespace: 'ns', uid: 'u', generation: 2},
    spec: {name: 'i', source: {http: {url: 'http://h/i'}}, ...spec},
    status,
  }) as unknown as Image;
const drive = (status: object): Drive => ({metadata: {name: 'd', namespace: 'ns'}, spec: {sizeBytes: 5}, status}) as unknown as Drive;

test.each<[string, Image, Drive | undefined, object]>([
  ['http', image(), undefined, {kind: 'http', url: 'http://h/i'}],
  ['http with a checksum', image({source: {http: {url: 'http://h/i', checksum: 'md5:0'}}}), undefined, {kind: 'http', checksum: 'md5:0'}],
  ['registry', image({source: {registry: {url: 'docker://r/i'}}}), undefined, {kind: 'registry', url: 'docker://r/i'}],
  ['upload', image({source: {upload: {}}}), undefined, {kind: 'upload'}],
  [
    'a drive',
    image({source: {drive: {name: 'd'}}}),
    drive({phase: 'Ready', persistentVolumeClaim: 'd'}),
    {kind: 'claim', namespace: 'ns', name: 'd'},
  ],
  ['a drive that is not there', image({source: {drive: {name: 'd'}}}), undefined, {reason: 'DependencyMissing'}],
  ['a drive that is not ready', image({source: {drive: {name: 'd'}}}), drive({phase: 'Creating'}), {reason: 'DependencyNotReady'}],
])('source: %s', (_name, object, source, expected) => {
  expect(imageSource(object, source)).toMatchObject(expected);
});

test('size: what it says, at least what its drive has, else 1 GiB', () => {
  expect([
    imageBytes(image({sizeBytes: 7}), undefined),
    imageBytes(image({sizeBytes: 3}), drive({})),
    imageBytes(image(), undefined),
  ]).toEqual([7, 5, DEFAULT_IMAGE_BYTES]);
});

test('children bear a prefix, since images and drives share a namespace', () => {
  const volume = desiredDataVolume(image(), {kind: 'upload'}, 1, {});
  expect(volume.metadata).toMatchObject({
    name: 'img-i',
    namespace: 'ns',
    annotations: {'cdi.kubevirt.io/storage.bind.immediate.requested': 'true'},
  });
  expect(desiredDataSource(image()).spec.source.pvc).toEqual({namespace: 'ns', name: 'img-i'});
});

describe('status', () => {
  const seen = (more: Partial<ImageSeen>): ImageSeen => ({image: image(), nowMs: Date.parse('2026-01-01T00:00:00Z'), ...more});
  const conditions = (more: Partial<ImageSeen>) =>
    Object.fromEntries((imageStatus(seen(more)).conditions ?? []).map(({type, status, reason}) => [type, `${status} ${reason}`]));

  test.each<[string, Partial<ImageSeen>, string, Record<string, string>]>([
    [
      'nothing yet',
      {},
      'Pending',
      {
        Ready: 'False Pending',
        SourceReachable: 'Unknown Pending',
        Verified: 'Unknown Pending',
        UpToDate: 'Unknown Pending',
        Deleting: 'False NotDeleting',
      },
    ],
    [
      'waiting for its drive',
      {blocked: {reason: 'DependencyMissing', message: 'm'}},
      'Pending',
      {Ready: 'False DependencyMissing', SourceReachable: 'False DependencyMissing'},
    ],
    [
      'under way',
      {volume: {phase: 'Importing', progressPercent: 30, restarts: 0}},
      'Importing',
      {Ready: 'False Importing', SourceReachable: 'True Importing'},
    ],
    [
      'done',
      {volume: {phase: 'Ready', restarts: 0}},
      'Ready',
      {Ready: 'True Ready', SourceReachable: 'True SourceReachable', Verified: 'True NoChecksum', UpToDate: 'True UpToDate'},
    ],
    [
      'done, and verified',
      {image: image({source: {http: {url: 'x', checksum: 'md5:0'}}}), volume: {phase: 'Ready', restarts: 0}},
      'Ready',
      {Verified: 'True Verified'},
    ],
    [
      '404',
      {volume: {phase: 'Failed', restarts: 3, fault: {reason: 'SourceUnreachable', message: 'm', permanent: true}}},
      'Failed',
      {Ready: 'False SourceUnreachable', SourceReachable: 'False SourceUnreachable'},
    ],
    [
      'wrong bytes',
      {volume: {phase: 'Failed', restarts: 0, fault: {reason: 'ChecksumMismatch', message: 'm', permanent: true}}},
      'Failed',
      {Ready: 'False ChecksumMismatch', Verified: 'False ChecksumMismatch', SourceReachable: 'True SourceReachable'},
    ],
    [
      'the upload may begin',
      {volume: {phase: 'AwaitingUpload', restarts: 0}},
      'AwaitingUpload',
      {Ready: 'False AwaitingUpload', SourceReachable: 'True AwaitingUpload'},
    ],
  ])('%s', (_name, more, phase, expected) => {
    expect(imageStatus(seen(more)).phase).toBe(phase);
    expect(conditions(more)).toMatchObject(expected);
    expect(Object.keys(conditions(more))).toEqual(['Ready', 'SourceReachable', 'Verified', 'UpToDate', 'Deleting']);
  });

  test('its size can be read once it is known', () => {
    expect(imageStatus(seen({sizeBytes: 3 * 1024 ** 3})).size).toBe('3Gi');
    expect(imageStatus(seen({}))).not.toHaveProperty('size');
  });

  test('the time of import is stamped once and kept', () => {
    expect(imageStatus(seen({volume: {phase: 'Ready', restarts: 1}}))).toMatchObject({
      importedAt: '2026-01-01T00:00:00Z',
      attempts: 2,
      progressPercent: 100,
    });
    expect(
      imageStatus(seen({image: image({}, {importedAt: '2025-01-01T00:00:00Z'}), volume: {phase: 'Ready', restarts: 0}})).importedAt,
    ).toBe('2025-01-01T00:00:00Z');
  });
});
