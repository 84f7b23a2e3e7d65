/** Plays CDI's DataVolume controller in light mode: claim, phases, progress; failures for marked URLs. */
import type {KubeClient} from '../../../../kube/client.ts';
import type {Clock} from '../../../../kube/clock.ts';
import {isAlreadyExists, isNotFound} from '../../../../kube/errors.ts';
import type {Informer} from '../../../../kube/informer.ts';
import type {Logger} from '../../../../kube/log.ts';
import {keyOf, refOfObject} from '../../../../kube/objects.ts';
import type {Ref} from '../../../../kube/objects.ts';
import {createKeyedQueue} from '../keyed-queue.ts';
import type {RunResult} from '../keyed-queue.ts';
import {PERSISTENT_VOLUME_CLAIM} from '../../../../kube/types.ts';
import {DATA_SOURCE, DATA_VOLUME} from '../types.ts';
import type {DataVolume} from '../types.ts';
import {claimOf, dataVolumeStatus, isMarkedToFail, workOf} from './data-volume-status.ts';
import type {DataVolumePhase, Work} from './data-volume-status.ts';

/** What the controller works with; the informer must have synced. */
export interface DataVolumeControllerOptions {
  readonly volumes: Informer<DataVolume>;
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly workers: number;
  /** How long an import shows ImportInProgress. Default 300 ms. */
  readonly importMs?: number;
}

const SOURCE_RETRY_MS = 2_000;
const FINAL: ReadonlySet<string | undefined> = new Set(['Succeeded', 'Failed', 'UploadReady']);

/** Starts it. */
export function startDataVolumeController(options: DataVolumeControllerOptions): {stop(): Promise<void>} {
  const {volumes, client, clock, log} = options;
  const importMs = options.importMs ?? 300;
  const importingSince = new Map<string, number>();

  const run = async (key: string, signal: AbortSignal): Promise<RunResult> => {
    const volume = volumes.get(key);
    if (volume === undefined || volume.metadata.deletionTimestamp !== undefined || FINAL.has(volume.status?.phase)) {
      importingSince.delete(key);
      return;
    }
    const work = workOf(volume);
    const missing = await missingSource(work, signal);
    if (missing !== undefined) {
      await write(volume, 'Pending', missing, signal);
      return {againInMs: SOURCE_RETRY_MS};
    }
    if (volume.status?.claimName === undefined) await createClaim(volume, signal);
    if (work.kind === 'upload') return write(volume, 'UploadReady', '', signal);
    if (work.kind !== 'import') return write(volume, 'Succeeded', '', signal);
    const since = importingSince.get(key) ?? clock.monotonicMs();
    importingSince.set(key, since);
    const leftMs = since + importMs - clock.monotonicMs();
    if (leftMs > 0) {
      await write(volume, 'ImportInProgress', '', signal);
      return {againInMs: leftMs};
    }
    importingSince.delete(key);
    if (isMarkedToFail(work.url))
      return write(volume, 'Failed', `Unable to process data: simulated failure, the URL ${work.url} is marked to fail`, signal);
    return write(volume, 'Succeeded', '', signal);
  };

  // CDI lets a clone wait for its source rather than refuse it.
  const missingSource = async (work: Work, signal: AbortSignal): Promise<string | undefined> => {
    if (work.kind !== 'clone' && work.kind !== 'clone-of-data-source') return undefined;
    let claim: Ref = {namespace: work.namespace, name: work.name};
    try {
      if (work.kind === 'clone-of-data-source') {
        const {pvc} = (await client.get(DATA_SOURCE, claim, {signal})).spec.source;
        if (pvc === undefined) return `DataSource ${keyOf(claim)} has no PVC`;
        claim = {namespace: pvc.namespace, name: pvc.name};
      }
      const source = volumes.get(keyOf(claim));
      if (source !== undefined) return source.status?.phase === 'Succeeded' ? undefined : `source DataVolume ${keyOf(claim)} is not ready`;
      await client.get(PERSISTENT_VOLUME_CLAIM, claim, {signal});
      return undefined;
    } catch (error) {
      if (isNotFound(error)) return `source ${keyOf(claim)} does not exist`;
      throw error;
    }
  };

  const createClaim = async (volume: DataVolume, signal: AbortSignal): Promise<void> => {
    try {
      await client.create(PERSISTENT_VOLUME_CLAIM, claimOf(volume), {signal});
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  };

  const write = async (volume: DataVolume, phase: DataVolumePhase, message: string, signal: AbortSignal): Promise<void> => {
    const status = dataVolumeStatus(volume, phase, message, clock.now());
    if (status === volume.status) return;
    try {
      volumes.observe(await client.replace(DATA_VOLUME, {...volume, status}, {subresource: 'status', signal}));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };

  const queue = createKeyedQueue({name: 'light-data-volume', workers: options.workers, clock, log, run});
  const enqueue = ({object}: {readonly object: DataVolume}): void => queue.add(keyOf(refOfObject(object)));
  const off = volumes.onChange(enqueue);
  for (const object of volumes.list()) enqueue({object});
  return {
    async stop() {
      off();
      await queue.stop();
    },
  };
}
