/** CDI's DataVolume controller in light mode, as pure functions. No bytes move: only objects and phases. */
import {mergeConditions} from '../conditions.ts';
import type {Verdict} from '../conditions.ts';
import type {PersistentVolumeClaim} from '../../../../kube/types.ts';
import type {DataVolume} from '../types.ts';

/** What a DataVolume is waiting for or doing. */
export type DataVolumePhase = 'Pending' | 'ImportInProgress' | 'UploadReady' | 'Succeeded' | 'Failed';

/** What kind of work a DataVolume asks for. */
export type Work =
  | {readonly kind: 'import'; readonly url: string}
  | {readonly kind: 'clone'; readonly namespace: string; readonly name: string}
  | {readonly kind: 'clone-of-data-source'; readonly namespace: string; readonly name: string}
  | {readonly kind: 'upload'}
  | {readonly kind: 'blank'};

/** Reads the source. Snapshots count as blank: light mode has none. */
export function workOf(volume: DataVolume): Work {
  const {source, sourceRef} = volume.spec;
  const namespace = volume.metadata.namespace ?? '';
  if (sourceRef !== undefined) return {kind: 'clone-of-data-source', namespace: sourceRef.namespace ?? namespace, name: sourceRef.name};
  const url = source?.http?.url ?? source?.registry?.url ?? source?.s3?.url;
  if (url !== undefined) return {kind: 'import', url};
  if (source?.pvc !== undefined) return {kind: 'clone', namespace: source.pvc.namespace, name: source.pvc.name};
  return source?.upload !== undefined ? {kind: 'upload'} : {kind: 'blank'};
}

/** A URL marked with the word `fail` fails to import; so tests and people can see what a failure looks like. */
export function isMarkedToFail(url: string): boolean {
  return /\bfail\b/.test(url);
}

/** The claim of a DataVolume: same name, owned by it, so that the garbage collector takes it along. */
export function claimOf(volume: DataVolume): PersistentVolumeClaim {
  const asked = volume.spec.pvc ?? volume.spec.storage ?? {};
  const {name, namespace, uid = '', labels} = volume.metadata;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name,
      ...(namespace === undefined ? {} : {namespace}),
      labels: {...labels, app: 'containerized-data-importer'},
      annotations: {'cdi.kubevirt.io/storage.populatedFor': name},
      ownerReferences: [{apiVersion: volume.apiVersion, kind: volume.kind, name, uid, controller: true, blockOwnerDeletion: true}],
    },
    spec: {
      accessModes: asked.accessModes ?? ['ReadWriteOnce'],
      resources: {requests: {storage: asked.resources?.requests?.storage ?? '1Gi'}},
      ...(asked.volumeMode === undefined ? {} : {volumeMode: asked.volumeMode}),
      ...(asked.storageClassName === undefined ? {} : {storageClassName: asked.storageClassName}),
    },
  };
}

const PROGRESS: Record<DataVolumePhase, string> = {
  Pending: 'N/A',
  ImportInProgress: '50.0%',
  UploadReady: 'N/A',
  Succeeded: '100.0%',
  Failed: 'N/A',
};

/** The status of a DataVolume in a phase. `message` explains Pending and Failed. Same object when it already says so. */
export function dataVolumeStatus(
  volume: DataVolume,
  phase: DataVolumePhase,
  message: string,
  nowMs: number,
): NonNullable<DataVolume['status']> {
  const before = volume.status ?? {};
  const bound = phase !== 'Pending';
  const verdicts: Record<'Bound' | 'Running' | 'Ready', Verdict> = {
    Bound: bound
      ? {status: 'True', reason: 'Bound', message: `PVC ${volume.metadata.name} Bound`}
      : {status: 'False', reason: 'Pending', message},
    Running: running(phase, message),
    Ready: {status: phase === 'Succeeded' ? 'True' : 'False'},
  };
  const conditions = mergeConditions(before.conditions, verdicts, nowMs, 'lastHeartbeatTime');
  if (before.phase === phase && conditions === before.conditions) return before;
  return {
    ...before,
    phase,
    progress: PROGRESS[phase],
    conditions,
    ...(bound ? {claimName: volume.metadata.name} : {}),
    ...(phase === 'Failed' ? {restartCount: 1} : {}),
  };
}

function running(phase: DataVolumePhase, message: string): Verdict {
  switch (phase) {
    case 'ImportInProgress':
    case 'UploadReady':
      return {status: 'True', reason: 'Pod is running'};
    case 'Succeeded':
      return {status: 'False', reason: 'Completed', message: 'Simulated: no bytes were written'};
    case 'Failed':
      return {status: 'False', reason: 'Error', message};
    case 'Pending':
      return {status: 'False'};
  }
}
