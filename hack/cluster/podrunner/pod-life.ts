/**
 * The life of one pod, from its host to its end, as one function: prepare, run, tell, and again if its restart policy wants it. A pod that is
 * being deleted, or is past its deadline, is ended from wherever it is. When the runner stops, the function leaves and the process stays.
 */
import type {Clock} from '../../../kube/clock.ts';
import type {Logger} from '../../../kube/log.ts';
import {wholeSecond} from '../hypervisor/timestamps.ts';
import {NotYet} from './not-yet.ts';
import {untilReady} from './probe.ts';
import {containerOf} from './pod.ts';
import type {ContainerState, RunnerPod, Terminated} from './pod.ts';
import type {ContainerProcesses, ProcessEnd, ProcessRecord} from './process.ts';
import type {PodRecord} from './record.ts';
import {afterEnd, backOffMs, RUN_THAT_COUNTS_MS} from './restart.ts';
import type {Sandbox} from './sandbox.ts';
import type {StatusFacts} from './status.ts';

/** Looks for what is missing ten times a second, and after 5 s every 2 s: mostly it is a claim that is being bound. */
const EAGER_LOOKS = 50;
const EAGER_MS = 100;
const PATIENT_MS = 2_000;

/** Why a pod's life is cut short; `off`: its host has lost its power. */
export interface Ending {
  readonly kind: 'deleted' | 'gone' | 'deadline' | 'off';
  /** SIGTERM to SIGKILL, milliseconds. */
  readonly graceMs: number;
}

/** What a life needs. */
export interface LifeContext {
  readonly clock: Clock;
  readonly log: Logger;
  readonly processes: ContainerProcesses;
  readonly hostAddress: string;
  /** Aborts with an {@link Ending} as its reason. */
  readonly ending: AbortSignal;
  /** Aborts when the runner stops: the process is left alone. */
  readonly stopping: AbortSignal;
  /** The pod as it is now. */
  current(): RunnerPod;
  /** Throws NotYet. */
  prepare(address: string): Promise<Sandbox>;
  /** Writes the status; resolves when it is written, or the pod is gone. */
  write(facts: Omit<StatusFacts, 'nowMs'>): Promise<void>;
  /** Remembers. */
  save(record: PodRecord): void;
}

/** Lives a pod's life. Resolves with what ended it; rejects when the runner stops. */
export async function livePod(start: PodRecord, context: LifeContext): Promise<'over' | Ending['kind']> {
  const {clock, log, ending, stopping, processes} = context;
  const either = AbortSignal.any([ending, stopping]);
  let record = start;
  let failures = record.restarts;

  const save = (next: PodRecord): void => {
    record = next;
    context.save(next);
  };
  const write = async (phase: StatusFacts['phase'], state: ContainerState, more: Partial<StatusFacts> = {}): Promise<void> => {
    const {address, since, restarts, last} = record;
    await context.write({phase, state, ready: false, restarts, last, address, hostAddress: context.hostAddress, startTime: since, ...more});
  };
  const told = (process: ProcessRecord, end: ProcessEnd): Terminated => {
    const message = processes.lastWords(process, end, containerOf(context.current()).terminationMessagePolicy);
    log.info({pod: record.name, namespace: record.namespace, exitCode: end.exitCode, restarts: record.restarts}, 'container ended');
    return {
      exitCode: end.exitCode,
      reason: end.lost !== undefined ? 'ContainerStatusUnknown' : end.exitCode === 0 ? 'Completed' : 'Error',
      ...(message === '' ? {} : {message}),
      startedAt: process.startedAt,
      finishedAt: wholeSecond(end.atMs),
    };
  };

  const startProcess = async (): Promise<ProcessRecord> => {
    for (let looks = 1; ; looks++) {
      try {
        const sandbox = await context.prepare(record.address);
        either.throwIfAborted();
        await processes.start(sandbox, wholeSecond(clock.now()), (process) => save({...record, process}));
        log.info({pod: record.name, namespace: record.namespace, looks}, 'container started');
        return record.process as ProcessRecord;
      } catch (error) {
        either.throwIfAborted();
        const reason = error instanceof NotYet ? error.reason : 'CreateContainerError';
        if (!(error instanceof NotYet)) log.warn({err: error, pod: record.name}, 'the container cannot be started yet');
        // The first looks are quick and mostly enough: not worth a status each.
        if (looks % 10 === 5) await write(phaseBeforeStart(record), {waiting: {reason, message: (error as Error).message}});
        await clock.sleep(looks < EAGER_LOOKS ? EAGER_MS : PATIENT_MS, either);
      }
    }
  };

  // From a running process to its end, ready as soon as its probe says so.
  const runOut = async (process: ProcessRecord): Promise<ProcessEnd> => {
    const running: ContainerState = {running: {startedAt: process.startedAt}};
    const {readinessProbe} = containerOf(context.current());
    const ended = new AbortController();
    const probing = AbortSignal.any([either, ended.signal]);
    await write('Running', running, {ready: readinessProbe === undefined});
    const ready = (async () => {
      try {
        if (readinessProbe === undefined) return;
        await untilReady(readinessProbe, record.address, clock, probing);
        await write('Running', running, {ready: true});
      } catch (error) {
        if (!probing.aborted) log.warn({err: error, pod: record.name}, 'its readiness is not known');
      }
    })();
    try {
      return await processes.untilEnd(process, either);
    } finally {
      ended.abort();
      await ready; // its write must not come after that of the end
    }
  };

  // Past its deadline a pod fails, in the middle of whatever it does; one that is gone has no status, and a host without power tells none.
  const cutShort = async (): Promise<Ending['kind']> => {
    const {kind, graceMs} = ending.reason as Ending;
    let terminated = record.last;
    if (record.process !== undefined) {
      terminated = told(record.process, await processes.stop(record.process, graceMs));
      save(withoutProcess(record));
    }
    if (kind === 'gone' || kind === 'off') return kind;
    const now = wholeSecond(clock.now());
    const state = {terminated: terminated ?? {exitCode: 137, reason: 'Error', startedAt: now, finishedAt: now}};
    if (kind === 'deadline') await write('Failed', state, DEADLINE);
    else if (terminated !== undefined) await write(terminated.exitCode === 0 ? 'Succeeded' : 'Failed', state);
    return kind;
  };

  try {
    for (;;) {
      either.throwIfAborted();
      const process = record.process ?? (await startProcess());
      const end = processes.end(process) ?? (await runOut(process));
      const terminated = told(process, end);
      const next = afterEnd(context.current(), end.exitCode);
      if (next !== 'restart') {
        await write(next, {terminated});
        return 'over';
      }
      // First how it ended, then that it waits: CDI takes the words of a failure from the first of these.
      await write('Running', {terminated});
      failures = end.atMs - Date.parse(process.startedAt) >= RUN_THAT_COUNTS_MS ? 1 : failures + 1;
      save({...withoutProcess(record), restarts: record.restarts + 1, last: terminated});
      const waitMs = backOffMs(failures);
      const message = `back-off ${waitMs / 1000}s restarting failed container=${containerOf(context.current()).name}`;
      await write('Running', {waiting: {reason: 'CrashLoopBackOff', message}});
      await clock.sleep(waitMs, either);
    }
  } catch (error) {
    if (stopping.aborted || !ending.aborted) throw error;
    return await cutShort();
  }
}

const DEADLINE = {reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline'};

const phaseBeforeStart = ({restarts}: PodRecord): StatusFacts['phase'] => (restarts === 0 ? 'Pending' : 'Running');

function withoutProcess({process: _ended, ...rest}: PodRecord): PodRecord {
  return rest;
}
