/** The status of a Server: every condition, phase, task, progress and fault, computed in one place from what was found. Pure. */
import {conditionTime} from '../../../crds/index.ts';
import type {ConditionType, Server, ServerPhase, ServerStatus, ServerTaskState} from '../../../crds/index.ts';
import {NOT_DELETING, conditionsOf, deletingBecause} from '../shared/conditions.ts';
import type {Judgement} from '../shared/conditions.ts';
import {no, unknown, yes} from './findings.ts';
import type {Finding, Findings} from './findings.ts';
import {whyIn, withWhy} from './guest.ts';
import type {GuestView} from './guest.ts';
import {explainUnschedulable} from './placement.ts';

/** Everything that a status depends on. */
export interface Seen {
  readonly server: Server;
  readonly uuid: string;
  readonly findings: Findings;
  readonly guest: GuestView;
  readonly hasMachine: boolean;
  /** Host by the name of its node; absent: no Host is bound to the node. */
  readonly host?: string;
  readonly pendingChanges: NonNullable<ServerStatus['pendingChanges']>;
  /** An operation that is under way, if any. */
  readonly operation?: 'Reboot' | 'Resize' | 'Migrate';
  /** Takes the place of `Ready`: the server should not be there as it is. */
  readonly verdict?: Judgement;
  /** The guest was taken off its host and has not come back yet. */
  readonly evicted: boolean;
  readonly paused: boolean;
  /** The step of the deletion. */
  readonly deleting?: Pick<Judgement, 'reason' | 'message'>;
  /** False: a phase failed, so the spec of this generation has not been carried out. */
  readonly complete: boolean;
  readonly nowMs: number;
}

/** How long a server may find no host before that counts as failed, in milliseconds. */
export const PLACEMENT_DEADLINE_MS = 5 * 60_000;
/** Entries of `status.history`. */
const MAX_HISTORY = 10;

type Typed = (type: ConditionType<'Server'>, finding: Finding) => Judgement;
const typed: Typed = (type, {status, reason, message}) => ({type, status, reason, message});

const wanted = (server: Server): 'Running' | 'Stopped' => server.spec.powerState ?? 'Running';
const runs = ({state}: GuestView): boolean => state === 'running' || state === 'paused';
/** `progressPercent` reaches 100 with the end of the first build and never goes back: the one memory of it. */
export const isBuilt = (server: Server): boolean => server.status?.progressPercent === 100;

function placed({server, guest, host, findings}: Seen): Finding {
  if (guest.nodeName === undefined && findings.placement !== undefined) return findings.placement;
  if (guest.unschedulable !== undefined) {
    const {reason, message} = explainUnschedulable(guest.unschedulable);
    return no(reason, message);
  }
  if (guest.nodeName !== undefined) return yes('Placed', `on host ${host ?? guest.nodeName}`);
  if (wanted(server) === 'Stopped') return yes('NotPlaced', 'a stopped server needs no host');
  return unknown('Scheduling', 'no host has been chosen yet');
}

function running({guest, server}: Seen): Finding {
  switch (guest.state) {
    case 'running':
      return yes('Running', guest.evicted ? EVICTING : (guest.shortfall ?? 'the guest runs'));
    case 'paused':
      return no('GuestPaused', 'the guest is frozen');
    case 'starting':
      return no('Starting', 'the guest is being started');
    case 'stopping':
    case 'ended':
      return no('Stopping', 'the guest is being stopped');
    case 'unknown':
      return unknown('HostLost', 'the host does not answer');
    case 'absent':
      return wanted(server) === 'Stopped' ? no('Stopped', 'the guest is off') : no('Starting', 'the guest is not there yet');
    default:
      return guest.state satisfies never;
  }
}

/**
 * Why the guest does not run. KubeVirt takes the condition off a failed instance within a moment, and the instance goes long before the next one
 * is there: this message is the memory of it.
 */
function whyOf({status}: Server, guest: GuestView): string | undefined {
  const remembers = guest.phase === undefined || guest.state === 'ended';
  if (guest.why !== undefined || !remembers || guest.fault?.reason === 'VirtualMachineRefused') return guest.why;
  return whyIn(status?.conditions?.find(({type}) => type === 'PowerStateSynced')?.message ?? '');
}

