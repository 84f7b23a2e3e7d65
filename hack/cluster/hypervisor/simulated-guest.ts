/** Guests of which only the statuses exist: fleets, throughput and everything that does not look inside. No CPU, no bytes, no network. */
import type {Clock} from '../../../kube/clock.ts';
import {isTrue} from './conditions.ts';
import {GuestVerbError} from './guest.ts';
import type {AgentFacts, Guest, GuestDriver, GuestEnd, GuestFacts, GuestMigration, GuestOrder, GuestState} from './guest.ts';
import {macOf} from './network.ts';
import {ANNOTATIONS} from './types.ts';
import type {Vmi} from './types.ts';

/** How long the steps of a simulated guest take, in milliseconds. */
export interface SimulatedTimes {
  /** From start to running. Default 50. */
  readonly startMs?: number;
  /** From the power button to the end. Default 50. */
  readonly shutdownMs?: number;
  /** From the begin of a migration's copy to its end. Default 500: long enough to be seen and to be cancelled. */
  readonly copyMs?: number;
}

/** Machine type that simulated guests report; the nodes of the local cluster are labelled with it. */
export const SIMULATED_MACHINE_TYPE = 'pc-q35-rhel9.8.0';

const OS = {
  name: 'Debian GNU/Linux',
  id: 'debian',
  version: '13 (trixie)',
  versionId: '13',
  prettyName: 'Debian GNU/Linux 13 (trixie)',
  kernelRelease: '6.12.0-amd64',
  machine: 'x86_64',
};

/** Creates the driver. */
export function createSimulatedDriver(options: {readonly clock: Clock; readonly times?: SimulatedTimes}): GuestDriver {
  const times: Required<SimulatedTimes> = {startMs: 50, shutdownMs: 50, copyMs: 500, ...options.times};
  return {
    mode: 'simulated',
    start: (order) => new SimulatedGuest(order, options.clock, times, 'starting'),
    // There is nothing that could have died: a running VMI is proof enough.
    // What nobody has reported has not lived: nothing of it outlives this program.
    adopt: ({vmi, ...order}) =>
      Promise.resolve(
        vmi.status?.phase === 'Running'
          ? new SimulatedGuest({vmi, ...order}, options.clock, times, isTrue(vmi.status.conditions, 'Paused') ? 'paused' : 'running')
          : undefined,
      ),
    close: () => Promise.resolve(),
  };
}

class SimulatedGuest implements Guest {
  readonly mode = 'simulated';
  readonly vmiUid: string;
  readonly facts: GuestFacts;
  readonly #clock: Clock;
  readonly #times: Required<SimulatedTimes>;
  readonly #onChange: () => void;
  #nodeName: string;
  #state: GuestState;
  #migration: SimulatedMigration | undefined;
  #poweringOff = false;

