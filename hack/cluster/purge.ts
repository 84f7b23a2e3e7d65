/**
 * The folders of a purged cluster's volumes. kube-controller-manager's host-path provisioner makes them below a fixed, shared folder and
 * removes one only with its PersistentVolume, so the data of a cluster that is gone would stay for ever. Which are this cluster's? Their
 * names, a uuid each, stand in its etcd data, which can be read while nothing runs.
 */
import {createReadStream, existsSync} from 'node:fs';
import {join} from 'node:path';
import {filesBelow} from './files.ts';

/** Where the provisioner puts volumes (fixed in Kubernetes' source). */
const BASE = '/tmp/hostpath_pv';
const PATTERN = /\/tmp\/hostpath_pv\/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
/** Length of a match: the base, a slash and a uuid. What may be cut in two between chunks. */
const MATCH_LENGTH = BASE.length + 1 + 36;

/** Volume folders named in a stream of bytes. */
export async function findVolumeFolders(chunks: AsyncIterable<Buffer>): Promise<Set<string>> {
  const found = new Set<string>();
  let tail = '';
  for await (const chunk of chunks) {
    const text = tail + chunk.toString('latin1');
    for (const [path] of text.matchAll(PATTERN)) found.add(path);
    tail = text.slice(-(MATCH_LENGTH - 1));
  }
  return found;
}

/** Existing volume folders of the cluster whose etcd data is in the folder. */
export async function hostPathFolders(etcd: string): Promise<string[]> {
  if (!existsSync(BASE)) return [];
  const found = new Set<string>();
  for (const file of filesBelow(etcd)) {
    for (const path of await findVolumeFolders(createReadStream(join(etcd, file), {highWaterMark: 1024 * 1024}))) found.add(path);
  }
  return [...found].filter((path) => existsSync(path));
}