function powerSynced({guest, server, hasMachine, evicted}: Seen): Finding {
  const why = whyOf(server, guest);
  if (guest.fault !== undefined) return {...no(guest.fault.reason, withWhy(guest.fault.message, why)), failed: true};
  if (!hasMachine) return unknown('VirtualMachineMissing', 'there is no VirtualMachine yet');
  if (guest.state === 'unknown') return unknown('HostLost', 'the host does not answer, so the state of the guest is not known');
  if (wanted(server) === 'Stopped')
    return guest.state === 'absent' ? yes('Stopped', 'the guest is off, as asked') : no('Stopping', 'the guest is being stopped');
  if (runs(guest)) return yes('Running', 'the guest runs, as asked');
  if (evicted) return no('Starting', EVICTED);
  const [reason, message] = isBuilt(server)
    ? (['Starting', 'the guest is being started'] as const)
    : (['Booting', 'the guest is starting for the first time'] as const);
  return no(reason, withWhy(message, why));
}

/** Messages while a guest is taken off its host. They are also the memory of it: the marks of an eviction go with the guest. */
const EVICTING = 'the guest runs, and its host wants it gone';
const EVICTED = 'the guest was taken off its host and is started again elsewhere';

/** Whether the guest is being taken off its host, or was, and no new one is there yet. */
export function isEvicted({status}: Server, guest: GuestView): boolean {
  const remembered = status?.conditions?.some(({message}) => message === EVICTING || message === EVICTED) ?? false;
  const back = guest.phase !== undefined && (runs(guest) || guest.state === 'starting');
  return guest.evicted || (remembered && !back);
}

function beside(seen: Seen): readonly Judgement[] {
  const {guest, pendingChanges, paused, deleting} = seen;
  const alive = runs(guest);
  const ask = (answer: GuestView['migratable'], good: Finding, bad: Finding): Finding => {
    if (!alive) return unknown('NotRunning', 'there is no guest to ask');
    if (answer.status === 'True') return good;
    return answer.status === 'False' ? bad : unknown('Pending', 'not known yet');
  };
  const changed = pendingChanges.map(({path}) => path).join(', ');
  return [
    typed('Running', running(seen)),
    typed(
      'RestartRequired',
      changed === ''
        ? no('NoPendingChanges', alive ? 'the guest runs with the spec as it is' : 'no guest runs; the next start has the spec as it is')
        : yes('RestartRequired', `at the next start: ${changed}`),
    ),
    typed(
      'Migrating',
      guest.migrating ? yes('Migrating', 'the guest is moving to another host') : no('NotMigrating', 'the guest is not moving'),
    ),
    typed(
      'Migratable',
      ask(guest.migratable, yes('Migratable', 'the guest can move while it runs'), no('NotMigratable', guest.migratable.message)),
    ),
    // KubeVirt has no condition at all while no agent answers.
    typed(
      'AgentConnected',
      alive && guest.agentConnected.status === 'True'
        ? yes('AgentConnected', 'the guest agent answers')
        : alive
          ? no('AgentNotConnected', 'the guest agent does not answer')
          : unknown('NotRunning', 'there is no guest to ask'),
    ),
    deleting === undefined ? NOT_DELETING : deletingBecause(deleting.reason, deleting.message),
    {
      type: 'Paused',
      ...(paused
        ? yes('Paused', 'reconciling is suspended by annotation basalt.dev/paused')
        : no('NotPaused', 'reconciling is not suspended')),
    },
  ];
}

/** The parts of `Ready`, in the order in which they depend on one another. */
function parts(seen: Seen): readonly (readonly [ConditionType<'Server'>, Finding])[] {
  const {findings} = seen;
  return [
    ['FlavorResolved', findings.flavor],
    ['QuotaGranted', findings.quota],
    ['ImageReady', findings.image],
    ['DrivesReady', findings.drives],
    ['NetworksReady', findings.networks],
    ['BootDataReady', findings.bootData],
    ['VirtualMachineSynced', findings.machine],
    ['Placed', placed(seen)],
    ['PowerStateSynced', powerSynced(seen)],
  ];
}

