/**
 * Every status that the hypervisor writes on a VMI: pure functions from what is seen to a merge patch. A merge patch replaces whole
 * lists, so lists are always complete. The patches carry no lock; vmi-writer.ts adds the resourceVersion.
 */
import {isTrue, mergeConditions} from './conditions.ts';
import type {Verdict} from './conditions.ts';
import type {GuestFacts} from './guest.ts';
import {interfaceStatuses} from './network.ts';
import {wholeSecond} from './timestamps.ts';
import {ANNOTATIONS, LABELS} from './types.ts';
import type {Vmi, VmiPhase} from './types.ts';
import {volumeStatuses} from './volume-status.ts';

/** A merge patch of a VMI (which has no status subresource). */
export interface VmiPatch {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string | null>>;
    readonly annotations?: Readonly<Record<string, string | null>>;
  };
  readonly status: Readonly<Record<string, unknown>>;
}

const phaseChange = (vmi: Vmi, phase: VmiPhase, nowMs: number): Readonly<Record<string, unknown>> => ({
  phase,
  phaseTransitionTimestamps: [...(vmi.status?.phaseTransitionTimestamps ?? []), {phase, phaseTransitionTimestamp: wholeSecond(nowMs)}],
});

/** Names of the disks whose claims only one node may mount at a time. */
function exclusiveDisks(vmi: Vmi): readonly string[] {
  return (vmi.status?.volumeStatus ?? [])
    .filter(({persistentVolumeClaimInfo: claim}) => claim !== undefined && !(claim.accessModes ?? []).includes('ReadWriteMany'))
    .map((volume) => volume.name);
}

/** A bridge on the pod network would change its address on the way; KubeVirt refuses unless an annotation allows it. */
function bridgedPodInterface(vmi: Vmi): string | undefined {
  if (vmi.metadata.annotations?.[ANNOTATIONS.podBridgeMigration] !== undefined) return undefined;
  const podNetworks = new Set((vmi.spec.networks ?? []).filter((network) => network.pod !== undefined).map((network) => network.name));
  return (vmi.spec.domain.devices?.interfaces ?? []).find((nic) => nic.bridge !== undefined && podNetworks.has(nic.name))?.name;
}

function migratability(vmi: Vmi): Record<'LiveMigratable' | 'StorageLiveMigratable', Verdict> {
  const bridged = bridgedPodInterface(vmi);
  if (bridged !== undefined) {
    const message = `cannot migrate VMI which does not use masquerade, bridge with ${ANNOTATIONS.podBridgeMigration} VM annotation or a migratable plugin to connect to the pod network (interface ${bridged})`;
    const storage = {status: 'False', reason: 'NotMigratable', message: `InterfaceNotLiveMigratable: ${message}`} as const;
    return {LiveMigratable: {status: 'False', reason: 'InterfaceNotLiveMigratable', message}, StorageLiveMigratable: storage};
  }
  const exclusive = exclusiveDisks(vmi);
  // Disks that cannot be shared stop the guest's move, but not a move together with its storage: upstream keeps the two apart.
  const live: Verdict =
    exclusive.length === 0
      ? {status: 'True'}
      : {
          status: 'False',
          reason: 'DisksNotLiveMigratable',
          message: `cannot migrate VMI: PVC of ${exclusive.join(', ')} is not shared, live migration requires that all PVCs must be shared (using ReadWriteMany access mode)`,
        };
  return {LiveMigratable: live, StorageLiveMigratable: {status: 'True'}};
}

const knownOfGuest = (vmi: Vmi, facts: GuestFacts): Readonly<Record<string, Verdict | undefined>> => ({
  ...migratability(vmi),
  AgentConnected: facts.agent === undefined ? undefined : {status: 'True'},
  AsSpecified: asSpecified(facts),
});

// A condition of our own: what this host cannot do is said where people look, and never only in a log.
function asSpecified({unsupported = []}: GuestFacts): Verdict | undefined {
  if (unsupported.length === 0) return undefined;
  return {status: 'False', reason: 'NotSupported', message: `the guest runs without: ${unsupported.join('; ')}`};
}

/** Scheduled → Running: the guest runs on its node. `podAddress`: the launcher pod's, where there is one. */
export function runningPatch(vmi: Vmi, facts: GuestFacts, podAddress: string | undefined, nowMs: number): VmiPatch {
  return {
    status: {
      ...phaseChange(vmi, 'Running', nowMs),
      conditions: mergeConditions(vmi.status?.conditions, {Ready: {status: 'True'}, ...knownOfGuest(vmi, facts)}, nowMs),
      interfaces: interfaceStatuses(vmi, facts, podAddress),
      ...(facts.agent === undefined ? {} : {guestOSInfo: facts.agent.os}),
      machine: {type: facts.machineType},
      migrationMethod: 'LiveMigration',
      selinuxContext: 'none', // without it virt-controller waits for ever before it creates a migration's target pod
    },
  };
}

/**
 * What a running VMI's status lacks of what is known now (the agent has come, a claim turned out not to be shared, the guest is
 * paused), or undefined when it says it all. Ready stays virt-controller's: it follows the launcher pod.
 */
