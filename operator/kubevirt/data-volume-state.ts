/** What CDI says of a DataVolume, in our words. Pure. */
import type {PopulationPhase, Reason} from '../../crds/index.ts';
import type {DataVolume} from './types.ts';

/** Phases of an Image or Drive while its bytes arrive. */
export type VolumePhase = Exclude<PopulationPhase, 'Deleting'>;

/** Why bytes do not arrive. */
export interface VolumeFault {
  readonly reason: FaultReason;
  readonly message: string;
  /** Trying again will not help until somebody changes something. */
  readonly permanent: boolean;
}

/** The reasons of the catalogue that a fault can have. */
export type FaultReason = Extract<Reason, 'SourceUnreachable' | 'ChecksumMismatch' | 'ImportFailed'>;

/** A DataVolume taken apart. */
export interface VolumeState {
  readonly phase: VolumePhase;
  /** 0..100; absent where CDI does not know. */
  readonly progressPercent?: number;
  readonly fault?: VolumeFault;
  /** How often the worker was restarted. */
  readonly restarts: number;
}

const PHASES: Readonly<Record<string, VolumePhase>> = {
  Pending: 'Creating',
  PVCBound: 'Creating',
  WaitForFirstConsumer: 'Creating',
  PendingPopulation: 'Creating',
  UploadScheduled: 'Creating',
  ImportScheduled: 'Importing',
  ImportInProgress: 'Importing',
  Paused: 'Importing',
  CloneScheduled: 'Cloning',
  UploadReady: 'AwaitingUpload',
  Succeeded: 'Ready',
  Failed: 'Failed',
  Unknown: 'Failed',
};

/** Every `…InProgress` that is not an import is a stage of a clone. */
export function volumePhaseOf(cdiPhase: string | undefined): VolumePhase {
  if (cdiPhase === undefined || cdiPhase === '') return 'Creating';
  return PHASES[cdiPhase] ?? (cdiPhase.endsWith('InProgress') ? 'Cloning' : 'Creating');
}

/** `"45.2%"` as 45; `undefined` for `"N/A"` and whatever else is no percentage. */
export function progressOf(text: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)%$/.exec(text ?? '');
  return match === null ? undefined : Math.min(100, Math.floor(Number(match[1])));
}

/** The first pattern that a message of CDI's workers matches says what is wrong, in the words of somebody who has to mend it. */
const FAULTS: readonly {readonly pattern: RegExp; readonly reason: FaultReason; readonly advice: string; readonly permanent: boolean}[] = [
  {
    pattern: /checksum/i,
    reason: 'ChecksumMismatch',
    advice: 'the bytes do not match the checksum and were thrown away; mend the source or make this anew with the right checksum',
    permanent: true,
  },
  {
    pattern: /\b404\b|manifest unknown|name unknown/i,
    reason: 'SourceUnreachable',
    advice: 'the source has nothing under this address (404); put it there or make this anew with another address',
    permanent: true,
  },
  {
    pattern: /\b40[13]\b|unauthorized|denied/i,
    reason: 'SourceUnreachable',
    advice: 'the source refuses access; let it be read or make this anew with another address',
    permanent: true,
  },
  {
    pattern: /larger than (the )?(reported )?available|no space left|bigger than|too small|insufficient space|larger PVC/i,
    reason: 'ImportFailed',
    advice: 'the content does not fit; make this anew with more bytes',
    permanent: true,
  },
  {
    pattern: /no such host|server misbehaving/i,
    reason: 'SourceUnreachable',
    advice: "the source's host name cannot be resolved",
    permanent: false,
  },
  {pattern: /x509|tls:|certificate/i, reason: 'SourceUnreachable', advice: "the source's certificate is not trusted", permanent: false},
  {
    pattern: /unknown image format|unsupported|not a supported|invalid qcow/i,
    reason: 'SourceUnreachable',
    advice: 'the content is no disk image of a known format; make this anew from one',
    permanent: true,
  },
  {
    pattern: /unexpected EOF|connection reset|broken pipe|transfer closed/i,
    reason: 'SourceUnreachable',
    advice: 'the connection to the source was cut in the middle',
    permanent: false,
  },
  {
    pattern: /connection refused|timeout|timed out|unreachable|EOF|\b50[0-9]\b/i,
    reason: 'SourceUnreachable',
    advice: 'the source does not answer',
    permanent: false,
  },
  {
    pattern: /storageprofile|storage class|no accessMode/i,
    reason: 'ImportFailed',
    advice: 'the cluster cannot provide this storage',
    permanent: false,
  },
];

