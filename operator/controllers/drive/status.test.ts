import {describe, expect, test} from '@jest/globals';
import type {Drive} from '../../../crds/index.ts';
import {ApiError} from '../../../kube/errors.ts';
import type {PersistentVolumeClaim} from '../../../kube/types.ts';
import type {DataVolume} from '../../kubevirt/types.ts';
import {grownRequest, isRefusalOfGrowth} from './growth.ts';
import {isPressing} from './pressing.ts';
import {driveStatus} from './status.ts';
import type {DriveSeen} from './status.ts';

const MIB = 1024 ** 2;
const claim = (phase: 'Bound' | 'Pending' | 'Lost' = 'Bound', bytes = 64 * MIB, spec: object = {}): PersistentVolumeClaim =>
  ({
    metadata: {name: 'd'},
    spec: {resources: {requests: {storage: String(bytes)}}, ...spec},
    status: {phase, capacity: {storage: String(bytes)}},
  }) as unknown as PersistentVolumeClaim;
const drive = (more: object = {}): Drive =>
  ({metadata: {name: 'd', uid: 'u', generation: 3}, spec: {name: 'd', sizeBytes: 64 * MIB, ...more}}) as unknown as Drive;
const seen = (more: Partial<DriveSeen>): DriveSeen => ({
  drive: drive(),
  claims: [],
  waitsForConsumer: false,
  growing: false,
  nowMs: 0,
  ...more,
});
const conditions = (status: ReturnType<typeof driveStatus>) =>
  Object.fromEntries((status.conditions ?? []).map(({type, status: is, reason}) => [type, `${is} ${reason}`]));

describe('phase and conditions', () => {
  test.each<[string, Partial<DriveSeen>, string, Record<string, string>]>([
    [
      'blank, bound',
      {claim: claim()},
      'Ready',
      {
        Ready: 'True Ready',
        Bound: 'True Bound',
        Populated: 'True Blank',
        Resized: 'True Resized',
        InUse: 'False NotInUse',
        Deleting: 'False NotDeleting',
      },
    ],
    [
      'blank, waiting for a volume',
      {claim: claim('Pending')},
      'Creating',
      {Ready: 'False WaitingForVolume', Bound: 'False WaitingForVolume'},
    ],
    [
      'blank, and its class waits for a server: as ready as it can be',
      {claim: claim('Pending'), waitsForConsumer: true},
      'Ready',
      {Ready: 'True Ready', Bound: 'False WaitingForConsumer'},
    ],
    ['its volume is gone', {claim: claim('Lost')}, 'Failed', {Ready: 'False VolumeLost'}],
    [
      'nothing yet: its source is missing',
      {blocked: {reason: 'DependencyMissing', message: 'm', permanent: false}},
      'Pending',
      {Ready: 'False DependencyMissing', Bound: 'Unknown Pending', Populated: 'False DependencyMissing'},
    ],
    [
      'never: its source is larger',
      {blocked: {reason: 'CloneFailed', message: 'm', permanent: true}},
      'Failed',
      {Ready: 'False CloneFailed', Populated: 'False CloneFailed'},
    ],
    [
      'being copied',
      {claim: claim(), volume: {phase: 'Cloning', restarts: 0}},
      'Cloning',
      {Ready: 'False Cloning', Populated: 'False Cloning'},
    ],
    [
      'the copy fails',
      {
        claim: claim(),
        volume: {phase: 'Failed', restarts: 1, fault: {reason: 'ImportFailed', message: 'm', permanent: true}},
        drive: drive({source: {image: {name: 'i'}}}),
      },
      'Failed',
      {Populated: 'False CloneFailed'},
    ],
    ['filled', {claim: claim(), volume: {phase: 'Ready', restarts: 0}}, 'Ready', {Ready: 'True Ready', Populated: 'True Populated'}],
    ['growing', {claim: claim(), growing: true}, 'Ready', {Ready: 'False Resizing', Resized: 'False Resizing'}],
    ['refused to grow', {claim: claim(), growthRefused: 'no'}, 'Ready', {Resized: 'False ResizeFailed'}],
    ['held', {claim: claim(), claims: [{server: 'web', slot: 'ide:0:0', claimedAt: 'x'}]}, 'Ready', {InUse: 'True InUse'}],
    [
      'on its way out',
      {
        claim: claim(),
        deleting: {reason: 'WaitingForServers', message: 'm'},
        drive: {...drive(), metadata: {name: 'd', deletionTimestamp: 'x'}} as Drive,
      },
      'Deleting',
      {Ready: 'False Deleting', Deleting: 'True WaitingForServers'},
    ],
  ])('%s', (_name, more, phase, expected) => {
    const status = driveStatus(seen(more));
    expect(status.phase).toBe(phase);
    const found = conditions(status);
    expect(found).toMatchObject(expected);
    expect(Object.keys(found)).toEqual(['Ready', 'Bound', 'Populated', 'Resized', 'InUse', 'Deleting']);
  });

  test('facts', () => {
    const status = driveStatus(
      seen({
        claim: claim(),
        volume: {phase: 'Cloning', progressPercent: 40, restarts: 0},
        claims: [{server: 'web', slot: 'ide:0:0', claimedAt: 'x'}],
      }),
    );
    expect(status).toMatchObject({
      observedGeneration: 3,
      progressPercent: 40,
      capacityBytes: 64 * MIB,
      size: '64Mi',
      persistentVolumeClaim: 'd',
      server: 'web',
    });
    expect(driveStatus(seen({}))).not.toHaveProperty('claims');
    // What was asked for, and not what storage came of it.
    expect(driveStatus(seen({drive: drive({sizeBytes: 10_000_000_000})})).size).toBe('9.3Gi');
  });
});

