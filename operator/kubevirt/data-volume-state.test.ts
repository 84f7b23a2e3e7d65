import {describe, expect, test} from '@jest/globals';
import {faultOf, progressOf, volumePhaseOf, volumeStateOf} from './data-volume-state.ts';
import type {DataVolume} from './types.ts';

test.each([
  [undefined, 'Creating'],
  ['', 'Creating'],
  ['Pending', 'Creating'],
  ['PVCBound', 'Creating'],
  ['WaitForFirstConsumer', 'Creating'],
  ['PendingPopulation', 'Creating'],
  ['UploadScheduled', 'Creating'],
  ['ImportScheduled', 'Importing'],
  ['ImportInProgress', 'Importing'],
  ['Paused', 'Importing'],
  ['CloneScheduled', 'Cloning'],
  ['CloneInProgress', 'Cloning'],
  ['SnapshotForSmartCloneInProgress', 'Cloning'],
  ['CloneFromSnapshotSourceInProgress', 'Cloning'],
  ['SmartClonePVCInProgress', 'Cloning'],
  ['CSICloneInProgress', 'Cloning'],
  ['ExpansionInProgress', 'Cloning'],
  ['NamespaceTransferInProgress', 'Cloning'],
  ['PrepClaimInProgress', 'Cloning'],
  ['RebindInProgress', 'Cloning'],
  ['UploadReady', 'AwaitingUpload'],
  ['Succeeded', 'Ready'],
  ['Failed', 'Failed'],
  ['Unknown', 'Failed'],
  ['SomethingNew', 'Creating'],
])('CDI phase %j is %s', (cdi, ours) => {
  expect(volumePhaseOf(cdi)).toBe(ours);
});

test.each([
  ['45.2%', 45],
  ['0%', 0],
  ['100.0%', 100],
  ['N/A', undefined],
  [undefined, undefined],
])('progress %j is %j', (text, percent) => {
  expect(progressOf(text)).toBe(percent);
});

test.each([
  [
    'Unable to connect to http data source: expected status code 200, got 404. Status: 404 Not Found',
    'SourceUnreachable',
    'nothing under this address',
    true,
  ],
  ['expected status code 200, got 403. Status: 403 Forbidden', 'SourceUnreachable', 'refuses access', true],
  ['checksum mismatch: expected sha256:aa got sha256:bb', 'ChecksumMismatch', 'do not match', true],
  ['Virtual image size 4294967296 is larger than the reported available storage 1073741824.', 'ImportFailed', 'with more bytes', true],
  ['DataVolume too small to contain image', 'ImportFailed', 'with more bytes', true],
  ['dial tcp: lookup images.invalid on 10.96.0.10:53: no such host', 'SourceUnreachable', 'cannot be resolved', false],
  ['tls: failed to verify certificate: x509: certificate signed by unknown authority', 'SourceUnreachable', 'not trusted', false],
  ['failed to pull image: unexpected EOF', 'SourceUnreachable', 'cut in the middle', false],
  ['dial tcp 127.0.0.1:1: connect: connection refused', 'SourceUnreachable', 'does not answer', false],
  ['got 503. Status: 503 Service Unavailable', 'SourceUnreachable', 'does not answer', false],
  ['qemu-img: unsupported format', 'SourceUnreachable', 'no disk image', true],
  ['DataVolume.storage spec is missing accessMode and no StorageProfile', 'ImportFailed', 'cannot provide this storage', false],
  ['something nobody has seen', 'ImportFailed', '', false],
])('%s -> %s, %s', (message, reason, advice, permanent) => {
  const fault = faultOf(message);
  expect(fault).toMatchObject({reason, permanent});
  expect(fault.message).toContain(message.slice(0, 40));
  expect(fault.message).toContain(advice);
});

