/** A guest of the qemu driver: waits for its turn, boots, obeys, ends. What it is doing is told by qemu's events and the process's end. */
import {randomUUID} from 'node:crypto';
import {readFile, rm} from 'node:fs/promises';
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import type {Duplex} from 'node:stream';
import type {Clock} from '../../../../kube/clock.ts';
import type {Logger} from '../../../../kube/log.ts';
import {GuestVerbError} from '../guest.ts';
import type {Guest, GuestDevice, GuestEnd, GuestFacts, GuestMigration, GuestOrder, GuestState} from '../guest.ts';
import type {GuestMeasures} from '../metrics/measures.ts';
import type {Vmi} from '../types.ts';
import {AgentMemory, askAgent, rebootByAgent} from './agent.ts';
import {holdTurn} from './boot-queue.ts';
import type {BootTurn} from './boot-queue.ts';
import {adoptedState, diskErrorOf, endOf, MACHINE_TYPES, UNKNOWN_DISK_ERROR} from './events.ts';
import {deviceFacts} from './device-steps.ts';
import {Hotplug} from './hotplug.ts';
import type {HotplugParts} from './hotplug.ts';
import type {QemuInstance} from './instance.ts';
import {measureInstance} from './measure.ts';
import {QemuMigration, arrivalOf, boundsOf} from './migration.ts';
import type {MigrationParts} from './migration.ts';
import {dial, QmpError} from './qmp.ts';
import type {QmpEvent} from './qmp.ts';

const AGENT_INTERVAL_MS = 5_000;

/** What a guest needs from its driver. */
export interface GuestContext {
  readonly clock: Clock;
  readonly log: Logger;
  /**
   * Waits for the guest's turn, checks the limits, prepares everything and starts qemu; or finds the one that an earlier run of this program
   * started and had no time to report (`turn` is absent then). Rejects with what stands in the way.
   */
  readonly boot: (
    order: GuestOrder,
    signal: AbortSignal,
  ) => Promise<{readonly instance: QemuInstance; readonly turn: BootTurn | undefined}>;
  /** Starts the qemu on another node that waits for a guest: the same machine, on the same bytes. */
  readonly target: (
    source: QemuInstance,
    move: {readonly vmi: Vmi; readonly targetNode: string},
    signal: AbortSignal,
  ) => Promise<QemuInstance>;
  /** The bytes of a volume that comes to a running guest. */
  readonly findFile: HotplugParts['findFile'];
  readonly attach: HotplugParts['attach'];
  /** Records an event on the VMI. */
  readonly tell: (vmi: Vmi, reason: string, message: string) => void;
  /** The guest is no more. */
  readonly forget: (guest: QemuGuest) => void;
}

/** See the top of this file. */
export class QemuGuest implements Guest {
  readonly mode = 'qemu';
  readonly vmiUid: string;
  readonly #order: GuestOrder;
  readonly #context: GuestContext;
  readonly #given = new AbortController();
  #vmi: Vmi;
  #nodeName: string;
  #state: GuestState = {name: 'starting'};
  #instance: QemuInstance | undefined;
  readonly #agent = new AgentMemory();
  #diskError: string | undefined;
  #restarting = false;
  readonly #hotplug: Hotplug;
  #migration: QemuMigration | undefined;
  #arrival: GuestMigration | undefined;
  #expected: GuestEnd | undefined;
  #lost: string | undefined;

  constructor(order: GuestOrder, context: GuestContext) {
    this.vmiUid = order.vmi.metadata.uid ?? '';
    this.#order = order;
    this.#context = context;
    this.#vmi = order.vmi;
    this.#nodeName = order.nodeName;
    this.#hotplug = new Hotplug({
      // Not while it starts or moves: the second qemu is the machine that the first one was when it was asked.
      instance: () => (this.#isSteady() ? this.#instance : undefined),
      findFile: context.findFile,
      attach: context.attach,
      onChange: order.onChange,
      onFailure: (message) => context.tell(this.#vmi, 'HotplugFailed', message),
      clock: context.clock,
      log: context.log,
    });
  }

