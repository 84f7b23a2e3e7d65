/**
 * Guests that boot: the time from a POST to the login prompt next to the same qemu command started by hand, ten at once, and memory.
 * The POST is CloudSigma's `servers/create` on a drive that is there, which starts the server: what is measured is Basalt, KubeVirt and the
 * boot. A Cyclades create has to clone the image first; it is measured beside it.
 */
import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import {DRIVE, SERVER} from '../../crds/index.ts';
import type {Drive, Server} from '../../crds/index.ts';
import type {KubeObject, ResourceType} from '../../kube/objects.ts';
import {bootBare, captureCommand, loginSeen, residentBytes, runFolderOf, runningGuest, type BareCommand} from './bare-guest.ts';
import {BENCH_LABEL, need, timeUntil, type BenchContext} from './context.ts';
import {inParallel, median, type Row} from './measure.ts';

const READY_TIMEOUT_MS = 120_000;
const MEMORY_MIB = 128;
const DISK_BYTES = 64 * 1024 ** 2;

interface Vmi extends KubeObject {
  readonly status?: {readonly phase?: string};
}
const VMI: ResourceType<Vmi> = {
  group: 'kubevirt.io',
  version: 'v1',
  plural: 'virtualmachineinstances',
  kind: 'VirtualMachineInstance',
  namespaced: true,
};

/** Drives cloned from the public image `tiny`, Ready. */
async function makeDrives(context: BenchContext, names: readonly string[]): Promise<void> {
  await inParallel(names, 4, async (name) => {
    const drive = {
      apiVersion: 'basalt.dev/v1alpha1',
      kind: 'Drive',
      metadata: {name, namespace: context.namespace, labels: {[BENCH_LABEL]: 'true'}},
      spec: {name, sizeBytes: DISK_BYTES, source: {image: {namespace: 'basalt-system', name: 'tiny'}}},
    } as Drive;
    await context.client.create(DRIVE, drive, {signal: context.signal});
    await timeUntil(context, `drive ${name} is Ready`, READY_TIMEOUT_MS, performance.now(), async () => {
      const {status} = await context.client.get(DRIVE, {namespace: context.namespace, name}, {signal: context.signal});
      return status?.phase === 'Ready';
    });
  });
}

/** The answer of `servers/create`, which has the server's uuid. */
async function postServer(context: BenchContext, name: string, driveUuid: string): Promise<string> {
  const login = Buffer.from(`${need(context, 'CS_USER')}:${need(context, 'CS_PASSWORD')}`).toString('base64');
  const response = await fetch(`${need(context, 'CS_BASE')}/servers/create`, {
    method: 'POST',
    headers: {authorization: `Basic ${login}`, 'content-type': 'text/plain'},
    body: `name ${name}\ncpu 1000\nsmp 1\nmem ${MEMORY_MIB}\nblock:0 ${driveUuid}\nboot block:0\n`,
    signal: context.signal,
  });
  const text = await response.text();
  const uuid = /^server (\S+)$/m.exec(text)?.[1];
  if (!response.ok || uuid === undefined) throw new Error(`servers/create answered ${response.status}: ${text.slice(0, 300)}`);
  return uuid;
}

/** Resolves with the run folder of the server's guest as soon as there is an instance of it. */
async function guestFolder(context: BenchContext, uuid: string): Promise<string> {
  const cluster = need(context, 'BASALT_CLUSTER_DIR');
  let folder: string | undefined;
  await timeUntil(context, `the guest of ${uuid} is there`, READY_TIMEOUT_MS, performance.now(), async () => {
    const found = (await context.client.list(VMI, {namespace: context.namespace, labelSelector: `basalt.dev/server=${uuid}`})).items[0];
    folder = found === undefined ? undefined : await runFolderOf(cluster, found.metadata.uid ?? '').catch(() => undefined);
    return folder !== undefined;
  });
  return folder ?? '';
}

async function removeServer(context: BenchContext, uuid: string): Promise<void> {
  const list = await context.client.list(SERVER, {namespace: context.namespace, limit: 500});
  const server: Server | undefined = list.items.find((each) => each.status?.uuid === uuid || each.metadata.name === uuid);
  if (server === undefined) return;
  const ref = {namespace: context.namespace, name: server.metadata.name};
  await context.client.mergePatch(SERVER, ref, {spec: {powerState: 'Stopped'}}, {signal: context.signal});
  await context.client.delete(SERVER, ref, {signal: context.signal});
  await timeUntil(context, `${uuid} is gone`, READY_TIMEOUT_MS, performance.now(), async () => {
    const left = await context.client.list(SERVER, {namespace: context.namespace, limit: 500});
    return !left.items.some(({metadata}) => metadata.name === ref.name);
  });
}

