/** The status of a Project: sums over specs. */
import type {Drive, Flavor, Project, ProjectStatus, Server} from '../../../crds/index.ts';
import {uuidOf} from '../../../crds/rules/ids.ts';
import {NOT_DELETING, conditionsOf} from '../shared/conditions.ts';
import type {Judgement} from '../shared/conditions.ts';

/** What was gathered. */
export interface ProjectSeen {
  readonly project: Project;
  readonly servers: readonly Server[];
  readonly drives: readonly Drive[];
  flavor(name: string): Flavor | undefined;
  readonly duplicate: Judgement | undefined;
  readonly nowMs: number;
}

/** Cores and MiB that a server was promised: as resolved once, else as its spec or flavor says. */
export function sizeOf(server: Server, flavor: Flavor | undefined): {readonly cores: number; readonly memoryMiB: number} {
  const resolved = server.status?.resources;
  return {
    cores: resolved?.cores ?? server.spec.cpu?.cores ?? flavor?.spec.vcpus ?? 0,
    memoryMiB: resolved?.memoryMiB ?? server.spec.memoryMiB ?? flavor?.spec.memoryMiB ?? 0,
  };
}

/** The whole status. */
export function projectStatus({project, servers, drives, flavor, duplicate, nowMs}: ProjectSeen): ProjectStatus {
  const sizes = servers.map((server) => sizeOf(server, server.spec.flavor === undefined ? undefined : flavor(server.spec.flavor)));
  const ready: Judgement = {type: 'Ready', status: 'True', reason: 'Ready', message: ''};
  return {
    observedGeneration: project.metadata.generation ?? 0,
    uuid: uuidOf(project),
    used: {
      servers: servers.length,
      cores: sizes.reduce((sum, size) => sum + size.cores, 0),
      memoryMiB: sizes.reduce((sum, size) => sum + size.memoryMiB, 0),
      driveBytes: drives.reduce((sum, drive) => sum + drive.spec.sizeBytes, 0),
    },
    conditions: conditionsOf(project, [duplicate ?? ready, NOT_DELETING], nowMs),
  };
}