  get nodeName(): string {
    return this.#nodeName;
  }
  get state(): GuestState {
    return this.#state;
  }
  get migration(): GuestMigration | undefined {
    return this.#migration ?? this.#arrival;
  }
  get facts(): GuestFacts {
    const machineType = MACHINE_TYPES[this.#instance?.plan.machine ?? 'q35'];
    return {
      machineType,
      unsupported: [...(this.#instance?.plan.unsupported ?? []), ...this.#hotplug.failures],
      ...(this.#instance === undefined ? {} : {devices: deviceFacts(this.#instance.plan)}),
      ...(this.#agent.facts === undefined ? {} : {agent: this.#agent.facts}),
    };
  }
  /** The process that it lives in at present. */
  get instance(): QemuInstance | undefined {
    return this.#instance;
  }
  /** The newest VMI that was seen. */
  get vmi(): Vmi {
    return this.#vmi;
  }

  /** Starts it. Never rejects: what goes wrong is its end. */
  async start(): Promise<void> {
    try {
      const {instance, turn} = await this.#context.boot(this.#order, this.#given.signal);
      if (turn !== undefined) void holdTurn(turn, instance, this.#context.clock);
      if (this.#state.name === 'ended') {
        await instance.kill();
        return this.#tidy(instance);
      }
      if (turn === undefined) return await this.adopt(instance);
      this.live(instance, {name: 'running'});
      await this.#activate(instance);
    } catch (error) {
      const how = this.#given.signal.aborted ? 'killed' : 'not-started';
      this.#end(how, error instanceof Error ? error.message : String(error));
    }
  }

  /** Lives on in this process from now on: after its start, its adoption or a migration. */
  live(instance: QemuInstance, state: GuestState): void {
    this.#instance = instance;
    this.#nodeName = instance.place.nodeName;
    instance.qmp.onEvent((event) => this.#hear(instance, event));
    void instance.ended.then(() => this.#gone(instance));
    this.#move(state);
    void this.#watchAgent(instance);
  }

  /** Takes up what an earlier run of this program left running, or what has arrived; `runState` is asked for where it is not known. */
  async adopt(instance: QemuInstance, runState?: string): Promise<void> {
    const status = runState ?? ((await instance.qmp.execute('query-status')) as {readonly status?: string}).status;
    const found = adoptedState(status);
    if (found === 'shutdown' || found === 'crashed') {
      this.#expected = found;
      this.live(instance, {name: 'running'});
      return void instance.qmp.execute('quit').catch(() => undefined); // its end is what tells
    }
    this.live(instance, status === 'io-error' ? {name: 'paused', diskError: UNKNOWN_DISK_ERROR} : {name: found});
    await this.#activate(instance);
  }

  observe(vmi: Vmi): void {
    this.#vmi = vmi;
    if (this.#isSteady()) this.#hotplug.observe(vmi);
  }

  async shutdown(): Promise<void> {
    if (this.#state.name === 'starting' && this.#instance === undefined) {
      // Still in the queue: there is nothing yet that could be asked.
      this.#given.abort(new Error('stopped before it was its turn to boot'));
      return this.#end('shutdown', 'stopped before it booted');
    }
    if (this.#state.name !== 'running') return; // paused vCPUs see no button
    this.#restarting = false; // a soft reboot that the guest never obeyed must not bring it back now
    await this.#command('shutdown', 'system_powerdown');
  }

  async kill(): Promise<void> {
    if (this.#state.name === 'ended') return;
    this.#expected = 'killed';
    this.#given.abort(new Error('killed'));
    const instance = this.#instance;
    if (instance === undefined) return this.#end('killed', 'killed before it booted');
    await instance.kill();
    this.#end('killed', 'killed');
  }

  async pause(): Promise<void> {
    if (this.#state.name !== 'running') throw new GuestVerbError(`pause: the guest is ${this.#state.name}`);
    await this.#command('pause', 'stop');
    this.#move({name: 'paused'});
  }

  async resume(): Promise<void> {
    if (this.#state.name !== 'paused') throw new GuestVerbError(`unpause: the guest is ${this.#state.name}`);
    await this.#command('unpause', 'cont');
    this.#move({name: 'running'});
  }

  async reset(): Promise<void> {
    this.#mustLive('reset');
    await this.#command('reset', 'system_reset');
  }

  async softReboot(): Promise<void> {
    if (this.#state.name !== 'running') throw new GuestVerbError(`softreboot: the guest is ${this.#state.name}`);
    const instance = this.#instance;
    if (instance === undefined) throw new GuestVerbError('softreboot: the guest is starting');
    if (this.#agent.facts !== undefined && (await rebootByAgent(instance.files.agent))) return;
    this.#restarting = true; // without an agent: the power button, and on again when it is off, as libvirt does
    await this.#command('softreboot', 'system_powerdown');
  }

  migrate(order: {readonly uid: string; readonly targetNode: string; readonly vmi: Vmi}): GuestMigration {
    this.#migration = QemuMigration.prepare(this.#migrationParts(order));
    return this.#migration;
  }
  /** Goes on with a migration to `target` that an earlier run of this program had begun. */
  resumeMigration(order: {readonly uid: string; readonly targetNode: string; readonly vmi: Vmi}, target: QemuInstance): void {
    this.#migration = QemuMigration.resume(this.#migrationParts(order), target);
  }
  /** It arrived here, from the node of its VMI, while this program was away. */
  reportArrival(uid: string): void {
    this.#arrival = arrivalOf(uid, this.#nodeName);
  }
  forgetMigration(): void {
    this.#migration = undefined;
    this.#arrival = undefined;
  }

  #migrationParts({uid, targetNode, vmi}: {readonly uid: string; readonly targetNode: string; readonly vmi: Vmi}): MigrationParts {
    const source = this.#mustLive('migrate');
    const {clock, log, target} = this.#context;
    return {
      uid,
      targetNode,
      bounds: boundsOf(vmi, source.plan.memoryMiB),
      source,
      prepare: (signal) => target(source, {vmi, targetNode}, signal),
      arrived: async (instance, runState) => {
        if (this.#state.name === 'ended' || this.#expected !== undefined) return false; // an end that was asked for, or came, on the way
        await this.adopt(instance, runState);
        return true;
      },
      lost: (why) => ((this.#lost = why), source.kill()), // whose end is the guest's
      onChange: () => this.#order.onChange(),
      clock,
      log,
    };
  }

  async connect(device: GuestDevice): Promise<Duplex | undefined> {
    const {plan, files} = this.#mustLive(device);
    if (device === 'vnc' && !plan.graphics) return undefined;
    return dial(device === 'console' ? files.serial : files.vnc);
  }

  async screenshot(): Promise<Buffer | undefined> {
    const instance = this.#mustLive('screenshot');
    if (!instance.plan.graphics) return undefined;
    const filename = join(instance.place.folder, `screen-${randomUUID()}.png`);
    try {
      await instance.qmp.execute('screendump', {filename, format: 'png'});
      return await readFile(filename);
    } finally {
      await rm(filename, {force: true});
    }
  }

  async measure({timeoutMs}: {readonly timeoutMs: number}): Promise<GuestMeasures | undefined> {
    return this.#instance === undefined || this.#state.name === 'ended' ? undefined : measureInstance(this.#instance, timeoutMs);
  }

  /** This program ends; the guest lives on. */
  letGo(): void {
    this.#given.abort(new Error('the hypervisor stops'));
    this.#hotplug.stop();
    this.#migration?.letGo();
    this.#instance?.letGo();
  }

  #isSteady(): boolean {
    const alive = this.#state.name === 'running' || this.#state.name === 'paused';
    const moving = this.#migration !== undefined && !['failed', 'cancelled', 'succeeded'].includes(this.#migration.state);
    return alive && !moving;
  }

  #mustLive(verb: string): QemuInstance {
    const instance = this.#instance;
    if (instance === undefined || (this.#state.name !== 'running' && this.#state.name !== 'paused'))
      throw new GuestVerbError(`${verb}: the guest is ${this.#state.name}`);
    return instance;
  }

  async #command(verb: string, command: string): Promise<void> {
    const instance = this.#mustLive(verb);
    try {
      await instance.qmp.execute(command);
    } catch (error) {
      if (error instanceof QmpError) throw new GuestVerbError(`${verb}: ${error.message}`);
      throw error;
    }
  }

  async #activate(instance: QemuInstance): Promise<void> {
    for (const nic of instance.nics.values()) {
      // A port that cannot be opened is no reason to end a guest.
      await nic
        .activate(instance.qmp)
        .catch((error: unknown) => this.#context.log.warn({vmi: this.#order.vmi.metadata.name, err: error}, 'ports of a NIC'));
    }
  }

  #hear(instance: QemuInstance, event: QmpEvent): void {
    if (instance !== this.#instance) return;
    switch (event.event) {
      case 'SHUTDOWN': {
        const {reason} = event.data as {readonly reason?: string};
        if (reason !== 'guest-shutdown') return;
        if (this.#restarting) return void this.#startAgain(instance);
        this.#expected ??= 'shutdown';
        return void instance.qmp.execute('quit').catch(() => undefined); // its end is what tells
      }
      case 'GUEST_PANICKED':
        this.#expected ??= 'crashed';
        return void instance.qmp.execute('quit').catch(() => undefined);
      case 'BLOCK_IO_ERROR': // before the STOP that it leads to
        return void (this.#diskError = diskErrorOf(event.data, instance.plan.disks));
      case 'STOP':
        // The end of a migration stops the guest here, and so does its own: nobody has paused it.
        if (this.#restarting || this.#expected !== undefined || this.#migration?.isCopying === true) return;
        return this.#state.name === 'running' ? this.#stopped() : undefined;
      case 'RESUME':
        this.#diskError = undefined;
        return this.#state.name === 'paused' ? this.#move({name: 'running'}) : undefined;
      default:
        return undefined;
    }
  }

  #stopped(): void {
    const diskError = this.#diskError;
    if (diskError === undefined) return this.#move({name: 'paused'});
    this.#context.tell(this.#vmi, 'PausedIOError', `the guest is paused: ${diskError}; unpause it to try again`);
    this.#move({name: 'paused', diskError});
  }

  async #startAgain(instance: QemuInstance): Promise<void> {
    try {
      await instance.qmp.execute('system_reset');
      await instance.qmp.execute('cont');
    } catch (error) {
      this.#context.log.error({vmi: this.#order.vmi.metadata.name, err: error}, 'soft reboot');
      await instance.kill();
    } finally {
      this.#restarting = false;
    }
  }

  #gone(instance: QemuInstance): void {
    if (instance !== this.#instance || this.#state.name === 'ended') return;
    const {how, message} = endOf(this.#expected, this.#lost ?? instance.lastWords());
    this.#end(how, message);
  }

  #end(how: GuestEnd, message: string): void {
    if (this.#state.name === 'ended') return;
    this.#agent.forget();
    this.#hotplug.stop();
    this.#migration?.cancel('the guest has ended');
    this.#tidy(this.#instance);
    this.#move({name: 'ended', how, message});
  }

  #tidy(instance: QemuInstance | undefined): void {
    if (instance !== undefined) {
      instance.forget();
      rmSync(instance.place.ephemeral, {recursive: true, force: true});
    }
    this.#context.forget(this);
  }

  async #watchAgent(instance: QemuInstance): Promise<void> {
    const {clock} = this.#context;
    for (;;) {
      await clock.sleep(AGENT_INTERVAL_MS);
      if (instance !== this.#instance || this.#state.name === 'ended' || this.#given.signal.aborted) return;
      instance.trimLog();
      if (this.#state.name !== 'running') continue;
      const agent = await askAgent(instance.files.agent);
      if (instance === this.#instance && this.#agent.hear(agent)) this.#order.onChange();
    }
  }

  #move(state: GuestState): void {
    this.#state = state;
    this.#order.onChange();
  }
}
