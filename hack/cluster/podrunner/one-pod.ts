/** What surrounds a pod's life: its address, its record, its log, its deadline, and the end of its deletion. */
import {readdirSync, rmSync, statSync} from 'node:fs';
import {join} from 'node:path';
import type {Clock} from '../../../kube/clock.ts';
import type {Logger} from '../../../kube/log.ts';
import {wholeSecond} from '../hypervisor/timestamps.ts';
import type {AddressPool} from './addresses.ts';
import {livePod} from './pod-life.ts';
import type {Ending} from './pod-life.ts';
import {containerOf} from './pod.ts';
import type {RunnerPod} from './pod.ts';
import type {PodWriter} from './pod-writer.ts';
import type {ContainerProcesses} from './process.ts';
import {prepare} from './prepare.ts';
import type {Reader} from './prepare.ts';
import {programName, unsupported} from './programs.ts';
import type {Program, ProgramTable} from './programs.ts';
import {podFolder, removeRecord, writeRecord} from './record.ts';
import type {PodRecord} from './record.ts';

/** What all pods share. */
export interface PodContext {
  readonly writer: PodWriter;
  readonly programs: ProgramTable;
  readonly addresses: AddressPool;
  /** Of the hosts. */
  readonly hostAddress: string;
  /** Records, files and sandboxes of pods. */
  readonly root: string;
  /** One log per pod and container, kept when the pod is gone. */
  readonly logs: string;
  /** Variables of every process, below the pod's own. */
  readonly environment: Readonly<Record<string, string>>;
  readonly reader: (pod: RunnerPod) => Reader;
  /** The processes of a container with this folder and log. */
  readonly processes: (folder: string, logFile: string) => ContainerProcesses;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The newest logs are kept. */
const KEPT_LOGS = 200;
const ADDRESS_RETRY_MS = 1_000;
const DEFAULT_GRACE_S = 30;

/** The grace of a pod, milliseconds: that of its deletion, else its own. */
export function graceMsOf({metadata, spec}: RunnerPod): number {
  return (metadata.deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_S) * 1000;
}

/**
 * The record of a pod that has none. One that is said to run without a process that we know was ended together with its cluster: it gets a
 * process that nobody is, whose end is then told.
 */
export function recordOf(pod: RunnerPod, address: string, nowMs: number): PodRecord {
  const {uid = '', namespace = '', name} = pod.metadata;
  const before = pod.status?.containerStatuses?.[0];
  const last = before?.lastState?.terminated;
  const startedAt = before !== undefined && 'running' in before.state ? before.state.running.startedAt : undefined;
  return {
    uid,
    namespace,
    name,
    address,
    since: pod.status?.startTime ?? wholeSecond(nowMs),
    restarts: before?.restartCount ?? 0,
    ...(last === undefined ? {} : {last}),
    ...(startedAt === undefined ? {} : {process: {keeper: {pid: 0, startTime: 'unknown'}, startedAt, logBytes: 0}}),
  };
}

/** Runs a pod to its end, from the record of an earlier runner if there is one. Rejects when `stopping` aborts. */
export async function runPod(
  pod: RunnerPod,
  current: () => RunnerPod,
  known: PodRecord | undefined,
  ending: AbortController,
  stopping: AbortSignal,
  context: PodContext,
): Promise<void> {
  const {writer, root, clock, log} = context;
  const {uid = '', name, namespace = ''} = pod.metadata;
  if (ending.signal.aborted && known?.process === undefined) {
    await writer.remove(pod, stopping);
    removeRecord(root, uid);
    return;
  }
  const record = known ?? recordOf(pod, await takeAddress(context, AbortSignal.any([ending.signal, stopping])), clock.now());
  const cancelDeadline = startDeadline(pod, record, ending, clock);
  try {
    const problem = unsupported(pod, context.programs);
    if (problem === undefined) {
      const container = containerOf(pod);
      const folder = podFolder(root, uid);
      const program = context.programs.get(programName(container.image) ?? '') as Program;
      writeRecord(root, record);
      const how = await livePod(record, {
        clock,
        log,
        processes: context.processes(folder, join(context.logs, `${namespace}_${name}_${container.name}.log`)),
        hostAddress: context.hostAddress,
        ending: ending.signal,
        stopping,
        current,
        prepare: (address) => {
          const addresses = {pod: address, host: context.hostAddress};
          return prepare(pod, program, folder, addresses, context.reader(pod), context.environment);
        },
        write: (facts) => writer.status(pod, facts, stopping),
        save: (next) => writeRecord(root, next),
      });
      log.info({pod: name, namespace, how}, 'pod ended');
      if (how === 'deleted') await writer.remove(pod, stopping);
    } else await refuse(pod, record, problem, stopping, context);
  } finally {
    cancelDeadline();
    if (!stopping.aborted) {
      removeRecord(root, uid);
      context.addresses.release(record.address);
      pruneLogs(context.logs);
    }
  }
}

async function refuse(pod: RunnerPod, record: PodRecord, problem: string, signal: AbortSignal, context: PodContext): Promise<void> {
  const now = wholeSecond(context.clock.now());
  const terminated = {exitCode: 128, reason: 'ContainerCannotRun', message: problem, startedAt: now, finishedAt: now};
  const {address, since: startTime, restarts} = record;
  const why = {reason: 'UnsupportedPod', message: problem};
  const {hostAddress} = context;
  await context.writer.status(
    pod,
    {phase: 'Failed', state: {terminated}, ready: false, restarts, address, hostAddress, startTime, ...why},
    signal,
  );
}

async function takeAddress({addresses, clock, log}: PodContext, signal: AbortSignal): Promise<string> {
  for (;;) {
    const address = addresses.take();
    if (address !== undefined) return address;
    log.warn({}, 'every address of pods is taken: one waits');
    await clock.sleep(ADDRESS_RETRY_MS, signal);
  }
}

function startDeadline(pod: RunnerPod, {since}: PodRecord, ending: AbortController, clock: Clock): () => void {
  const seconds = pod.spec.activeDeadlineSeconds;
  if (seconds === undefined) return () => undefined;
  const leftMs = Math.max(0, Date.parse(since) + seconds * 1000 - clock.now());
  return clock.setTimer(leftMs, () => ending.abort({kind: 'deadline', graceMs: graceMsOf(pod)} satisfies Ending));
}

function pruneLogs(folder: string): void {
  const ages = readdirSync(folder).map((file) => ({file, atMs: statSync(join(folder, file)).mtimeMs}));
  const old = ages.toSorted((a, b) => b.atMs - a.atMs).slice(KEPT_LOGS);
  for (const {file} of old) rmSync(join(folder, file), {force: true});
}
