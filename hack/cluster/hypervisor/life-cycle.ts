/** Plays virt-handler for every fake host: watches VMIs and launcher pods and carries out what decide.ts says, one worker per VMI. */
import type {Clock} from '../../../kube/clock.ts';
import type {EventRecorder} from '../../../kube/events.ts';
import type {Informer} from '../../../kube/informer.ts';
import {keyOf, refOfObject} from '../../../kube/objects.ts';
import type {Logger} from '../../../kube/log.ts';
import type {Pod} from '../../../kube/types.ts';
import {decide, DEFAULT_GRACE_SECONDS, podChores, PRESS_AGAIN_MS} from './decide.ts';
import type {GuestStep, Step} from './decide.ts';
import type {GuestEnd, GuestMode} from './guest.ts';
import {driverFor, NoDriverError} from './guest-table.ts';
import type {GuestDrivers, GuestEntry, GuestTable} from './guest-table.ts';
import {createKeyedQueue} from './keyed-queue.ts';
import type {RunResult} from './keyed-queue.ts';
import type {HostPower} from './host-power.ts';
import {podsOf, vmiKeyOf} from './launcher-pods.ts';
import type {LauncherPods} from './launcher-pods.ts';
import {performMigrationStep} from './migration.ts';
import {endedPatch, pausedPatch, refreshPatch, runningPatch} from './status.ts';
import type {Failure} from './status.ts';
import type {Vmi} from './types.ts';
import type {VmiWriter} from './vmi-writer.ts';

/** What the life cycle works with. */
export interface LifeCycleOptions {
  readonly vmis: Informer<Vmi>;
  /** Launcher pods, indexed by launcher-pods.ts' BY_VMI; never filled in `--light`, where there are none. */
  readonly pods: Pick<Informer<Pod>, 'byIndex' | 'list' | 'onChange'>;
  readonly writer: VmiWriter;
  readonly launchers: LauncherPods;
  readonly drivers: GuestDrivers;
  readonly mode: GuestMode;
  readonly table: GuestTable;
  /** Tells people what became of a guest. */
  readonly events: Pick<EventRecorder, 'event'>;
  /** Which hosts have power. */
  readonly power: HostPower;
  /** Address that migration targets are said to listen on. */
  readonly address: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** VMIs worked on at once. Default 32. */
  readonly workers?: number;
}

/** A running life cycle. */
export interface LifeCycle {
  /** Pauses or resumes a guest and writes the condition before it resolves, so that the caller of the API can count on it. */
  setPaused(key: string, paused: boolean, signal: AbortSignal): Promise<void>;
  /** Takes no more work and resolves when what runs has ended. Guests are left alone. */
  stop(): Promise<void>;
}

/**
 * Starts it and looks at everything that is there. Both informers must have synced: without the VMIs, a launcher pod on its way out
 * would be taken for one without a guest.
 */
export function startLifeCycle(options: LifeCycleOptions): LifeCycle {
  const worker = new Worker(options);
  const queue = createKeyedQueue({
    name: 'vmi',
    workers: options.workers ?? 32,
    clock: options.clock,
    log: options.log,
    run: (key, signal) => worker.run(key, signal),
  });
  worker.again = (key) => queue.add(key);
  const addAll = (): void => {
    for (const object of options.vmis.list()) queue.add(keyOf(refOfObject(object)));
    for (const pod of options.pods.list()) {
      for (const key of vmiKeyOf(pod)) queue.add(key);
    }
  };
  const unsubscribe = [
    options.vmis.onChange(({object}) => queue.add(keyOf(refOfObject(object)))),
    options.pods.onChange(({object}) => {
      for (const key of vmiKeyOf(object)) queue.add(key);
    }),
    options.power.onChange(() => addAll()),
  ];
  addAll();
  return {
    setPaused: (key, paused, signal) => worker.setPaused(key, paused, signal),
    async stop() {
      for (const off of unsubscribe) off();
      await queue.stop();
    },
  };
}

const REASONS: Readonly<Record<GuestEnd, string>> = {
  shutdown: 'GuestLost',
  crashed: 'GuestCrashed',
  killed: 'GuestKilled',
  'not-started': 'GuestNotStarted',
};