describe('volumeStateOf', () => {
  const volume = (status: object): DataVolume =>
    ({apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'DataVolume', metadata: {name: 'v'}, spec: {}, status}) as unknown as DataVolume;
  const stopped = (message: string, restartCount: number, phase = 'ImportInProgress') =>
    volumeStateOf(volume({phase, restartCount, conditions: [{type: 'Running', status: 'False', reason: 'Error', message}]}));

  test('under way', () => {
    expect(volumeStateOf(volume({phase: 'ImportInProgress', progress: '30.5%'}))).toEqual({
      phase: 'Importing',
      progressPercent: 30,
      restarts: 0,
    });
    expect(volumeStateOf(volume({}))).toEqual({phase: 'Creating', restarts: 0});
  });

  test('done is 100 percent, whatever the conditions still say', () => {
    expect(
      volumeStateOf(
        volume({phase: 'Succeeded', progress: 'N/A', conditions: [{type: 'Running', status: 'False', message: 'Import Complete'}]}),
      ),
    ).toEqual({
      phase: 'Ready',
      progressPercent: 100,
      restarts: 0,
    });
  });

  test('a source that is not there is failed after a few tries, and said before', () => {
    const message = 'expected status code 200, got 404';
    expect(stopped(message, 1)).toMatchObject({phase: 'Importing', fault: {reason: 'SourceUnreachable'}});
    expect(stopped(message, 3)).toMatchObject({phase: 'Failed', fault: {reason: 'SourceUnreachable'}});
  });

  test('a source that may come back is never failed', () => {
    expect(stopped('connection refused: error', 50)).toMatchObject({phase: 'Importing', fault: {reason: 'SourceUnreachable'}});
  });

  test('says how often it was tried, unless CDI has given up', () => {
    expect(stopped('connection refused: error', 2).fault?.message).toMatch(
      /\(attempt 2 failed; the next follows by itself, within 5 minutes\)$/,
    );
    expect(stopped('checksum mismatch', 2, 'Failed').fault?.message).not.toContain('attempt');
  });

  describe('while a failed worker is started again', () => {
    const started = (progress: string, restartCount = 4) =>
      volume({
        phase: 'ImportInProgress',
        restartCount,
        progress,
        conditions: [{type: 'Running', status: 'True', reason: 'Pod is running'}],
      });
    const condition = {reason: 'SourceUnreachable', message: 'nothing there'};

    test.each([
      ['its fault stands', 'N/A', {phase: 'Importing', condition}, 'Importing', condition.reason],
      ['failed stays failed', 'N/A', {phase: 'Failed', condition}, 'Failed', condition.reason],
      ['a failed clone too', '0.0%', {phase: 'Failed', condition: {...condition, reason: 'CloneFailed'}}, 'Failed', 'ImportFailed'],
      ['until bytes arrive', '3.1%', {phase: 'Failed', condition}, 'Importing', undefined],
      ['if there was one', 'N/A', {phase: 'Importing', condition: {reason: 'Importing', message: ''}}, 'Importing', undefined],
    ])('%s', (_name, progress, told, phase, reason) => {
      const state = volumeStateOf(started(progress), told);
      expect([state.phase, state.fault?.reason]).toEqual([phase, reason]);
    });

    test('the first attempt of another volume knows nothing of it', () => {
      expect(volumeStateOf(started('N/A', 0), {phase: 'Failed', condition}).fault).toBeUndefined();
    });
  });

  test('a worker that merely is not running yet is no fault', () => {
    expect(stopped('Importer pod is pending', 0)).toMatchObject({phase: 'Importing'});
    const waiting = volume({
      phase: 'ImportScheduled',
      conditions: [{type: 'Running', status: 'False', reason: 'ContainerCreating', message: ''}],
    });
    expect(volumeStateOf(waiting)).toEqual({phase: 'Importing', restarts: 0});
  });

  test('failed without a word', () => {
    expect(volumeStateOf(volume({phase: 'Failed'}))).toMatchObject({phase: 'Failed', fault: {reason: 'ImportFailed'}});
  });
});
