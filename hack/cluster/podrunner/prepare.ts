/** From a pod to the command line of its sandbox: everything that is read from the cluster for it, once per start. */
import {existsSync, mkdirSync, readlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {environmentOf, expand} from './environment.ts';
import type {Addresses} from './fields.ts';
import {hostsFile} from './peers.ts';
import type {PeerReader} from './peers.ts';
import {containerOf} from './pod.ts';
import type {RunnerPod} from './pod.ts';
import {terminationFile} from './process.ts';
import type {Program} from './programs.ts';
import {sandboxOptions} from './sandbox.ts';
import type {RootLayout, Sandbox} from './sandbox.ts';
import {inside, volumeFolder} from './volumes.ts';
import type {VolumeReader} from './volumes.ts';

/** Reads the cluster for one pod. */
export type Reader = VolumeReader & PeerReader;

/** Where Kubernetes looks for a container's last word. */
const TERMINATION_PATH = '/dev/termination-log';

/** How this machine's root is laid out. */
export function rootLayout(): RootLayout {
  const links: Record<string, string | undefined> = {};
  for (const path of ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']) {
    if (!existsSync(path)) continue;
    try {
      links[path] = readlinkSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
      links[path] = undefined; // a folder
    }
  }
  return {links};
}

/**
 * The sandbox of a pod; files are written below `folder`. `environment` are variables for every process, below those of the pod.
 * @throws NotYet while something is missing.
 */
export async function prepare(
  pod: RunnerPod,
  program: Program,
  folder: string,
  addresses: Addresses,
  reader: Reader,
  environment: Readonly<Record<string, string>>,
): Promise<Sandbox> {
  const container = containerOf(pod);
  mkdirSync(folder, {recursive: true, mode: 0o700});
  const mounts = program.binds.map(({from, to}) => ({from, to, readOnly: true}));
  const volumes = new Map((pod.spec.volumes ?? []).map((volume) => [volume.name, volume]));
  const folders = new Map<string, string>();
  for (const {name, mountPath, subPath = '', readOnly = false} of container.volumeMounts ?? []) {
    const volume = volumes.get(name);
    if (volume === undefined) throw new Error(`there is no volume ${name}`);
    const from = folders.get(name) ?? (await volumeFolder(pod, volume, join(folder, 'volumes', name), reader, addresses));
    folders.set(name, from);
    const path = inside(from, subPath);
    if (!existsSync(path)) mkdirSync(path, {recursive: true});
    mounts.push({from: path, to: mountPath, readOnly: readOnly || volume.persistentVolumeClaim?.readOnly === true || isFiles(volume)});
  }
  const variables = await environmentOf(pod, addresses, reader, {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/tmp',
    HOSTNAME: pod.metadata.name,
    // A pod has all ports of its address; a process that shares the machine's network must be told to keep to that address.
    POD_IP: addresses.pod,
    LISTEN_ADDRESS: addresses.pod,
    ...environment,
  });
  const hosts = join(folder, 'hosts');
  const resolv = join(folder, 'resolv.conf');
  const termination = terminationFile(folder);
  writeFileSync(hosts, await hostsFile({name: pod.metadata.name, address: addresses.pod}, variables, reader));
  writeFileSync(
    resolv,
    '# There is no DNS in the local cluster: names are in /etc/hosts.\nnameserver 127.0.0.1\noptions timeout:1 attempts:1\n',
  );
  writeFileSync(termination, '', {mode: 0o666});
  const text = (value: string): string => expand(value, variables);
  const options = sandboxOptions(
    {
      hostname: pod.metadata.name,
      workingDir: container.workingDir ?? '/',
      environment: variables,
      mounts,
      hostsFile: hosts,
      resolvFile: resolv,
      terminationFile: termination,
      terminationPath: container.terminationMessagePath ?? TERMINATION_PATH,
    },
    rootLayout(),
  );
  return {options, command: [...(container.command?.map(text) ?? program.command), ...(container.args?.map(text) ?? [])]};
}

const isFiles = (volume: object): boolean => ['secret', 'configMap', 'downwardAPI', 'projected'].some((kind) => kind in volume);
