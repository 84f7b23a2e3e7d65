/** The driver of real guests: one qemu process each, on the bytes of its volumes, within the bounds of this machine. */
import {createHash} from 'node:crypto';
import {copyFileSync, existsSync, mkdirSync, readdirSync, rmSync} from 'node:fs';
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
import {PORTS_ANNOTATION} from '../net/forwards.ts';
import type {GuestNetworks, NicAttachment, NicRequest} from '../net/networks.ts';
import type {Vmi} from '../types.ts';
import {adoptNics} from './adopt-nics.ts';
import {createBootQueue} from './boot-queue.ts';
import {isShortEnough} from './command-line.ts';
import {QemuGuest} from './guest.ts';
import type {GuestContext} from './guest.ts';
import {adoptInstance, startInstance} from './instance.ts';
import type {QemuInstance, RunPlace} from './instance.ts';
import {OVERHEAD_MIB, refusalOf} from './limits.ts';
import type {GuestLimits} from './limits.ts';
import {planMachine} from './machine.ts';
import type {MachinePlan, PlannedNic} from './machine.ts';
import {sideOf, whereIs} from './migration.ts';
import {forgetRun, readRecords} from './state-file.ts';
import type {RunRecord} from './state-file.ts';
import {findVolume, findVolumes} from './volumes.ts';

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
  const taken = new Map<string, number>(); // by uid of the VMI

  const context: GuestContext = {
    clock,
    log,
    forget: (guest) => {
      guests.delete(guest);
      taken.delete(guest.vmiUid);
    },
    async boot(order, signal) {
      const {vmi} = order;
      const left = await sortOut(order);
      if (left !== undefined) {
        count(order, left.instance.plan);
        return {instance: left.instance, turn: undefined};
      }
      const turn = await queue.enter(signal);
      const place = placeOf(root, vmi, order.nodeName);
      try {
        const volumes = await findVolumes(vmi, client, {ephemeral: place.ephemeral, images: options.images});
        const {plan, unsupported} = planMachine(vmi, volumes);
        signal.throwIfAborted(); // what is counted from here on is counted until the guest is forgotten
        admit(order, plan);
        tell(vmi, unsupported);
        const nics = await attachNics(plan, order);
        try {
          const instance = await startInstance({place, plan, nics, incoming: false, clock, signal});
          return {instance, turn};
        } catch (error) {
          for (const nic of nics.values()) nic.release();
          throw error;
        }
      } catch (error) {
        turn.leave();
        taken.delete(place.vmiUid);
        forgetRun(root, place.folder, place);
        rmSync(place.ephemeral, {recursive: true, force: true});
        throw error;
      }
    },
    findFile: async (vmi, name) => {
      const volume = vmi.spec.volumes?.find((each) => each.name === name);
      if (volume === undefined) return {unsupported: 'no volume has this name'};
      return await findVolume(vmi, volume, client, {ephemeral: placeOf(root, vmi, '').ephemeral, images: options.images});
    },
    attach: (vmi, nic) => networks.attach(nicRequest(nic, {vmi})),
    tell: (vmi, reason, message) => events.event(vmi, {type: 'Warning', reason, action: 'Change', message}),
    // The limits count a guest once: for the second that a migration takes there are two, and KubeVirt bounds how many migrate at a time.
    async target(source, {vmi, targetNode}, signal) {
      const place = placeOf(root, vmi, targetNode);
      const nics = await attachNics(source.plan, {vmi, nodeName: targetNode, onChange: () => undefined});
      try {
        continueLog(source, place);
        return await startInstance({place, plan: source.plan, nics, incoming: true, clock, signal});
      } catch (error) {
        for (const nic of nics.values()) nic.release();
        forgetRun(root, place.folder, place);
        throw error;
      }
    },
  };

  // Before anything is made: a machine that is full says so, and does not begin to swap.
  function admit(order: GuestOrder, plan: MachinePlan): void {
    const load = {guests: taken.size, memoryMiB: [...taken.values()].reduce((sum, each) => sum + each, 0)};
    const refusal = refusalOf(load, plan.memoryMiB, options.limits);
    if (refusal !== undefined) throw new Error(refusal);
    count(order, plan);
  }

  function count({vmi}: GuestOrder, plan: MachinePlan): void {
    taken.set(vmi.metadata.uid ?? '', plan.memoryMiB + OVERHEAD_MIB);
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

  /** One run that an earlier program recorded; a process that has ended leaves nothing. */
  async function adoptRun(folder: string, record: RunRecord, order: GuestOrder): Promise<QemuInstance | undefined> {
    const nics = isAlive(record.process)
      ? await adoptNics({
          networks,
          plan: record.plan,
          states: record.nics,
          request: (nic) => nicRequest(nic, order),
          onDark: (message) => events.event(order.vmi, {type: 'Warning', reason: 'NetworkLost', action: 'Adopt', message}),
          clock,
          log,
        })
      : new Map<number, NicAttachment>();
    const instance = await adoptInstance({root, folder, record, nics, clock, log});
    if (instance === undefined) {
      for (const nic of nics.values()) nic.release();
      forgetRun(root, folder, record);
    }
    return instance;
  }

  /** Finds the process in which the guest of a VMI lives: of two, after a migration that nobody watched, exactly one goes on. */
  async function sortOut(
    order: GuestOrder,
  ): Promise<{readonly instance: QemuInstance; readonly away: QemuInstance | undefined; readonly how: string} | undefined> {
    const runs: QemuInstance[] = [];
    for (const {folder, record} of readRecords(root).filter(({record}) => record.vmiUid === order.vmi.metadata.uid)) {
      const run = await adoptRun(folder, record, order);
      if (run !== undefined) runs.push(run);
    }
    const move = order.vmi.status?.migrationState;
    const open = move?.migrationUid !== undefined && move.completed !== true && move.endTimestamp === undefined;
    const home = runs.find(({place}) => place.nodeName === order.nodeName);
    const away = open ? runs.find(({place}) => place.nodeName === move.targetNode && place.nodeName !== order.nodeName) : undefined;
    const how = whereIs(home && (await sideOf(home)), away && (await sideOf(away)));
    const keep = how === 'copying' ? [home, away] : how === 'home' ? [home] : how === 'away' ? [away] : [];
    for (const run of runs.filter((each) => !keep.includes(each))) {
      log.warn({vmi: run.place.key, pid: run.process.pid, node: run.place.nodeName, how}, 'ending a process in which the guest is not');
      await run.kill();
      run.forget();
    }
    const instance = how === 'away' ? away : home;
    return instance === undefined || how === 'nowhere' ? undefined : {instance, away, how};
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
      const found = await sortOut(order);
      if (found === undefined) {
        rmSync(placeOf(root, order.vmi, order.nodeName).ephemeral, {recursive: true, force: true});
        return undefined;
      }
      const {instance, away, how} = found;
      const guest = new QemuGuest(order, context);
      guests.add(guest);
      count(order, instance.plan);
      await guest.adopt(instance);
      const move = order.vmi.status?.migrationState;
      const uid = move?.migrationUid ?? '';
      if (how === 'away') guest.reportArrival(uid);
      if (how === 'copying' && away !== undefined) guest.resumeMigration({uid, targetNode: away.place.nodeName, vmi: order.vmi}, away);
      log.info(
        {vmi: keyOf(refOfObject(order.vmi)), pid: instance.process.pid, node: instance.place.nodeName, how},
        'found the guest again',
      );
      return guest;
    },
    async endStrays(isWanted) {
      const ended: string[] = [];
      for (const {folder, record} of readRecords(root)) {
        if (isWanted(record.vmiUid)) continue;
        const instance = await adoptInstance({root, folder, record, nics: new Map(), clock, log});
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

/** What the console has shown goes along with a guest that moves. */
function continueLog(source: QemuInstance, {folder}: RunPlace): void {
  mkdirSync(folder, {recursive: true, mode: 0o700});
  if (existsSync(source.files.serialLog)) copyFileSync(source.files.serialLog, join(folder, 'serial.log'));
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
    ports: vmi.metadata.annotations?.[PORTS_ANNOTATION],
  };
}
