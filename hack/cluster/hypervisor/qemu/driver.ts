/** The driver of real guests: one qemu process each, on the bytes of its volumes, within the bounds of this machine. */
import {createHash} from 'node:crypto';
import {readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {KubeClient} from '../../../../kube/client.ts';
import type {Clock} from '../../../../kube/clock.ts';
import type {EventRecorder} from '../../../../kube/events.ts';
import type {Logger} from '../../../../kube/log.ts';
import {keyOf, refOfObject} from '../../../../kube/objects.ts';
import {isAlive} from '../../process-identity.ts';
import type {Guest, GuestDriver, GuestOrder} from '../guest.ts';
import {leasedAddresses} from '../network.ts';
import type {GuestNetworks, NicAttachment, NicRequest} from '../net/networks.ts';
import type {Vmi} from '../types.ts';
import {createBootQueue} from './boot-queue.ts';
import {isShortEnough} from './command-line.ts';
import {QemuGuest} from './guest.ts';
import type {GuestContext} from './guest.ts';
import {adoptInstance, startInstance} from './instance.ts';
import type {RunPlace} from './instance.ts';
import {OVERHEAD_MIB, refusalOf} from './limits.ts';
import type {GuestLimits} from './limits.ts';
import {planMachine} from './machine.ts';
import type {MachinePlan, PlannedNic} from './machine.ts';
import {forgetRun, readRecord, readRecords} from './state-file.ts';
import {findVolumes} from './volumes.ts';

/** Options of {@link createQemuDriver}. */
export interface QemuDriverOptions {
  /** An administrator's: reads claims, volumes and Secrets. */
  readonly client: KubeClient;
  readonly networks: GuestNetworks;
  readonly events: EventRecorder;
  /** The folder of all runs (`<cluster>/guests`). */
  readonly root: string;
  /** `<name>.raw` for container disks. */
  readonly images: string;
  readonly limits: GuestLimits;
  /** Guests that boot at a time. Default 2. */
  readonly boots?: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The driver, with what the REST side and metrics look at. */
export interface QemuDriver extends GuestDriver {
  /** Ends what runs without a VMI that asks for it; call it once all VMIs are known. Returns the keys of those it ended. */
  endStrays(isWanted: (vmiUid: string) => boolean): Promise<readonly string[]>;
}

/** Creates it. Nothing is started. */
export function createQemuDriver(options: QemuDriverOptions): QemuDriver {
  const {client, networks, events, root, clock, log} = options;
  const queue = createBootQueue(options.boots ?? 2);
  const guests = new Set<QemuGuest>();
  // What each living guest takes, from the moment in which it is admitted.
  const taken = new Map<QemuGuest | GuestOrder, number>();

  const context: GuestContext = {
    clock,
    log,
    forget: (guest) => {
      guests.delete(guest);
      taken.delete(guest);
    },
    async boot(order, signal) {
      const {vmi} = order;
      const turn = await queue.enter(signal);
      try {
        const place = placeOf(root, vmi, order.nodeName);
        const volumes = await findVolumes(vmi, client, {ephemeral: place.ephemeral, images: options.images});
        const {plan, unsupported} = planMachine(vmi, volumes);
        admit(order, plan, vmi);
        tell(vmi, unsupported);
        const nics = await attachNics(plan, order);
        try {
          const instance = await startInstance({place, plan, nics, incoming: false, clock, signal});
          return {instance, turn, unsupported};
        } catch (error) {
          for (const nic of nics.values()) nic.release();
          throw error;
        }
      } catch (error) {
        turn.leave();
        if (!signal.aborted)
          events.event(vmi, {type: 'Warning', reason: 'GuestNotStarted', action: 'Start', message: (error as Error).message});
        throw error;
      }
    },
  };

  // Before anything is made: a machine that is full says so, and does not begin to swap.
  function admit(order: GuestOrder, plan: MachinePlan, vmi: Vmi): void {
    const guest = [...guests].find(({vmiUid}) => vmiUid === vmi.metadata.uid) ?? order;
    const load = {guests: taken.size, memoryMiB: [...taken.values()].reduce((sum, each) => sum + each, 0)};
    const refusal = refusalOf(load, plan.memoryMiB, options.limits);
    if (refusal !== undefined) throw new Error(refusal);
    taken.set(guest, plan.memoryMiB + OVERHEAD_MIB);
  }

  function tell(vmi: Vmi, unsupported: readonly string[]): void {
    if (unsupported.length === 0) return;
    const message = `this host runs the guest without: ${unsupported.join('; ')}`;
    events.event(vmi, {type: 'Warning', reason: 'NotSupported', action: 'Start', message});
    log.warn({vmi: keyOf(refOfObject(vmi)), unsupported}, 'the guest is not wholly as its VMI says');
  }

  async function attachNics(plan: MachinePlan, order: GuestOrder): Promise<ReadonlyMap<number, NicAttachment>> {
    const attached = new Map<number, NicAttachment>();
    try {
      for (const nic of plan.nics) {
        const attachment = await networks.attach(nicRequest(nic, order));
        if (!nic.linkUp) attachment.setLink(false);
        attached.set(nic.index, attachment);
      }
      return attached;
    } catch (error) {
      for (const attachment of attached.values()) attachment.release();
      throw error;
    }
  }

  return {
    mode: 'qemu',
    start(order) {
      const guest = new QemuGuest(order, context);
      guests.add(guest);
      void guest.start();
      return guest;
    },
    async adopt(order): Promise<Guest | undefined> {
      const place = placeOf(root, order.vmi, order.nodeName);
      const record = readRecord(place.folder);
      if (record === undefined) return undefined;
      const nics = new Map<number, NicAttachment>();
      if (isAlive(record.process)) {
        for (const nic of record.plan.nics)
          nics.set(nic.index, await networks.adopt(record.nics[String(nic.index)] ?? null, nicRequest(nic, order)));
      }
      const instance = await adoptInstance({root, folder: place.folder, record, nics, clock});
      if (instance === undefined) {
        for (const nic of nics.values()) nic.release();
        forgetRun(root, place.folder, record);
        return undefined;
      }
      const guest = new QemuGuest(order, context);
      guests.add(guest);
      taken.set(guest, record.plan.memoryMiB + OVERHEAD_MIB);
      await guest.adopt(
        instance,
        planMachine(order.vmi, new Map()).unsupported.filter((each) => !each.startsWith('disk ')),
      );
      log.info({vmi: keyOf(refOfObject(order.vmi)), pid: record.process.pid}, 'found the guest again');
      return guest;
    },
    async endStrays(isWanted) {
      const ended: string[] = [];
      for (const {folder, record} of readRecords(root)) {
        if (isWanted(record.vmiUid)) continue;
        const instance = await adoptInstance({root, folder, record, nics: new Map(), clock});
        if (instance === undefined) forgetRun(root, folder, record);
        else {
          await instance.kill();
          instance.forget();
          ended.push(record.key);
        }
        rmSync(record.ephemeral, {recursive: true, force: true});
      }
      removeLeftEphemeral(root, isWanted);
      return ended;
    },
    async close() {
      for (const guest of guests) guest.letGo();
      await networks.close();
    },
  };
}

// A program that was killed before it could write a state file left only a folder.
function removeLeftEphemeral(root: string, isWanted: (vmiUid: string) => boolean): void {
  let names: string[];
  try {
    names = readdirSync(root);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  for (const name of names.filter((each) => each.endsWith(EPHEMERAL))) {
    if (!isWanted(name.slice(0, -EPHEMERAL.length))) rmSync(join(root, name), {recursive: true, force: true});
  }
}

const EPHEMERAL = '.volumes';

/** Where a VMI's guest lives while it is on a node. */
export function placeOf(root: string, vmi: Vmi, nodeName: string): RunPlace {
  const vmiUid = vmi.metadata.uid ?? '';
  const folder = join(root, `${vmiUid}-${nodeName}`);
  // The path of a unix socket has 107 bytes: a cluster in a deep folder keeps its sockets elsewhere.
  const sockets = isShortEnough(join(folder, 's'))
    ? join(folder, 's')
    : join(tmpdir(), `basalt-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`);
  return {root, folder, sockets, ephemeral: join(root, `${vmiUid}${EPHEMERAL}`), vmiUid, key: keyOf(refOfObject(vmi)), nodeName};
}

/** What the networks are asked for. */
export function nicRequest(nic: PlannedNic, {vmi, podAddress}: Pick<GuestOrder, 'vmi' | 'podAddress'>): NicRequest {
  return {
    vmiUid: vmi.metadata.uid ?? '',
    vmiKey: keyOf(refOfObject(vmi)),
    index: nic.index,
    name: nic.name,
    mac: nic.mac,
    attachment: nic.attachment,
    address: leasedAddresses(vmi).get(nic.name),
    podAddress,
    hostname: vmi.spec.hostname ?? vmi.metadata.name,
  };
}
