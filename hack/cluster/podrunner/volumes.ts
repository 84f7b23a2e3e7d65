/** Volumes of a pod as folders of this machine. */
import {chmodSync, mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join, normalize} from 'node:path';
import type {ConfigMap, PersistentVolume, PersistentVolumeClaim, Secret} from '../../../kube/types.ts';
import {entriesOf} from './environment.ts';
import type {ObjectReader} from './environment.ts';
import {fieldOf} from './fields.ts';
import type {Addresses} from './fields.ts';
import {NotYet} from './not-yet.ts';
import type {DownwardFiles, KeyToPath, ObjectFiles, Projection, RunnerPod, Volume} from './pod.ts';

/** What volumes are made of. */
export interface VolumeReader extends ObjectReader {
  claim(name: string): Promise<PersistentVolumeClaim | undefined>;
  persistentVolume(name: string): Promise<PersistentVolume | undefined>;
  /** A token of the pod's ServiceAccount. */
  token(audience: string | undefined, expirationSeconds: number): Promise<string>;
}

/** A path below a volume. Throws for one that leaves it. */
export function inside(folder: string, path: string): string {
  const clean = normalize(path);
  if (clean.startsWith('/') || clean.split('/').includes('..')) throw new Error(`path ${path} leads out of its volume`);
  return join(folder, clean);
}

/**
 * The folder of one volume; files are (re)written below `folder`, which nobody else reads.
 * @throws NotYet while what it is made of is not there.
 */
export async function volumeFolder(
  pod: RunnerPod,
  volume: Volume,
  folder: string,
  reader: VolumeReader,
  addresses: Addresses,
): Promise<string> {
  if (volume.persistentVolumeClaim !== undefined) return await claimFolder(volume.persistentVolumeClaim.claimName, reader);
  if (volume.emptyDir !== undefined) {
    mkdirSync(folder, {recursive: true}); // its content outlives a restart of the container
    chmodSync(folder, 0o777);
    return folder;
  }
  const files = new Map<string, Buffer>();
  for (const source of projectionsOf(volume)) await addFiles(pod, volume.name, source, files, reader, addresses);
  rmSync(folder, {recursive: true, force: true});
  mkdirSync(folder, {recursive: true});
  for (const [path, content] of files) {
    const file = inside(folder, path);
    mkdirSync(dirname(file), {recursive: true});
    writeFileSync(file, content, {mode: 0o644});
  }
  return folder;
}

function projectionsOf({secret, configMap, downwardAPI, projected}: Volume): readonly Projection[] {
  if (secret !== undefined) return [{secret}];
  if (configMap !== undefined) return [{configMap}];
  if (downwardAPI !== undefined) return [{downwardAPI}];
  return projected?.sources ?? [];
}

async function addFiles(
  pod: RunnerPod,
  volume: string,
  {secret, configMap, downwardAPI, serviceAccountToken}: Projection,
  files: Map<string, Buffer>,
  reader: VolumeReader,
  addresses: Addresses,
): Promise<void> {
  if (secret !== undefined) {
    const name = nameOf(secret);
    pick(`secret "${name}"`, volume, await reader.secret(name), secret, files);
  }
  if (configMap !== undefined) {
    const name = nameOf(configMap);
    pick(`configmap "${name}"`, volume, await reader.configMap(name), configMap, files);
  }
  if (downwardAPI !== undefined) addFields(pod, volume, downwardAPI, files, addresses);
  if (serviceAccountToken !== undefined) {
    const {path, audience, expirationSeconds = 3600} = serviceAccountToken;
    files.set(path, Buffer.from(await reader.token(audience, expirationSeconds)));
  }
}

const nameOf = ({secretName, name}: ObjectFiles): string => secretName ?? name ?? '';

function pick(what: string, volume: string, object: Secret | ConfigMap | undefined, wanted: ObjectFiles, files: Map<string, Buffer>): void {
  if (object === undefined) {
    if (wanted.optional === true) return;
    throw new NotYet('ContainerCreating', `volume ${volume}: ${what} not found`);
  }
  const entries = entriesOf(object);
  const items: readonly KeyToPath[] = wanted.items ?? [...entries.keys()].map((key) => ({key, path: key}));
  for (const {key, path} of items) {
    const content = entries.get(key);
    if (content !== undefined) files.set(path, content);
    else if (wanted.optional !== true) throw new NotYet('ContainerCreating', `volume ${volume}: ${what} has no key ${key}`);
  }
}

function addFields(pod: RunnerPod, volume: string, {items = []}: DownwardFiles, files: Map<string, Buffer>, addresses: Addresses): void {
  for (const {path, fieldRef} of items) {
    if (fieldRef === undefined) throw new Error(`volume ${volume}: the pod runner knows no resourceFieldRef`);
    files.set(path, Buffer.from(fieldOf(pod, fieldRef.fieldPath, addresses)));
  }
}

async function claimFolder(name: string, reader: VolumeReader): Promise<string> {
  const claim = await reader.claim(name);
  if (claim === undefined) throw new NotYet('ContainerCreating', `persistentvolumeclaim "${name}" not found`);
  if (claim.status?.phase !== 'Bound' || claim.spec?.volumeName === undefined)
    throw new NotYet('ContainerCreating', `persistentvolumeclaim "${name}" is not bound yet`);
  const volume = await reader.persistentVolume(claim.spec.volumeName);
  if (volume === undefined) throw new NotYet('ContainerCreating', `persistentvolume "${claim.spec.volumeName}" not found`);
  const path = volume.spec.hostPath?.path ?? volume.spec.local?.path;
  if (path === undefined) throw new Error(`persistentvolume "${volume.metadata.name}" is no folder of this machine`);
  mkdirSync(path, {recursive: true});
  return path;
}
