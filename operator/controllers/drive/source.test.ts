import {describe, expect, test} from '@jest/globals';
import type {Account, Drive, Image} from '../../../crds/index.ts';
import {EVERYONE} from '../../../crds/rules/readers.ts';
import {driveSource} from './source.ts';
import type {SourceView} from './source.ts';

const GIB = 1024 ** 3;
const drive = (source?: object, sizeBytes = GIB): Drive =>
  ({metadata: {name: 'd', namespace: 'acct-demo'}, spec: {name: 'd', sizeBytes, source}}) as unknown as Drive;
const image = (more: {readonly spec?: object; readonly status?: object; readonly metadata?: object} = {}): Image =>
  ({
    metadata: {name: 'i', namespace: 'basalt-system', ...more.metadata},
    spec: {name: 'i', visibility: 'Public', ...more.spec},
    status: {phase: 'Ready', dataVolume: 'img-i', sizeBytes: GIB, ...more.status},
  }) as unknown as Image;
const other = (more: {readonly spec?: object; readonly status?: object; readonly metadata?: object} = {}): Drive =>
  ({
    metadata: {name: 'o', namespace: 'acct-other', ...more.metadata},
    spec: {name: 'o', sizeBytes: GIB, readers: ['demo'], ...more.spec},
    status: {phase: 'Ready', persistentVolumeClaim: 'o', ...more.status},
  }) as unknown as Drive;
const account = {metadata: {name: 'demo', uid: '11111111-1111-1111-1111-111111111111'}, spec: {}, status: {}} as unknown as Account;
const view = (more: Partial<SourceView>): SourceView => ({
  image: undefined,
  sourceDrive: undefined,
  sourceMountedBy: undefined,
  account,
  ...more,
});

test('nothing and upload', () => {
  expect(driveSource(drive(), view({}))).toEqual({kind: 'blank'});
  expect(driveSource(drive({upload: {}}), view({}))).toEqual({kind: 'bytes', source: {kind: 'upload'}, cloning: false});
});

describe('an image', () => {
  const from = {image: {namespace: 'basalt-system', name: 'i'}};
  test.each<[string, Image | undefined, number, object]>([
    ['ready', image(), GIB, {kind: 'bytes', source: {kind: 'claim', namespace: 'basalt-system', name: 'img-i'}}],
    ['absent', undefined, GIB, {reason: 'DependencyMissing', permanent: false}],
    [
      'private to another account: as if it were absent',
      image({spec: {visibility: 'Private'}}),
      GIB,
      {reason: 'DependencyMissing', permanent: false},
    ],
    ['still importing', image({status: {phase: 'Importing'}}), GIB, {reason: 'DependencyNotReady', permanent: false}],
    [
      'failed',
      image({status: {phase: 'Failed', conditions: [{type: 'Ready', status: 'False', message: '404'}]}}),
      GIB,
      {reason: 'DependencyNotReady', message: 'image i failed to import: 404', permanent: true},
    ],
    ['on its way out', image({metadata: {deletionTimestamp: 'x'}}), GIB, {reason: 'ObjectDeleted', permanent: false}],
    ['larger than the drive', image({status: {sizeBytes: 2 * GIB}}), GIB, {reason: 'CloneFailed', permanent: true}],
  ])('%s', (_name, found, size, expected) => {
    expect(driveSource(drive(from, size), view({image: found}))).toMatchObject(expected);
  });

  test('of the same account may be private', () => {
    const own = image({metadata: {namespace: 'acct-demo'}, spec: {visibility: 'Private'}});
    expect(driveSource(drive({image: {name: 'i'}}), view({image: own}))).toMatchObject({source: {namespace: 'acct-demo', name: 'img-i'}});
  });
});

describe('another drive', () => {
  const from = {drive: {namespace: 'acct-other', name: 'o'}};
  test.each<[string, Partial<SourceView>, object]>([
    [
      'whose readers name the account',
      {sourceDrive: other()},
      {kind: 'bytes', source: {kind: 'claim', namespace: 'acct-other', name: 'o'}},
    ],
    ['whose readers name its uuid', {sourceDrive: other({spec: {readers: ['11111111-1111-1111-1111-111111111111']}})}, {kind: 'bytes'}],
    ['whose readers are everybody', {sourceDrive: other({spec: {readers: [EVERYONE]}}), account: undefined}, {kind: 'bytes'}],
    ['whose readers do not: as if it were absent', {sourceDrive: other({spec: {readers: []}})}, {reason: 'DependencyMissing'}],
    ['absent', {}, {reason: 'DependencyMissing'}],
    ['not ready', {sourceDrive: other({status: {phase: 'Creating'}})}, {reason: 'DependencyNotReady'}],
    ['in use', {sourceDrive: other(), sourceMountedBy: 'web'}, {reason: 'InUse', permanent: false}],
    ['larger', {sourceDrive: other({spec: {sizeBytes: 2 * GIB}})}, {reason: 'CloneFailed', permanent: true}],
    ['on its way out', {sourceDrive: other({metadata: {deletionTimestamp: 'x'}})}, {reason: 'ObjectDeleted'}],
  ])('%s', (_name, seen, expected) => {
    expect(driveSource(drive(from), view(seen))).toMatchObject(expected);
  });
});
