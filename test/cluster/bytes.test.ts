/**
 * Bytes: CDI's own importer, cloner and upload server, run as processes, move every one of them, and what goes wrong is told on our Image or
 * Drive in words that a person understands. Every failure is begun at the start, so that their retries run side by side.
 */
import {createHash, randomBytes} from 'node:crypto';
import {existsSync} from 'node:fs';
import {resolve} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {clusterPaths} from '../../hack/cluster/paths.ts';
import {readRecords} from '../../hack/cluster/podrunner/record.ts';
import {signalProcess} from '../../hack/cluster/process-identity.ts';
import {readState, recordedProcesses} from '../../hack/cluster/state.ts';
import {BytesBench, conditionOf, eventually, sumOf} from '../lib/bytes-bench.ts';
import {startImageSource} from '../lib/image-source.ts';
import type {ImageSource} from '../lib/image-source.ts';

const {KUBECONFIG = '', BASALT_CLUSTER_DIR = '.cluster', BASALT_GUESTS} = process.env;
const paths = clusterPaths(resolve(BASALT_CLUSTER_DIR));
const suite = BASALT_GUESTS === 'qemu' ? describe : describe.skip;

const MIB = 1024 * 1024;
const SIZE = 64 * MIB;
// With zeros at the end, which a copy may leave out but a disk must have.
const bytes = Buffer.concat([randomBytes(24 * MIB), Buffer.alloc(8 * MIB)]);
const sum = createHash('sha256').update(bytes).digest('hex');

