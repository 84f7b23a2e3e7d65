/**
 * The table of programs that stand for images. A pod whose image is `process/<name>` is run by the pod runner as a process of this machine,
 * with the program of that name; every other pod is KWOK's (the Stages in `../stages` leave these images alone).
 */
import {containerOf} from './pod.ts';
import type {RunnerPod} from './pod.ts';

/** How an image becomes a process. */
export interface Program {
  /** Where the pod names no command. First item: the path in the sandbox. */
  readonly command: readonly string[];
  /** Folders of this machine that the process sees, read-only. */
  readonly binds: readonly {readonly from: string; readonly to: string}[];
}

/** Images of this prefix are run as processes. */
export const PROCESS_IMAGES = 'process/';

/** Image name without prefix and tag -> program. */
export type ProgramTable = ReadonlyMap<string, Program>;

/** CDI's three workers, out of the cluster's own build. Their paths are those that are compiled into CDI and its start script. */
export function cdiPrograms(bin: string): ProgramTable {
  const binds = [{from: bin, to: '/cdi'}];
  return new Map([
    ['cdi-importer', {command: ['/cdi/cdi-importer'], binds}],
    ['cdi-cloner', {command: ['/usr/bin/bash', '/cdi/cloner_startup.sh'], binds}],
    ['cdi-uploadserver', {command: ['/cdi/cdi-uploadserver'], binds}],
  ]);
}

/** The name of the program that an image stands for; undefined for images that are not run as processes. */
export function programName(image: string | undefined): string | undefined {
  if (image === undefined || !image.startsWith(PROCESS_IMAGES)) return undefined;
  return image.slice(PROCESS_IMAGES.length).replace(/[:@].*$/, '');
}

/** Whether the pod is the runner's: it has a host, and an image that is run as a process. */
export function isOurs(pod: RunnerPod): boolean {
  return (
    pod.spec.nodeName !== undefined &&
    pod.spec.nodeName !== '' &&
    pod.spec.containers.some((container) => programName(container.image) !== undefined)
  );
}

/** What the runner cannot honour, in words for the pod's status: such a pod fails at once. Undefined: it can be run. */
export function unsupported(pod: RunnerPod, programs: ProgramTable): string | undefined {
  const {spec} = pod;
  if (spec.containers.length !== 1) return `the pod runner runs pods of one container, this one has ${spec.containers.length}`;
  if ((spec.initContainers ?? []).length > 0) return 'the pod runner runs no init containers';
  const container = containerOf(pod);
  const name = programName(container.image) ?? '';
  if (!programs.has(name)) return `no program is known for image ${container.image}; there are: ${[...programs.keys()].join(', ')}`;
  if ((container.volumeDevices ?? []).length > 0)
    return 'block volumes cannot be had on this machine without root: use volume mode Filesystem';
  for (const volume of spec.volumes ?? []) {
    const known = ['persistentVolumeClaim', 'secret', 'configMap', 'emptyDir', 'downwardAPI', 'projected'].some((kind) => kind in volume);
    if (!known)
      return `volume ${volume.name}: the pod runner has no ${Object.keys(volume).find((key) => key !== 'name') ?? 'such'} volumes`;
  }
  const probe = container.readinessProbe;
  if (probe !== undefined && probe.httpGet === undefined && probe.tcpSocket === undefined)
    return 'the pod runner probes by HTTP and TCP only';
  return undefined;
}