function ready({deleting, verdict, guest}: Seen, all: ReturnType<typeof parts>): Judgement {
  if (verdict !== undefined) return verdict;
  if (deleting !== undefined) return {type: 'Ready', status: 'False', reason: 'Deleting', message: 'the server is being deleted'};
  const missing = all.find(([, {status}]) => status === 'False') ?? all.find(([, {status}]) => status === 'Unknown');
  // What its host cannot give is no reason not to use it.
  const good = guest.shortfall === undefined ? 'the server is as its spec says' : `the server is usable; ${guest.shortfall}`;
  if (missing === undefined) return {type: 'Ready', status: 'True', reason: 'Ready', message: good};
  const [type, finding] = missing;
  return {type: 'Ready', status: finding.status, reason: finding.reason, message: `${type}: ${finding.message}`};
}

/** Since when a condition has had its present status, in epoch milliseconds. */
const sinceMs = (server: Server, type: string, status: string, nowMs: number): number => {
  const condition = server.status?.conditions?.find((candidate) => candidate.type === type && candidate.status === status);
  return condition === undefined ? nowMs : Date.parse(condition.lastTransitionTime);
};

/** What makes the phase ERROR: something that does not cure itself, or no host for too long. A guest that runs is never in ERROR. */
export function errorOf(seen: Seen): Finding | undefined {
  const {guest, server, nowMs} = seen;
  if (runs(guest) || guest.state === 'stopping') return undefined;
  const all = parts(seen);
  const failure = all.find(([, {failed}]) => failed === true)?.[1];
  if (failure !== undefined) return failure;
  const place = all.find(([type]) => type === 'Placed')?.[1];
  // What does not exist may appear at any time, and is waited for like anything else that the spec names.
  if (place?.status !== 'False' || place.reason === 'DependencyMissing') return undefined;
  return nowMs - sinceMs(server, 'Placed', 'False', nowMs) >= PLACEMENT_DEADLINE_MS ? place : undefined;
}

interface Summary {
  readonly phase: ServerPhase;
  readonly taskState: ServerTaskState;
  readonly reason: Judgement['reason'];
}

/** Phase and task: what runs or does not, and what is being done about it. While something is done, the phase stays what it was. */
function summarise(seen: Seen): Summary {
  const {server, guest, findings, operation, deleting} = seen;
  const want = wanted(server);
  if (deleting !== undefined) return {phase: 'DELETING', taskState: 'DESTROYING', reason: deleting.reason};
  const error = errorOf(seen);
  if (error !== undefined) return {phase: 'ERROR', taskState: '', reason: error.reason};
  if (guest.state === 'unknown') return {phase: 'UNKNOWN', taskState: '', reason: 'HostLost'};
  if (!isBuilt(server)) {
    if (want === 'Running' && guest.state === 'running') return {phase: 'ACTIVE', taskState: '', reason: 'Running'};
    const made = findings.machine.status === 'True' && findings.drives.status === 'True' && guest.state === 'absent';
    if (want === 'Stopped' && made) return {phase: 'STOPPED', taskState: '', reason: 'Stopped'};
    return {phase: 'BUILD', taskState: 'BUILDING', reason: findings.machine.status === 'True' ? 'Booting' : 'Provisioning'};
  }
  if (operation === 'Reboot') return {phase: 'REBOOT', taskState: 'REBOOTING', reason: 'Rebooting'};
  if (operation === 'Resize') return {phase: 'RESIZE', taskState: 'RESIZING', reason: 'Progressing'};
  const before = settled(server.status?.phase, guest);
  if (want === 'Stopped') {
    return guest.state === 'absent'
      ? {phase: 'STOPPED', taskState: '', reason: 'Stopped'}
      : {phase: before, taskState: 'STOPPING', reason: 'Stopping'};
  }
  if (guest.state === 'running') return {phase: 'ACTIVE', taskState: '', reason: 'Running'};
  if (guest.state === 'paused') return {phase: 'PAUSED', taskState: '', reason: 'GuestPaused'};
  return {phase: before, taskState: 'STARTING', reason: 'Starting'};
}

/** The phase to keep while something is done: the last settled one; after an error or a reboot, whatever the guest shows. */
function settled(phase: ServerPhase | undefined, guest: GuestView): ServerPhase {
  if (phase === 'ACTIVE' || phase === 'STOPPED' || phase === 'PAUSED') return phase;
  return runs(guest) || guest.state === 'stopping' ? 'ACTIVE' : 'STOPPED';
}