/** Longest excerpt of CDI's own text in a message. */
const MAX_EXCERPT = 300;

/** CDI's message as a reason and advice. */
export function faultOf(message: string): VolumeFault {
  const known = FAULTS.find(({pattern}) => pattern.test(message));
  const excerpt = message.replaceAll(/\s+/g, ' ').trim().slice(0, MAX_EXCERPT);
  if (known === undefined) return {reason: 'ImportFailed', message: excerpt, permanent: false};
  return {reason: known.reason, message: `${known.advice}: ${excerpt}`, permanent: known.permanent};
}

/** Attempts of a fault that trying again does not cure before the whole is called failed. CDI itself goes on for ever. */
const PATIENCE = 3;

/** The fault that an object's status tells of: its phase, and the condition that has the words. */
export interface ToldFault {
  readonly phase: string | undefined;
  readonly condition: {readonly reason: string; readonly message: string} | undefined;
}

/** What an object told of its fault, if that was one. A drive calls an unknown one a failed clone. */
function standingFault({phase, condition}: ToldFault): VolumeFault | undefined {
  const known: Readonly<Record<string, FaultReason>> = {
    SourceUnreachable: 'SourceUnreachable',
    ChecksumMismatch: 'ChecksumMismatch',
    ImportFailed: 'ImportFailed',
    CloneFailed: 'ImportFailed',
  };
  const reason = condition === undefined ? undefined : known[condition.reason];
  return reason === undefined ? undefined : {reason, message: condition?.message ?? '', permanent: phase === 'Failed'};
}

/** A kubelet waits up to five minutes between restarts. */
const again = (restarts: number): string =>
  restarts === 0 ? '' : ` (attempt ${restarts} failed; the next follows by itself, within 5 minutes)`;

/**
 * Takes a DataVolume apart. `told` is what was last told of it: while a failed worker is started again CDI says nothing of the fault, which
 * then stands until bytes arrive.
 */
export function volumeStateOf(volume: DataVolume, told?: ToldFault): VolumeState {
  const phase = volumePhaseOf(volume.status?.phase);
  const restarts = volume.status?.restartCount ?? 0;
  const progress = progressOf(volume.status?.progress);
  const withProgress = progress === undefined ? {} : {progressPercent: progress};
  if (phase === 'Ready') return {phase, progressPercent: 100, restarts};
  const conditions = volume.status?.conditions ?? [];
  const running = conditions.find(({type}) => type === 'Running');
  const errored = running?.status === 'False' && running.message !== undefined && running.message !== '' && running.reason !== 'Completed';
  const complains =
    errored &&
    (phase === 'Failed' || /error|fail|unable|mismatch|expected|backoff/i.test(`${running.reason ?? ''} ${running.message ?? ''}`));
  if (complains) {
    const fault = faultOf(running.message ?? '');
    // CDI has given up: nothing follows by itself.
    if (phase === 'Failed') return {phase, ...withProgress, restarts, fault};
    const failed = fault.permanent && restarts >= PATIENCE;
    return {phase: failed ? 'Failed' : phase, ...withProgress, restarts, fault: {...fault, message: `${fault.message}${again(restarts)}`}};
  }
  if (phase === 'Failed') return {phase, restarts, fault: faultOf('CDI gave no reason')};
  const standing = told === undefined || restarts === 0 || (progress ?? 0) > 0 ? undefined : standingFault(told);
  if (standing !== undefined) return {phase: standing.permanent ? 'Failed' : phase, restarts, fault: standing};
  return {phase, ...withProgress, restarts};
}