describe('growth', () => {
  const volume = (bytes: number): DataVolume =>
    ({spec: {storage: {resources: {requests: {storage: String(bytes)}}}}}) as unknown as DataVolume;
  test.each<[string, number, PersistentVolumeClaim, DataVolume | undefined, number | undefined]>([
    ['blank, as it was', 64 * MIB, claim(), undefined, undefined],
    ['blank, larger', 100 * MIB, claim(), undefined, 100 * MIB],
    ['blank, rounded up to whole MiB', 100 * MIB + 1, claim(), undefined, 101 * MIB],
    ['copied: the claim has its overhead already', 64 * MIB, claim('Bound', 69 * MIB), volume(64 * MIB), undefined],
    ['copied, larger: with overhead for the file system', 128 * MIB, claim('Bound', 69 * MIB), volume(64 * MIB), 137 * MIB],
    ['copied, larger, and asked for already', 128 * MIB, claim('Bound', 137 * MIB), volume(64 * MIB), undefined],
    ['copied to a raw device: no overhead', 128 * MIB, claim('Bound', 64 * MIB, {volumeMode: 'Block'}), volume(64 * MIB), 128 * MIB],
  ])('%s', (_name, size, held, made, expected) => {
    expect(grownRequest(size, held, made)).toBe(expected);
  });
});

test.each<[string, number, string, boolean]>([
  ['of a policy', 403, 'persistentvolumeclaims "d" is forbidden: only dynamically provisioned pvc can be resized', true],
  ['of the schema', 422, 'PersistentVolumeClaim "d" is invalid', true],
  ['of an API server that knows no rights yet', 403, 'persistentvolumeclaims "d" is forbidden: User "o" cannot patch resource', false],
  ['of a server that fails', 500, 'no', false],
])('a refusal %s, %i: %s', (_name, status, message, expected) => {
  expect(isRefusalOfGrowth(new ApiError({status, reason: 'Unknown', message, verb: 'patch', resource: 'persistentvolumeclaims'}))).toBe(
    expected,
  );
});

describe('what is written at once', () => {
  test.each<[string, Parameters<typeof isPressing>, boolean]>([
    ['the first status', [undefined, {phase: 'Creating'}, false], true],
    ['the first status of a root drive is not, unless it is the last', [undefined, {phase: 'Creating'}, true], false],
    ['the end', [undefined, {phase: 'Ready'}, true], true],
    ['progress is not', [{phase: 'Cloning', progressPercent: 1}, {phase: 'Cloning', progressPercent: 9}, false], false],
    ['readiness', [{phase: 'Cloning'}, {phase: 'Ready'}, false], true],
    ['a claim', [{phase: 'Ready'}, {phase: 'Ready', claims: [{server: 'a', slot: 'ide:0:0', claimedAt: 'x'}]}, false], true],
  ])('%s', (_name, args, expected) => {
    expect(isPressing(...args)).toBe(expected);
  });
});