/** How far the first build is: drives are most of it. Never goes back, and reaches 100 only with the end. */
function progressOf({server, guest, findings}: Seen, phase: ServerPhase): number {
  if (isBuilt(server) || phase === 'ACTIVE' || phase === 'STOPPED') return 100;
  const steps: Readonly<Record<string, number>> = {Pending: 82, Scheduling: 85, Scheduled: 92, Running: 98};
  const step = guest.phase === undefined ? undefined : steps[guest.phase];
  const bootable = findings.drives.status === 'True' ? step : undefined;
  return Math.max(
    server.status?.progressPercent ?? 0,
    bootable ?? Math.floor(findings.drivesPercent * (findings.drives.status === 'True' ? 0.8 : 0.75)),
  );
}

type History = NonNullable<ServerStatus['history']>;

/** The last crash of the guest that is on record. */
export const lastCrash = (status: ServerStatus | undefined): History[number] | undefined =>
  status?.history?.findLast(({reason}) => reason === 'GuestCrashed');

/** A guest that fails while it should run, and that nobody stops, has crashed. Once per instance: each fails at a time of its own. */
function crashOf({server, guest, operation, evicted, deleting}: Seen, phase: ServerPhase): History {
  const {failedAt} = guest;
  const meant = wanted(server) === 'Stopped' || operation !== undefined || evicted || deleting !== undefined;
  if (failedAt === undefined || meant || lastCrash(server.status)?.time === failedAt) return [];
  return [{time: failedAt, phase: server.status?.history?.at(-1)?.phase ?? phase, reason: 'GuestCrashed'}];
}

function historyOf(seen: Seen, {phase, reason}: Summary): History {
  const stored = seen.server.status?.history ?? [];
  const before = [...stored, ...crashOf(seen, phase)];
  const now = before.at(-1)?.phase === phase ? [] : [{time: conditionTime(seen.nowMs), phase, reason}];
  return [...before, ...now].slice(-MAX_HISTORY);
}

function faultOf(seen: Seen, phase: ServerPhase): ServerStatus['fault'] {
  const error = phase === 'ERROR' ? errorOf(seen) : undefined;
  if (error === undefined) return undefined;
  const before = seen.server.status?.fault;
  const time = before?.reason === error.reason && before.time !== undefined ? before.time : conditionTime(seen.nowMs);
  return {message: error.message.slice(0, 1024), reason: error.reason, time};
}

/** The whole status. */
export function serverStatus(seen: Seen): ServerStatus {
  const {server, guest, findings, pendingChanges, nowMs} = seen;
  const all = parts(seen);
  const summary = summarise(seen);
  const fault = faultOf(seen, summary.phase);
  // What is not known in this run (a network that is away) is not forgotten either.
  const nics = findings.nics.length > 0 ? findings.nics : findings.networks.status === 'True' ? [] : (server.status?.nics ?? []);
  const ip =
    nics.find(({address}) => address !== undefined)?.address ??
    nics.map(({macAddress}) => guest.addresses.get(macAddress ?? '')).find((address) => address !== undefined);
  const resources = findings.resources ?? server.status?.resources;
  const host = guest.nodeName === undefined ? undefined : (seen.host ?? guest.nodeName);
  const history = historyOf(seen, summary);
  return {
    observedGeneration: seen.complete ? (server.metadata.generation ?? 0) : (server.status?.observedGeneration ?? 0),
    uuid: seen.uuid,
    phase: summary.phase,
    taskState: summary.taskState,
    progressPercent: progressOf(seen, summary.phase),
    ...(fault === undefined ? {} : {fault}),
    ...(ip === undefined ? {} : {ip}),
    ...(host === undefined ? {} : {host}),
    ...(guest.nodeName === undefined ? {} : {nodeName: guest.nodeName}),
    ...(guest.startedAt === undefined ? {} : {startedAt: guest.startedAt}),
    ...(resources === undefined ? {} : {resources}),
    ...(nics.length === 0 ? {} : {nics: [...nics]}),
    ...(seen.hasMachine ? {virtualMachine: server.metadata.name} : {}),
    ...(pendingChanges.length === 0 ? {} : {pendingChanges}),
    history,
    conditions: conditionsOf(server, [ready(seen, all), ...all.map(([type, finding]) => typed(type, finding)), ...beside(seen)], nowMs),
  };
}