export function refreshPatch(
  vmi: Vmi,
  guest: {readonly facts: GuestFacts; readonly paused: boolean; readonly diskError?: string},
  podAddress: string | undefined,
  nowMs: number,
): VmiPatch | undefined {
  const before = vmi.status?.conditions ?? [];
  const verdicts = {...knownOfGuest(vmi, guest.facts), Paused: pausedVerdict(guest.paused, guest.diskError)};
  const conditions = mergeConditions(before, verdicts, nowMs);
  const interfaces = interfaceStatuses(vmi, guest.facts, podAddress);
  const os = guest.facts.agent?.os;
  const status: Record<string, unknown> = {};
  if (conditions !== before) status['conditions'] = conditions;
  if (!sameJson(interfaces, vmi.status?.interfaces ?? [])) status['interfaces'] = interfaces;
  if (os !== undefined && !sameJson(os, vmi.status?.guestOSInfo)) status['guestOSInfo'] = os;
  const volumes = volumeStatuses(vmi, guest.facts);
  if (volumes !== vmi.status?.volumeStatus) status['volumeStatus'] = volumes;
  return Object.keys(status).length === 0 ? undefined : {status};
}

// Reasons as KubeVirt's own handler gives them.
function pausedVerdict(paused: boolean, diskError?: string): Verdict | undefined {
  if (!paused) return undefined;
  if (diskError !== undefined) return {status: 'True', reason: 'PausedIOError', message: `VMI was paused: ${diskError}`};
  return {status: 'True', reason: 'PausedByUser', message: 'VMI was paused by user'};
}

/** Sets or removes condition Paused; undefined when it already says so. */
export function pausedPatch(vmi: Vmi, paused: boolean, nowMs: number): VmiPatch | undefined {
  const before = vmi.status?.conditions;
  if (isTrue(before, 'Paused') === paused) return undefined;
  return {status: {conditions: mergeConditions(before, {Paused: pausedVerdict(paused)}, nowMs)}};
}

/** A failed end, as the reason of an event and of a condition. */
export interface Failure {
  /** `GuestCrashed`, `GuestKilled`, `GuestNotStarted`, `GuestLost` or `HostPowerLost`. */
  readonly reason: string;
  readonly message: string;
}

/**
 * The guest has ended; without a failure it Succeeded. A failure stands in the condition in which KubeVirt's own handler says what it could not
 * do, and which KubeVirt copies onto the VirtualMachine.
 */
export function endedPatch(vmi: Vmi, failure: Failure | undefined, nowMs: number): VmiPatch {
  if (failure === undefined) return {status: phaseChange(vmi, 'Succeeded', nowMs)};
  const verdicts = {Synchronized: {status: 'False', ...failure}} as const;
  return {status: {...phaseChange(vmi, 'Failed', nowMs), conditions: mergeConditions(vmi.status?.conditions, verdicts, nowMs)}};
}

/** The migration's target waits and the copy starts. `address` is where the target listens. */
export function migrationStartedPatch(vmi: Vmi, address: string, nowMs: number): VmiPatch {
  const startTimestamp = vmi.status?.migrationState?.startTimestamp ?? wholeSecond(nowMs);
  return {
    status: {
      migrationState: {targetNodeAddress: address, targetDirectMigrationNodePorts: {'49152': 49152}, startTimestamp, mode: 'PreCopy'},
    },
  };
}

/** The guest has arrived: label, node and the migration's end in one patch, or virt-controller would see half of the move. */
export function migrationSucceededPatch(vmi: Vmi, targetNode: string, nowMs: number): VmiPatch {
  const now = wholeSecond(nowMs);
  return {
    metadata: {labels: {[LABELS.node]: targetNode, [LABELS.migrationTarget]: null}, annotations: {[ANNOTATIONS.evictionSource]: null}},
    status: {
      nodeName: targetNode,
      evacuationNodeName: null, // else the next drain thinks that this one still goes on
      launcherContainerImageVersion: null,
      migrationState: {
        startTimestamp: vmi.status?.migrationState?.startTimestamp ?? now,
        targetNodeDomainDetected: true,
        targetNodeDomainReadyTimestamp: now,
        endTimestamp: now,
        completed: true,
      },
    },
  };
}

/** The guest stays where it is. */
export function migrationFailedPatch(vmi: Vmi, why: {readonly cancelled: boolean; readonly message: string}, nowMs: number): VmiPatch {
  const now = wholeSecond(nowMs);
  const abort = vmi.status?.migrationState?.abortRequested === true && why.cancelled ? {abortStatus: 'Succeeded'} : {};
  return {
    metadata: {labels: {[LABELS.migrationTarget]: null}},
    status: {
      migrationState: {
        startTimestamp: vmi.status?.migrationState?.startTimestamp ?? now,
        endTimestamp: now,
        completed: true,
        failed: true,
        failureReason: why.message,
        ...abort,
      },
    },
  };
}

/** Deep equality of JSON values, whatever the order of keys. */
function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const left = Object.entries(a);
  const right = new Map(Object.entries(b));
  return left.length === right.size && left.every(([key, value]) => right.has(key) && sameJson(value, right.get(key)));
}