class Worker {
  again: (key: string) => void = () => undefined;
  readonly #options: LifeCycleOptions;

  constructor(options: LifeCycleOptions) {
    this.#options = options;
  }

  async run(key: string, signal: AbortSignal): Promise<RunResult> {
    const {vmis, table, clock, log, power} = this.#options;
    const vmi = vmis.get(key);
    const entry = table.get(key);
    if (vmi !== undefined && entry !== undefined && entry.guest.vmiUid === vmi.metadata.uid) entry.guest.observe(vmi);
    const step = decide({
      vmi,
      guest: entry?.guest,
      pods: podsOf(this.#options.pods, key, vmi),
      stopping: entry?.stopping,
      power: {
        off: power.isOff(entry?.guest.nodeName ?? vmi?.status?.nodeName),
        lost: vmi !== undefined && power.hasOutlived(vmi),
        targetOff: power.isOff(vmi?.status?.migrationState?.targetNode),
      },
      nowMs: clock.monotonicMs(),
    });
    if (step.do !== 'nothing' && step.do !== 'refresh' && step.do !== 'wait')
      log.debug({vmi: key, step: step.do, why: step.why}, 'next step');
    const result = await this.#perform(step, key, vmi, entry, signal);
    await this.#tidyPods(key, signal);
    return result;
  }

  async setPaused(key: string, paused: boolean, signal: AbortSignal): Promise<void> {
    const {table, vmis, writer, clock} = this.#options;
    const guest = table.get(key)?.guest;
    const vmi = vmis.get(key);
    if (guest === undefined || vmi === undefined) throw new Error(`no guest of ${key}`);
    await (paused ? guest.pause() : guest.resume());
    await writer.write(vmi, (seen) => pausedPatch(seen, paused, clock.now()), signal);
  }

  async #perform(step: Step, key: string, vmi: Vmi | undefined, entry: GuestEntry | undefined, signal: AbortSignal): Promise<RunResult> {
    const {table, clock, log, address, writer} = this.#options;
    switch (step.do) {
      case 'nothing':
        return;
      case 'forget-guest':
        table.delete(key);
        if (entry !== undefined && entry.guest.state.name !== 'ended')
          log.warn({vmi: key, why: step.why}, 'ending a guest that outlived its VMI');
        await entry?.guest.kill();
        return this.again(key); // a VMI of the same name may wait for its own guest
      case 'wait':
        return {againInMs: step.ms};
      case 'start':
      case 'adopt':
        return vmi === undefined ? undefined : this.#begin(step.do, key, vmi, signal);
      case 'report-end': {
        log.info({vmi: key, phase: step.phase, why: step.why}, 'guest ended');
        if (vmi === undefined) return;
        const state = entry?.guest.state;
        const lost = this.#options.power.hasOutlived(vmi) ? 'HostPowerLost' : 'GuestLost';
        const reason = state?.name === 'ended' ? REASONS[state.how] : lost;
        return this.#end(vmi, step.phase === 'Succeeded' ? undefined : {reason, message: step.why}, signal);
      }
      case 'report-running':
      case 'refresh':
      case 'press-power-button':
      case 'kill':
      case 'cut-power':
        return vmi === undefined || entry === undefined ? undefined : this.#performOnGuest(step, key, vmi, entry, signal);
      case 'prepare-migration':
      case 'begin-migration':
      case 'cancel-migration':
      case 'report-migration':
      case 'forget-migration': {
        if (vmi === undefined || entry === undefined) return;
        return performMigrationStep(
          step,
          {key, vmi, guest: entry.guest, address, writer, clock, log, again: () => this.again(key)},
          signal,
        );
      }
    }
  }