  constructor(order: GuestOrder, clock: Clock, times: Required<SimulatedTimes>, state: 'starting' | 'running' | 'paused') {
    this.vmiUid = order.vmi.metadata.uid ?? '';
    this.facts = simulatedFacts(order.vmi);
    this.#clock = clock;
    this.#times = times;
    this.#onChange = order.onChange;
    this.#nodeName = order.nodeName;
    this.#state = {name: state};
    if (state === 'starting') {
      clock.setTimer(times.startMs, () => {
        if (this.#state.name === 'starting') this.#move({name: 'running'});
      });
    }
  }

  get nodeName(): string {
    return this.#nodeName;
  }
  get state(): GuestState {
    return this.#state;
  }
  get migration(): GuestMigration | undefined {
    return this.#migration;
  }

  observe(vmi: Vmi): void {
    if (this.#state.name === 'starting') return; // the annotation may be in the template: boot first, then obey
    const exit = vmi.metadata.annotations?.[ANNOTATIONS.guestExit];
    if (exit === 'Succeeded') this.#end('shutdown', 'the guest switched itself off (annotation)');
    if (exit === 'Failed') this.#end('crashed', 'the guest crashed (annotation)');
  }

  shutdown(): Promise<void> {
    if (this.#state.name !== 'running' || this.#poweringOff) return Promise.resolve(); // paused vCPUs see no button
    this.#poweringOff = true;
    this.#clock.setTimer(this.#times.shutdownMs, () => {
      this.#poweringOff = false;
      if (this.#state.name === 'running') this.#end('shutdown', 'powered off by the ACPI button');
    });
    return Promise.resolve();
  }

  kill(): Promise<void> {
    this.#end('killed', 'killed');
    return Promise.resolve();
  }

  pause(): Promise<void> {
    return this.#switch('running', 'paused');
  }
  resume(): Promise<void> {
    return this.#switch('paused', 'running');
  }
  reset(): Promise<void> {
    return this.#mustLive('reset');
  }
  softReboot(): Promise<void> {
    return this.#state.name === 'running'
      ? Promise.resolve()
      : Promise.reject(new GuestVerbError(`softreboot: the guest is ${this.#state.name}`));
  }

  migrate(order: {readonly uid: string; readonly targetNode: string; readonly vmi: Vmi}): GuestMigration {
    const copyMs = copyMsOf(order.vmi) ?? this.#times.copyMs;
    const migration = new SimulatedMigration(order.uid, order.targetNode, this.#clock, copyMs, this.#onChange, () => {
      if (this.#state.name === 'ended') return false;
      this.#nodeName = order.targetNode;
      return true;
    });
    this.#migration = migration;
    return migration;
  }
  forgetMigration(): void {
    this.#migration = undefined;
  }

  connect(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
  screenshot(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
  measure(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  #mustLive(verb: string): Promise<void> {
    return this.#state.name === 'ended' ? Promise.reject(new GuestVerbError(`${verb}: the guest has ended`)) : Promise.resolve();
  }

  #switch(from: 'running' | 'paused', to: 'running' | 'paused'): Promise<void> {
    if (this.#state.name === to) return Promise.resolve();
    if (this.#state.name !== from) return Promise.reject(new GuestVerbError(`the guest is ${this.#state.name}, not ${from}`));
    this.#move({name: to});
    return Promise.resolve();
  }

  #end(how: GuestEnd, message: string): void {
    if (this.#state.name !== 'ended') this.#move({name: 'ended', how, message});
  }

  #move(state: GuestState): void {
    this.#state = state;
    this.#onChange();
  }
}

class SimulatedMigration implements GuestMigration {
  readonly uid: string;
  readonly targetNode: string;
  readonly #clock: Clock;
  readonly #copyMs: number;
  readonly #onChange: () => void;
  readonly #arrive: () => boolean;
  #state: GuestMigration['state'] = 'ready';
  #failure = '';

  constructor(uid: string, targetNode: string, clock: Clock, copyMs: number, onChange: () => void, arrive: () => boolean) {
    this.uid = uid;
    this.targetNode = targetNode;
    this.#clock = clock;
    this.#copyMs = copyMs;
    this.#onChange = onChange;
    this.#arrive = arrive;
  }

  get state(): GuestMigration['state'] {
    return this.#state;
  }
  get failure(): string {
    return this.#failure;
  }

  begin(): void {
    if (this.#state !== 'ready') return;
    this.#state = 'copying';
    this.#clock.setTimer(this.#copyMs, () => {
      if (this.#state !== 'copying') return;
      const arrived = this.#arrive();
      this.#failure = arrived ? '' : 'the guest ended while it was copied';
      this.#move(arrived ? 'succeeded' : 'failed');
    });
  }

  cancel(why = ''): void {
    if (this.#state !== 'ready' && this.#state !== 'copying') return;
    this.#failure = why;
    this.#move('cancelled');
  }

  #move(state: GuestMigration['state']): void {
    this.#state = state;
    this.#onChange();
  }
}

/** The annotation's whole seconds, at most an hour; anything else counts as not said. */
function copyMsOf(vmi: Vmi): number | undefined {
  const seconds = vmi.metadata.annotations?.[ANNOTATIONS.migrationSeconds] ?? '';
  return /^\d{1,4}$/.test(seconds) ? Math.min(Number(seconds), 3600) * 1000 : undefined;
}

/** What is known of a simulated guest from its first moment: the same for every run, because nothing of it comes from a guest. */
export const simulatedFacts = (vmi: Vmi): GuestFacts => ({machineType: SIMULATED_MACHINE_TYPE, agent: agentOf(vmi)});

function agentOf(vmi: Vmi): AgentFacts {
  const interfaces = (vmi.spec.domain.devices?.interfaces ?? []).map(
    (_nic, index) => [macOf(vmi, index), {interfaceName: `eth${index}`, addresses: []}] as const,
  );
  return {
    version: '10.0.0',
    hostname: vmi.spec.hostname ?? vmi.metadata.name,
    os: OS,
    interfaces: new Map(interfaces),
    users: [],
    fileSystems: [],
  };
}
