/** Changes the devices of a running guest as its VMI asks: one change at a time, each written down when it is done, failures tried again. */
import type {Clock} from '../../../../kube/clock.ts';
import type {Logger} from '../../../../kube/log.ts';
import type {NicAttachment} from '../net/networks.ts';
import type {Vmi} from '../types.ts';
import {blockdev, diskDevice, diskId, nicDevice, nicId, nodeName} from './command-line.ts';
import {deviceSteps, nameOfStep} from './device-steps.ts';
import type {DeviceStep} from './device-steps.ts';
import type {QemuInstance} from './instance.ts';
import {plannedDisk} from './machine.ts';
import type {MachinePlan, PlannedDisk, PlannedNic, VolumeFile} from './machine.ts';
import {freePort} from './ports.ts';

/** A guest gives a device back when it has let go of it; one that still boots does not answer. */
const UNPLUG_TIMEOUT_MS = 10_000;
const RETRY_MS = 5_000;

/** What hotplug needs from its guest. */
export interface HotplugParts {
  /** The process to change; undefined while it must be left alone (it starts, moves, or has ended). */
  readonly instance: () => QemuInstance | undefined;
  readonly findFile: (vmi: Vmi, volume: string) => Promise<VolumeFile | {readonly unsupported: string}>;
  readonly attach: (vmi: Vmi, nic: PlannedNic) => Promise<NicAttachment>;
  /** Something has changed, or could not be: for a look at the guest's facts. */
  readonly onChange: () => void;
  /** A change that failed for the first time, for an event. */
  readonly onFailure: (message: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** See the top of this file. */
export class Hotplug {
  readonly #parts: HotplugParts;
  readonly #failures = new Map<string, string>();
  #vmi: Vmi | undefined;
  #busy = false;
  #again = false;
  #stopped = false;
  #cancelRetry: () => void = () => undefined;

  constructor(parts: HotplugParts) {
    this.#parts = parts;
  }

  /** What could not be changed, a sentence each. */
  get failures(): readonly string[] {
    return [...this.#failures.values()];
  }

  /** Looks at what the VMI asks for now. Cheap where nothing has changed. */
  observe(vmi: Vmi): void {
    this.#vmi = vmi;
    void this.#work();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelRetry();
  }

  async #work(): Promise<void> {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    try {
      do {
        this.#again = false;
        await this.#pass();
      } while (this.#again && !this.#stopped);
    } catch (error) {
      this.#parts.log.error({vmi: this.#vmi?.metadata.name, err: error}, 'changes of devices');
      this.#retry();
    } finally {
      this.#busy = false;
    }
  }

  /** Once more later: one timer, however many passes fail. */
  #retry(): void {
    this.#cancelRetry();
    if (!this.#stopped) this.#cancelRetry = this.#parts.clock.setTimer(RETRY_MS, () => void this.#work());
  }

  async #pass(): Promise<void> {
    const {onChange, onFailure} = this.#parts;
    const failed = new Map<string, string>();
    let changed = false;
    const vmi = this.#vmi;
    const steps = vmi === undefined ? [] : deviceSteps(vmi, this.#parts.instance()?.plan ?? NOTHING);
    for (const step of steps) {
      const instance = this.#parts.instance();
      if (instance === undefined || vmi === undefined || this.#stopped) return;
      const name = nameOfStep(step);
      try {
        await this.#perform(step, vmi, instance);
        changed = true;
      } catch (error) {
        const message = `${name}: ${error instanceof Error ? error.message : String(error)}`;
        failed.set(name, message);
        if (!this.#failures.has(name)) onFailure(message);
      }
    }
    const same = failed.size === this.#failures.size && [...failed].every(([name, message]) => this.#failures.get(name) === message);
    this.#failures.clear();
    for (const [name, message] of failed) this.#failures.set(name, message);
    this.#cancelRetry();
    if (failed.size > 0) this.#retry();
    if (changed || !same) onChange();
  }

  async #perform(step: DeviceStep, vmi: Vmi, instance: QemuInstance): Promise<void> {
    const {plan} = instance;
    switch (step.do) {
      case 'plug-disk':
        return await this.#plugDisk(step, vmi, instance);
      case 'unplug-disk':
        await unplug(instance, diskId(step.disk.name), this.#parts.clock);
        await instance.qmp.execute('blockdev-del', {'node-name': nodeName(step.disk.name)});
        return instance.record({...plan, disks: plan.disks.filter(({name}) => name !== step.disk.name)});
      case 'insert': {
        const file = await this.#file(vmi, step.disk.name);
        const disk: PlannedDisk = {...step.disk, file: file.file, format: file.format};
        const id = diskId(disk.name);
        await instance.qmp.execute('blockdev-add', blockdev(disk));
        try {
          await instance.qmp.execute('blockdev-open-tray', {id, force: true});
          await instance.qmp.execute('blockdev-insert-medium', {id, 'node-name': nodeName(disk.name)});
          await instance.qmp.execute('blockdev-close-tray', {id});
        } catch (error) {
          await this.#undo(instance, [
            ['blockdev-open-tray', {id, force: true}],
            ['blockdev-remove-medium', {id}],
            ['blockdev-close-tray', {id}],
            ['blockdev-del', {'node-name': nodeName(disk.name)}],
          ]);
          throw error;
        }
        return instance.record(withDisk(plan, disk));
      }
      case 'eject': {
        const id = diskId(step.disk.name);
        await instance.qmp.execute('blockdev-open-tray', {id, force: true}); // also when the guest has locked it
        await instance.qmp.execute('blockdev-remove-medium', {id});
        await instance.qmp.execute('blockdev-close-tray', {id});
        await instance.qmp.execute('blockdev-del', {'node-name': nodeName(step.disk.name)});
        return instance.record(withDisk(plan, {...step.disk, file: undefined}));
      }
      case 'plug-nic':
        return await this.#plugNic(step.nic, vmi, instance);
      case 'unplug-nic': {
        const {nic} = step;
        await unplug(instance, nicId(nic.index), this.#parts.clock);
        const attachment = instance.nics.get(nic.index);
        for (const id of [...netdevIds(attachment)].toReversed()) await instance.qmp.execute('netdev_del', {id});
        instance.nics.delete(nic.index);
        attachment?.release();
        return instance.record({...plan, nics: plan.nics.filter(({name}) => name !== nic.name)});
      }
      case 'set-link': {
        await instance.qmp.execute('set_link', {name: nicId(step.nic.index), up: step.up});
        instance.nics.get(step.nic.index)?.setLink(step.up);
        return instance.record({...plan, nics: plan.nics.map((nic) => (nic.name === step.nic.name ? {...nic, linkUp: step.up} : nic))});
      }
      default:
        return step satisfies never;
    }
  }

  /** Takes back what was done of a change that failed: each as far as it goes, for it is the change's failure that is to be told. */
  async #undo({qmp}: QemuInstance, commands: readonly (readonly [string, Readonly<Record<string, unknown>>])[]): Promise<void> {
    for (const [command, args] of commands) {
      await qmp.execute(command, args).catch((error: unknown) => this.#parts.log.warn({command, args, err: error}, 'a change taken back'));
    }
  }

  async #file(vmi: Vmi, volume: string): Promise<VolumeFile> {
    const file = await this.#parts.findFile(vmi, volume);
    if ('unsupported' in file) throw new Error(file.unsupported);
    return file;
  }

  async #plugDisk({spec}: Extract<DeviceStep, {do: 'plug-disk'}>, vmi: Vmi, instance: QemuInstance): Promise<void> {
    const {plan} = instance;
    const planned = plannedDisk(spec, await this.#file(vmi, spec.name), []);
    if (planned.bus === 'sata') throw new Error('nothing can be plugged into the bus sata');
    const port = freePort(plan, planned.bus);
    if (port === undefined) throw new Error(`all ports of the bus ${planned.bus} are taken; a restart makes new ones`);
    const disk = {...planned, port};
    await instance.qmp.execute('blockdev-add', blockdev(disk));
    try {
      await plug(instance, diskDevice(plan, disk));
    } catch (error) {
      await this.#undo(instance, [['blockdev-del', {'node-name': nodeName(disk.name)}]]);
      throw error;
    }
    instance.record({...plan, disks: [...plan.disks, disk]});
  }

  async #plugNic(wanted: PlannedNic, vmi: Vmi, instance: QemuInstance): Promise<void> {
    const {plan, qmp} = instance;
    if (wanted.model !== 'virtio') throw new Error(`only virtio interfaces can be plugged in, not ${wanted.model}`);
    const port = freePort(plan, 'virtio');
    if (port === undefined) throw new Error('all ports are taken; a restart makes new ones');
    const nic = {...wanted, port};
    const attachment = await this.#parts.attach(vmi, nic);
    const added: string[] = [];
    try {
      for (const netdev of netdevsOf(attachment)) {
        await qmp.execute('netdev_add', netdev);
        added.push(String(netdev['id']));
      }
      await plug(instance, nicDevice(plan, nic));
    } catch (error) {
      const undo = added.toReversed().map((id) => ['netdev_del', {id}] as const);
      await this.#undo(instance, undo);
      attachment.release();
      throw error;
    }
    if (!nic.linkUp) await qmp.execute('set_link', {name: nicId(nic.index), up: false});
    attachment.setLink(nic.linkUp);
    instance.nics.set(nic.index, attachment);
    instance.record({...plan, nics: [...plan.nics, nic]});
    await attachment.activate(qmp);
  }
}

const NOTHING: MachinePlan = {
  name: '',
  uuid: '',
  serial: undefined,
  memoryMiB: 0,
  vcpus: 0,
  machine: 'q35',
  graphics: false,
  ports: 0,
  disks: [],
  nics: [],
};

const withDisk = (plan: MachinePlan, disk: PlannedDisk): MachinePlan => ({
  ...plan,
  disks: plan.disks.map((each) => (each.name === disk.name ? disk : each)),
});

/** `-netdev` takes what `netdev_add` takes, where it is written as JSON; the driver's networks write it so. */
function netdevsOf({netdevArguments}: NicAttachment): readonly Readonly<Record<string, unknown>>[] {
  return netdevArguments.filter((argument) => argument !== '-netdev').map((text) => JSON.parse(text) as Record<string, unknown>);
}

const netdevIds = (attachment: NicAttachment | undefined): readonly string[] =>
  attachment === undefined ? [] : netdevsOf(attachment).map(({id}) => String(id));

/** By the words of the command line, which `device_add` of the human monitor takes: one description of a device for both. */
async function plug({qmp}: QemuInstance, device: string): Promise<void> {
  const answer = await qmp.execute('human-monitor-command', {'command-line': `device_add ${device}`});
  if (typeof answer === 'string' && answer.trim() !== '') throw new Error(answer.trim());
}

/** Asks the guest to let go of a device, and waits until it has. */
async function unplug({qmp}: QemuInstance, id: string, clock: Clock): Promise<void> {
  const gone = Promise.withResolvers<void>();
  const off = qmp.onEvent(({event, data}) => {
    if (event === 'DEVICE_DELETED' && data['device'] === id) gone.resolve();
  });
  const cancel = clock.setTimer(UNPLUG_TIMEOUT_MS, () =>
    gone.reject(new Error('the guest has not let go of the device yet; it is asked again')),
  );
  gone.promise.catch(() => undefined); // device_del may be refused first
  try {
    if (await isThere(qmp, id)) {
      await qmp.execute('device_del', {id});
      await gone.promise;
    }
  } finally {
    off();
    cancel();
  }
}

/** Whether a device is still there: a guest may let go of it after its time was over. */
async function isThere(qmp: QemuInstance['qmp'], id: string): Promise<boolean> {
  const devices = (await qmp.execute('qom-list', {path: '/machine/peripheral'})) as readonly {readonly name: string}[];
  return devices.some(({name}) => name === id);
}