interface Boot {
  readonly milliseconds: number;
  readonly uuid: string;
  readonly folder: string;
}

async function bootByPost(context: BenchContext, name: string, drive: string): Promise<Boot> {
  const started = performance.now();
  const uuid = await postServer(context, name, drive);
  const folder = await guestFolder(context, uuid);
  const seen = await loginSeen(join(folder, 'serial.log'), context.signal);
  return {milliseconds: seen - started, uuid, folder};
}

/** The command line of a guest that runs, to start it by hand later. */
async function capture({folder}: Boot): Promise<BareCommand & {readonly pid: number}> {
  const {pid, disk} = await runningGuest(folder);
  return {...(await captureCommand(pid, folder, disk)), pid};
}

async function driveUuids(context: BenchContext, names: readonly string[]): Promise<readonly string[]> {
  await makeDrives(context, names);
  return Promise.all(
    names.map(async (name) => {
      const {status, metadata} = await context.client.get(DRIVE, {namespace: context.namespace, name}, {signal: context.signal});
      return status?.uuid ?? metadata.uid ?? '';
    }),
  );
}

async function removeDrives(context: BenchContext, names: readonly string[]): Promise<void> {
  await inParallel(names, 4, async (name) => {
    await context.client.delete(DRIVE, {namespace: context.namespace, name}, {signal: context.signal});
  });
}

/** POST to login prompt, in turns with the same command by hand; and what a guest weighs beyond its own memory. */
export async function measureBoot(context: BenchContext, rounds: number): Promise<readonly Row[]> {
  const names = Array.from({length: rounds}, (_, index) => `bench-boot-${index}`);
  const drives = await driveUuids(context, names);
  const posted: number[] = [];
  const bare: number[] = [];
  const weights: number[] = [];
  for (const [index, drive] of drives.entries()) {
    const boot = await bootByPost(context, names[index] ?? '', drive);
    posted.push(boot.milliseconds);
    const command = await capture(boot);
    try {
      weights.push((await residentBytes(command.pid)) / 1e6);
      await removeServer(context, boot.uuid);
      bare.push(await bootBare(command, String(index), context.signal));
    } finally {
      await rm(command.folder, {recursive: true, force: true});
    }
  }
  await removeDrives(context, names);
  const value = median(posted) / median(bare);
  const detail = `median of ${rounds}: ${(median(posted) / 1000).toFixed(2)} s from POST servers/create on a drive to the login prompt, ${(median(bare) / 1000).toFixed(2)} s from the start of the same qemu command by hand`;
  const weight = median(weights);
  return [
    {name: 'POST → login prompt / the same qemu by hand', value, unit: 'ratio', goal: {atMost: 1.25}, detail},
    {
      name: 'resident memory of a guest beyond its own',
      value: weight - MEMORY_MIB * 1.048576,
      unit: 'MB',
      detail: `median of ${rounds}: qemu has ${weight.toFixed(0)} MB resident for a guest of ${MEMORY_MIB} MiB at its login prompt`,
    },
  ];
}

/** Many at once, each through its own POST, next to as many of the same command started by hand at once. */
export async function measureMany(context: BenchContext, count: number): Promise<Row> {
  const names = Array.from({length: count}, (_, index) => `bench-many-${index}`);
  const drives = await driveUuids(context, names);
  const started = performance.now();
  const boots = await Promise.all(drives.map((drive, index) => bootByPost(context, names[index] ?? '', drive)));
  const posted = performance.now() - started;
  const command = await capture(boots[0] ?? never());
  try {
    await inParallel(boots, 4, ({uuid}) => removeServer(context, uuid));
    const bareStarted = performance.now();
    await Promise.all(boots.map((_, index) => bootBare(command, String(index), context.signal)));
    const bare = performance.now() - bareStarted;
    await removeDrives(context, names);
    const detail = `${(posted / 1000).toFixed(1)} s until all ${count} are at their login prompts, ${(bare / 1000).toFixed(1)} s for ${count} bare ones at once`;
    return {name: `${count} guests at once / ${count} bare ones`, value: posted / bare, unit: 'ratio', detail};
  } finally {
    await rm(command.folder, {recursive: true, force: true});
  }
}

function never(): never {
  throw new Error('no guest was booted');
}
