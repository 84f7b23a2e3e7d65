/**
 * The life of one pod, from its host to its end, as one function: prepare, run, tell, and again if its restart policy wants it. A pod that is
 * being deleted, or is past its deadline, is ended from wherever it is. When the runner stops, the function leaves and the process stays.
 */
import {existsSync, readFileSync} from 'node:fs';
import type {Clock} from '../../../kube/clock.ts';
import type {Logger} from '../../../kube/log.ts';
import {wholeSecond} from '../hypervisor/timestamps.ts';
import {waitingFor, terminationFile} from './prepare.ts';
import {untilReady} from './probe.ts';
import {containerOf} from './pod.ts';
import type {ContainerState, RunnerPod, Terminated} from './pod.ts';
import {endOf, startContainer, stopContainer, untilEnd} from './process.ts';
import type {ProcessEnd} from './process.ts';
import {podFolder} from './record.ts';
import type {PodRecord} from './record.ts';
import {afterEnd, backOffMs, RUN_THAT_COUNTS_MS} from './restart.ts';
import type {Sandbox} from './sandbox.ts';
import {terminationMessage} from './status.ts';
import type {StatusFacts} from './status.ts';

/** Looks for what is missing ten times a second, and after 5 s every 2 s: mostly it is a claim that is being bound. */
const EAGER_LOOKS = 50;
const EAGER_MS = 100;
const PATIENT_MS = 2_000;

/** Why a pod's life is cut short. */
export interface Ending {
  readonly kind: 'deleted' | 'gone' | 'deadline';
  /** SIGTERM to SIGKILL, milliseconds. */
  readonly graceMs: number;
}

/** What a life needs. */
export interface LifeContext {
  readonly clock: Clock;
  readonly log: Logger;
  /** The runner's folder. */
  readonly root: string;
  readonly logFile: string;
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
  const {clock, log, root, ending, stopping} = context;
  const folder = podFolder(root, start.uid);
  const either = AbortSignal.any([ending, stopping]);
  let record = start;
  const save = (change: Partial<PodRecord>): void => {
    record = {...record, ...change};
    context.save(record);
  };
  const write = async (phase: StatusFacts['phase'], state: ContainerState, more: Partial<StatusFacts> = {}): Promise<void> => {
    const {address, since, restarts, last} = record;
    await context.write({phase, state, ready: false, restarts, last, address, hostAddress: context.hostAddress, startTime: since, ...more});
  };
  // Past its deadline a pod fails, in the middle of whatever it does; one that is deleted needs no last status.
  const cutShort = async (): Promise<Ending['kind']> => {
    const {kind, graceMs} = ending.reason as Ending;
    let terminated = record.last;
    if (record.process !== undefined) {
      terminated = told(record.process.startedAt, await stopContainer(folder, record.process, graceMs, clock));
      const {process: _ended, ...rest} = record;
      record = rest;
      context.save(record);
    }
    if (kind === 'gone') return kind;
    const now = wholeSecond(clock.now());
    const state = {terminated: terminated ?? {exitCode: 137, reason: 'Error', startedAt: now, finishedAt: now}};
    if (kind === 'deadline') {
      await write('Failed', state, {reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline'});
    } else if (terminated !== undefined) await write(terminated.exitCode === 0 ? 'Succeeded' : 'Failed', state);
    return kind;
  };
  const told = (startedAt: string, end: ProcessEnd): Terminated => {
    const {terminationMessagePolicy} = containerOf(context.current());
    const file = existsSync(terminationFile(folder)) ? readFileSync(terminationFile(folder), 'utf8') : '';
    const tail = existsSync(context.logFile) ? readFileSync(context.logFile, 'utf8') : '';
    const message = end.lost ?? terminationMessage(file, tail, end.exitCode, terminationMessagePolicy);
    return {
      exitCode: end.exitCode,
      reason: end.lost !== undefined ? 'ContainerStatusUnknown' : end.exitCode === 0 ? 'Completed' : 'Error',
      ...(message === '' ? {} : {message}),
      startedAt,
      finishedAt: wholeSecond(end.atMs),
    };
  };
  const startProcess = async (): Promise<void> => {
    for (let tries = 0; ; tries++) {
      try {
        const sandbox = await context.prepare(record.address);
        either.throwIfAborted();
        save({process: await startContainer(folder, sandbox, context.logFile, wholeSecond(clock.now()))});
        log.info({pod: record.name, namespace: record.namespace, looks: tries + 1}, 'container started');
        return;
      } catch (error) {
        either.throwIfAborted();
        const waiting = waitingFor(error) ?? {reason: 'CreateContainerError', message: (error as Error).message};
        if (waitingFor(error) === undefined) log.warn({err: error, pod: record.name}, 'the container cannot be started yet');
        // The first looks are quick and mostly enough: not worth a status each.
        if (tries % 10 === 4) await write(record.restarts === 0 ? 'Pending' : 'Running', {waiting});
        await clock.sleep(tries < EAGER_LOOKS ? EAGER_MS : PATIENT_MS, either);
      }
    }
  };

  let failures = record.restarts;
  try {
    for (;;) {
      either.throwIfAborted();
      if (record.process === undefined) await startProcess();
      const process = record.process as NonNullable<PodRecord['process']>;
      const end = endOf(folder, process, clock.now()) ?? (await runOut());
      const terminated = told(process.startedAt, end);
      log.info({pod: record.name, namespace: record.namespace, exitCode: end.exitCode, restarts: record.restarts}, 'container ended');
      const next = afterEnd(context.current(), end.exitCode);
      if (next !== 'restart') {
        await write(next, {terminated});
        return 'over';
      }
      // First how it ended, then that it waits: CDI takes the words of a failure from the first of these.
      await write('Running', {terminated});
      failures = end.atMs - Date.parse(process.startedAt) >= RUN_THAT_COUNTS_MS ? 1 : failures + 1;
      const {process: _ended, ...rest} = record;
      record = rest;
      save({restarts: record.restarts + 1, last: terminated});
      const waitMs = backOffMs(failures);
      const message = `back-off ${waitMs / 1000}s restarting failed container=${containerOf(context.current()).name}`;
      await write('Running', {waiting: {reason: 'CrashLoopBackOff', message}});
      await clock.sleep(waitMs, either);
    }
  } catch (error) {
    if (stopping.aborted || !ending.aborted) throw error;
    return await cutShort();
  }

  // From a running process to its end, ready as soon as its probe says so.
  async function runOut(): Promise<ProcessEnd> {
    const process = record.process as NonNullable<PodRecord['process']>;
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
      return await untilEnd(folder, process, clock, either);
    } finally {
      ended.abort();
      await ready; // its write must not come after that of the end
    }
  }
}