  async #performOnGuest(step: GuestStep, key: string, vmi: Vmi, entry: GuestEntry, signal: AbortSignal): Promise<RunResult> {
    const {clock, log} = this.#options;
    const {guest} = entry;
    switch (step.do) {
      case 'report-running':
        log.info({vmi: key, node: vmi.status?.nodeName, mode: guest.mode}, 'guest runs');
        return this.#write(
          vmi,
          (seen) =>
            seen.status?.phase === 'Scheduled' ? runningPatch(seen, guest.facts, this.#podAddress(key, seen), clock.now()) : undefined,
          signal,
        );
      case 'refresh':
        return this.#write(
          vmi,
          (seen) =>
            refreshPatch(
              seen,
              {
                facts: guest.facts,
                paused: guest.state.name === 'paused',
                ...(guest.state.name === 'paused' && guest.state.diskError !== undefined ? {diskError: guest.state.diskError} : {}),
              },
              this.#podAddress(key, seen),
              clock.now(),
            ),
          signal,
        );
      case 'press-power-button': {
        const nowMs = clock.monotonicMs();
        entry.stopping = {sinceMs: entry.stopping?.sinceMs ?? nowMs, pressedMs: nowMs};
        await guest.shutdown();
        const graceMs = (vmi.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS) * 1000;
        return {againInMs: Math.max(0, Math.min(PRESS_AGAIN_MS, entry.stopping.sinceMs + graceMs - nowMs))};
      }
      case 'kill':
        log.info({vmi: key, why: step.why}, 'killing the guest');
        return guest.kill();
      case 'cut-power': {
        log.info({vmi: key, node: guest.nodeName}, 'the host lost its power, and the guest with it');
        await guest.kill();
        this.#options.table.delete(key); // and nobody is told: the host cannot speak
        return;
      }
    }
  }

  async #begin(how: 'start' | 'adopt', key: string, vmi: Vmi, signal: AbortSignal): Promise<void> {
    const {table, log, drivers, mode} = this.#options;
    const podAddress = this.#podAddress(key, vmi);
    let failure: Failure | undefined;
    const order = {
      vmi,
      nodeName: vmi.status?.nodeName ?? '',
      onChange: () => this.again(key),
      ...(podAddress === undefined ? {} : {podAddress}),
    };
    try {
      const driver = driverFor(vmi, drivers, mode);
      const guest = how === 'start' ? driver.start(order) : await driver.adopt(order);
      if (guest !== undefined) {
        table.put(key, guest);
        return this.again(key);
      }
      failure = {reason: 'GuestLost', message: 'the guest did not survive the restart of the hypervisor'};
    } catch (error) {
      if (!(error instanceof NoDriverError)) throw error;
      failure = {reason: 'GuestNotStarted', message: error.message};
    }
    if (how === 'adopt' && vmi.status?.phase === 'Scheduled') failure = undefined; // it leaves, and was never started
    log[failure === undefined ? 'info' : 'warn']({vmi: key, why: failure?.message ?? 'it was never started'}, 'no guest');
    await this.#end(vmi, failure, signal);
  }

  async #end(vmi: Vmi, failure: Failure | undefined, signal: AbortSignal): Promise<void> {
    const open = (seen: Vmi): boolean => seen.status?.phase === 'Scheduled' || seen.status?.phase === 'Running';
    if (failure !== undefined && open(vmi)) this.#options.events.event(vmi, {type: 'Warning', action: 'Run', ...failure});
    await this.#write(vmi, (seen) => (open(seen) ? endedPatch(seen, failure, this.#options.clock.now()) : undefined), signal);
  }

  async #write(vmi: Vmi, build: Parameters<VmiWriter['write']>[1], signal: AbortSignal): Promise<void> {
    await this.#options.writer.write(vmi, build, signal);
  }

  async #tidyPods(key: string, signal: AbortSignal): Promise<void> {
    const {launchers, vmis, power} = this.#options;
    const vmi = vmis.get(key); // newer than the one decided upon: it holds what was just written
    const chores = podChores(vmi, podsOf(this.#options.pods, key, vmi), (node) => power.isOff(node));
    await Promise.all([
      ...chores.remove.map((pod) => launchers.remove(pod, signal)),
      ...chores.complete.map((pod) => launchers.complete(pod, signal)),
    ]);
  }

  #podAddress(key: string, vmi: Vmi): string | undefined {
    return podsOf(this.#options.pods, key, vmi).find(
      (pod) => pod.spec?.nodeName === vmi.status?.nodeName && pod.metadata.deletionTimestamp === undefined,
    )?.status?.podIP;
  }
}