suite('bytes (needs GUESTS=qemu: where guests are simulated, CDI is played and moves none)', () => {
  let bench: BytesBench;
  let source: ImageSource;
  const http = (path: string, checksum?: string) => ({
    sizeBytes: SIZE,
    source: {http: {url: source.url(path), ...(checksum === undefined ? {} : {checksum})}},
  });

  beforeAll(async () => {
    bench = new BytesBench(KUBECONFIG);
    source = await startImageSource();
    source.serve('/good', {bytes});
    source.serve('/slow', {bytes, bytesPerSecond: 4 * MIB});
    source.serve('/long', {bytes, bytesPerSecond: 4 * MIB});
    source.serve('/cut', {bytes, cutAfterBytes: 8 * MIB});
    source.serve('/busy', {bytes, status: 503});
    await bench.createImage('slow', http('/slow', `sha256:${sum}`));
    await bench.createImage('missing', http('/nothing-here'));
    await bench.createImage('wrong', http('/good', `sha256:${'0'.repeat(64)}`));
    await bench.createImage('cut', http('/cut'));
    await bench.createImage('busy', http('/busy', `sha256:${sum}`));
    await bench.createImage('small', {...http('/good'), sizeBytes: 16 * MIB});
  }, 30_000);

  afterAll(async () => {
    await source.close();
    await bench.close();
  }, 60_000);

  test('an import shows its progress, is compared with its checksum and is there byte for byte', async () => {
    const percents = new Set<number>();
    const image = await bench.image(
      'slow',
      ({status}) => status?.phase === 'Ready',
      ({status}) => {
        if (status?.phase === 'Importing' && status.progressPercent !== undefined) percents.add(status.progressPercent);
      },
    );
    const between = [...percents].filter((percent) => percent > 0 && percent < 100);
    expect(between.length).toBeGreaterThanOrEqual(2);
    expect(between).toEqual(between.toSorted((a, b) => a - b));
    expect(conditionOf(image, 'Verified').said).toBe('True Verified');
    const disk = await bench.disk(image.status?.dataVolume ?? '');
    expect(disk.sizeBytes).toBe(SIZE);
    expect(sumOf(disk.path, bytes.length)).toBe(sum);
    expect(sumOf(disk.path, SIZE)).toBe(
      createHash('sha256')
        .update(bytes)
        .update(Buffer.alloc(SIZE - bytes.length))
        .digest('hex'),
    );
  }, 90_000);

  test('a drive that is cloned from it, and is larger, has the same bytes', async () => {
    await bench.createDrive('clone', {sizeBytes: 2 * SIZE, source: {image: {name: bench.name('slow')}}});
    const drive = await bench.drive('clone', ({status}) => status?.phase === 'Ready');
    const disk = await bench.disk(drive.status?.persistentVolumeClaim ?? '');
    expect(sumOf(disk.path, bytes.length)).toBe(sum);
    expect(drive.status?.capacityBytes).toBeGreaterThanOrEqual(2 * SIZE);
  }, 90_000);

  test('an upload goes straight to the upload server, with a certificate of the authority that CDI trusts', async () => {
    await bench.createDrive('upload', {sizeBytes: SIZE, source: {upload: {}}});
    await bench.drive('upload', ({status}) => status?.phase === 'AwaitingUpload');
    const claim = bench.name('upload');
    expect(await bench.upload(claim, bytes, paths.pki)).toBe(200);
    await bench.drive('upload', ({status}) => status?.phase === 'Ready');
    expect(sumOf((await bench.disk(claim)).path, bytes.length)).toBe(sum);
  }, 90_000);

  test('a source that has nothing fails the image after a few attempts and says what to do', async () => {
    const image = await bench.image('missing', ({status}) => status?.phase === 'Failed');
    const {said, message} = conditionOf(image, 'Ready');
    expect(said).toBe('False SourceUnreachable');
    expect(message).toMatch(/nothing under this address \(404\); put it there or make this anew .* \(attempt \d+ failed; the next follows/);
  }, 90_000);

  test('a wrong checksum fails it for good, without another attempt', async () => {
    const image = await bench.image('wrong', ({status}) => status?.phase === 'Failed');
    expect(conditionOf(image, 'Ready').said).toBe('False ChecksumMismatch');
    expect(conditionOf(image, 'Verified').message).toMatch(new RegExp(`thrown away; .* calculated sha256:${sum}`));
    expect(image.status?.attempts).toBe(1);
  }, 90_000);

  test('content that is larger than the image fails it and asks for more bytes', async () => {
    const image = await bench.image('small', ({status}) => status?.phase === 'Failed');
    expect(conditionOf(image, 'Ready').said).toBe('False ImportFailed');
    expect(conditionOf(image, 'Ready').message).toContain('does not fit; make this anew with more bytes');
  }, 90_000);

  test('a connection that is cut in the middle is tried again and again, and recovers with its source', async () => {
    const failing = await bench.image('cut', (image) => /attempt [2-9] failed/.test(conditionOf(image, 'Ready').message));
    expect(failing.status?.phase).toBe('Importing');
    expect(conditionOf(failing, 'Ready').message).toMatch(/^the connection to the source was cut in the middle: .*unexpected EOF/);
    source.serve('/cut', {bytes});
    const image = await bench.image('cut', ({status}) => status?.phase === 'Ready');
    expect(sumOf((await bench.disk(image.status?.dataVolume ?? '')).path, bytes.length)).toBe(sum);
  }, 150_000);

  test('a source that is busy is asked again until it answers', async () => {
    const failing = await bench.image('busy', (image) => /attempt [2-9] failed/.test(conditionOf(image, 'Ready').message));
    expect(conditionOf(failing, 'SourceReachable').said).toBe('False SourceUnreachable');
    source.serve('/busy', {bytes});
    const image = await bench.image('busy', ({status}) => status?.phase === 'Ready');
    expect(image.status?.attempts).toBeGreaterThan(2);
    expect(conditionOf(image, 'Verified').said).toBe('True Verified');
  }, 150_000);

  test('a pod runner that is killed in the middle of an import finds it going on', async () => {
    await bench.createImage('long', http('/long', `sha256:${sum}`));
    await bench.image('long', ({status}) => (status?.progressPercent ?? 0) >= 10);
    const asked = source.requests('/long');
    const runner = recordedProcesses(readState(paths.state) ?? fail('no cluster')).find(({name}) => name === 'podrunner')?.identity;
    expect(signalProcess(runner ?? fail('no pod runner'), 'SIGKILL')).toBe(true);
    const image = await bench.image('long', ({status}) => status?.phase === 'Ready');
    expect(image.status?.attempts).toBe(1);
    expect(source.requests('/long')).toBe(asked);
    expect(conditionOf(image, 'Verified').said).toBe('True Verified');
  }, 90_000);

  test('when all is deleted, also what is still being tried, no process and no file of a pod is left', async () => {
    const folders = await bench.folders();
    expect(folders.length).toBeGreaterThan(3);
    await bench.removeAll();
    await eventually('no records of pods', async (note) => {
      const left = [...readRecords(paths.pods).values()].filter(({name}) => name.endsWith(bench.name('')));
      note(left.map(({name}) => name).join(', '));
      return left.length === 0 ? true : undefined;
    });
    await eventually('no volumes', async (note) => {
      const left = folders.filter((folder) => existsSync(folder));
      note(left.join(', '));
      return left.length === 0 ? true : undefined;
    });
  }, 150_000);
});

function fail(why: string): never {
  throw new Error(why);
}
