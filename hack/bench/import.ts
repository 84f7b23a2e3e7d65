/** An image's import by CDI's own importer, next to curl writing the same bytes to the same disk. */
import {createCipheriv, randomBytes} from 'node:crypto';
import {createWriteStream} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {IMAGE, type Image} from '../../crds/index.ts';
import {run} from '../lib/process.ts';
import {BENCH_LABEL, need, timeUntil, type BenchContext} from './context.ts';
import type {Row} from './measure.ts';

const CHUNK_BYTES = 1024 ** 2;
const IMPORT_TIMEOUT_MS = 10 * 60_000;
const VOLUMES = '/tmp/hostpath_pv'; // kube-controller-manager's provisioner knows no other folder

/** Bytes that neither compress nor are zeros, which an importer would leave out: the key stream of a cipher. */
async function writeNoise(file: string, sizeBytes: number): Promise<void> {
  const cipher = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16));
  const zeros = Buffer.alloc(CHUNK_BYTES);
  const noise = function* (): Generator<Buffer> {
    for (let written = 0; written < sizeBytes; written += CHUNK_BYTES) yield cipher.update(zeros);
  };
  await pipeline(Readable.from(noise()), createWriteStream(file));
}

/** Imports `sizeBytes` (a multiple of 1 MiB) and compares the rates: 1 would be as fast as curl, control and checks included. */
export async function measureImport(context: BenchContext, sizeBytes: number): Promise<Row> {
  const name = 'bench-import';
  const source = join(need(context, 'BASALT_CLUSTER_DIR'), 'images', `${name}.raw`);
  const url = new URL(`${name}.raw`, need(context, 'BASALT_IMAGE_URL')).href;
  const scratch = await mkdtemp(join(VOLUMES, 'bench-'));
  const image = {
    apiVersion: 'basalt.dev/v1alpha1',
    kind: 'Image',
    metadata: {name, namespace: 'basalt-system', labels: {[BENCH_LABEL]: 'true'}},
    spec: {name, type: 'Disk', visibility: 'Private', sizeBytes, source: {http: {url}}},
  } as Image;
  const ref = {namespace: 'basalt-system', name};
  try {
    await writeNoise(source, sizeBytes);
    const curl = async (): Promise<number> => {
      const target = join(scratch, 'curl.raw');
      await rm(target, {force: true});
      const started = performance.now();
      await run('curl', ['-sS', '-f', '-o', target, url], {timeoutMs: IMPORT_TIMEOUT_MS, signal: context.signal});
      return performance.now() - started;
    };
    const before = await curl();
    const started = performance.now();
    await context.client.create(IMAGE, image, {signal: context.signal});
    const importMs = await timeUntil(context, 'the image is Ready', IMPORT_TIMEOUT_MS, started, async () => {
      const {status} = await context.client.get(IMAGE, ref, {signal: context.signal});
      if (status?.phase === 'Failed') throw new Error(`the import failed: ${JSON.stringify(status.conditions)}`);
      return status?.phase === 'Ready';
    });
    await context.client.delete(IMAGE, ref, {signal: context.signal});
    const curlMs = (before + (await curl())) / 2;
    const rate = (ms: number): string => `${((sizeBytes / 1024 ** 2 / ms) * 1000).toFixed(0)} MiB/s`;
    const detail = `${sizeBytes / 1024 ** 2} MiB from loopback: ${(importMs / 1000).toFixed(1)} s (${rate(importMs)}) from the create of the Image to Ready, curl ${(curlMs / 1000).toFixed(1)} s (${rate(curlMs)}, mean of one before and one after)`;
    return {name: 'import of an image / curl to the same disk', value: curlMs / importMs, unit: 'ratio', goal: {atLeast: 0.7}, detail};
  } finally {
    await rm(scratch, {recursive: true, force: true});
    await rm(source, {force: true});
  }
}
