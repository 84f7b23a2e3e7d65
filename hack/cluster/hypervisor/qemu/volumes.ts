/** Volumes of a VMI as files of this machine. */
import {execFile} from 'node:child_process';
import {chmodSync, closeSync, existsSync, ftruncateSync, mkdirSync, openSync, statSync} from 'node:fs';
import {basename, join} from 'node:path';
import {promisify} from 'node:util';
import type {KubeClient} from '../../../../kube/client.ts';
import {PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, SECRET} from '../../../../kube/types.ts';
import type {Vmi} from '../types.ts';
import {mebibytesOf} from './machine.ts';
import type {VolumeFile} from './machine.ts';
import {seedFiles, writeSeed} from './seed.ts';
import type {CloudInit} from './seed.ts';

/** A volume as far as it has bytes. */
interface VolumeSpec {
  readonly name: string;
  readonly persistentVolumeClaim?: {readonly claimName: string; readonly readOnly?: boolean};
  readonly dataVolume?: {readonly name: string};
  readonly containerDisk?: {readonly image: string};
  readonly emptyDisk?: {readonly capacity: string};
  readonly cloudInitNoCloud?: CloudInit;
}

/** Where things are. */
export interface VolumeFolders {
  /** Files that only this guest has; they go when it ends. */
  readonly ephemeral: string;
  /** `<name>.raw` for container disks `…/<name>:<tag>`. */
  readonly images: string;
}

/** What was found for each volume. */
export type FoundVolumes = ReadonlyMap<string, VolumeFile | {readonly unsupported: string}>;

/**
 * Finds the bytes of every volume. A claim's disk is `disk.img` in its folder: made empty if there is none, and made larger where the
 * claim has grown or the source of its bytes was smaller, as virt-launcher does.
 * @throws where the cluster does not know a claim or Secret, or a file cannot be made.
 */
export async function findVolumes(vmi: Vmi, client: KubeClient, folders: VolumeFolders): Promise<FoundVolumes> {
  const found = new Map<string, VolumeFile | {readonly unsupported: string}>();
  for (const volume of (vmi.spec.volumes ?? []) as readonly VolumeSpec[])
    found.set(volume.name, await findVolume(vmi, volume, client, folders));
  return found;
}

/** Finds the bytes of one volume. */
export async function findVolume(
  vmi: Vmi,
  volume: VolumeSpec,
  client: KubeClient,
  folders: VolumeFolders,
): Promise<VolumeFile | {readonly unsupported: string}> {
  const namespace = vmi.metadata.namespace ?? '';
  const claim = volume.persistentVolumeClaim?.claimName ?? volume.dataVolume?.name;
  if (claim !== undefined)
    return {...(await claimFile(client, namespace, claim)), readOnly: volume.persistentVolumeClaim?.readOnly === true};
  mkdirSync(folders.ephemeral, {recursive: true, mode: 0o700});
  const own = (suffix: string): string => join(folders.ephemeral, `${volume.name}${suffix}`);
  if (volume.cloudInitNoCloud !== undefined) {
    const readSecret = async (name: string): Promise<Record<string, Buffer>> => {
      const {data = {}} = await client.get(SECRET, {namespace, name});
      return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64')]));
    };
    await writeSeed(own('.iso'), await seedFiles(vmi, volume.cloudInitNoCloud, readSecret));
    return {file: own('.iso'), format: 'raw', readOnly: true};
  }
  if (volume.emptyDisk !== undefined) {
    const sizeMiB = mebibytesOf(volume.emptyDisk.capacity);
    if (sizeMiB === undefined) return {unsupported: `capacity ${volume.emptyDisk.capacity} is no quantity`};
    ensureSize(own('.raw'), sizeMiB * 2 ** 20);
    return {file: own('.raw'), format: 'raw', readOnly: false};
  }
  if (volume.containerDisk !== undefined) return await overlayOf(volume.containerDisk.image, own('.qcow2'), folders.images);
  const kind = Object.keys(volume).find((key) => key !== 'name') ?? 'nothing';
  return {unsupported: `volumes of kind ${kind} are not there`};
}

async function claimFile(client: KubeClient, namespace: string, name: string): Promise<Omit<VolumeFile, 'readOnly'>> {
  const claim = await client.get(PERSISTENT_VOLUME_CLAIM, {namespace, name});
  const volumeName = claim.spec?.volumeName;
  if (volumeName === undefined || volumeName === '') throw new Error(`claim ${namespace}/${name} is bound to no volume`);
  const {spec} = await client.get(PERSISTENT_VOLUME, {name: volumeName});
  const folder = spec?.hostPath?.path ?? spec?.local?.path;
  if (folder === undefined) throw new Error(`volume ${volumeName} of claim ${namespace}/${name} is no folder of this machine`);
  const file = join(folder, 'disk.img');
  const capacity = claim.status?.capacity?.['storage'];
  const sizeMiB = mebibytesOf(typeof capacity === 'string' ? capacity : undefined);
  if (sizeMiB !== undefined) ensureSize(file, sizeMiB * 2 ** 20);
  return {file, format: 'raw'};
}

/** Makes a sparse file, or makes one larger; never smaller. */
export function ensureSize(file: string, sizeBytes: number): void {
  const isNew = !existsSync(file);
  if (!isNew && statSync(file).size >= sizeBytes) return;
  const handle = openSync(file, 'a');
  try {
    ftruncateSync(handle, sizeBytes);
  } finally {
    closeSync(handle);
  }
  if (isNew) chmodSync(file, 0o660);
}

async function overlayOf(image: string, overlay: string, images: string): Promise<VolumeFile | {readonly unsupported: string}> {
  const name = basename(image).split(/[:@]/)[0] ?? '';
  const base = join(images, `${name}.raw`);
  if (!existsSync(base)) return {unsupported: `container disk ${image}: there is no ${name}.raw among this cluster's images`};
  if (!existsSync(overlay))
    await promisify(execFile)('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', base, overlay], {timeout: 20_000});
  return {file: overlay, format: 'qcow2', readOnly: false};
}
