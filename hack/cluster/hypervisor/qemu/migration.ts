/**
 * A guest of the qemu driver on its way to another host: a second qemu waits (`-incoming`), the first sends it memory and devices while the
 * guest runs, stops it for the last of them, and the second goes on. Until the second has everything, the first is the guest: whatever fails
 * or is cancelled leaves it running where it was. From then on the first never runs again, for both would write to one disk: the second is
 * the guest, or the guest is lost, and that is said.
 */
import type {Clock} from '../../../../kube/clock.ts';
import type {Logger} from '../../../../kube/log.ts';
import {isAlive} from '../../process-identity.ts';
import type {GuestMigration} from '../guest.ts';
import type {Vmi} from '../types.ts';
import type {QemuInstance} from './instance.ts';
import {mebibytesOf} from './machine.ts';

const POLL_MS = 50;
/** The pause that a guest may be given for the last of its memory, in milliseconds, where nobody says; QEMU's own default. */
const DOWNTIME_MS = 300;
/** Bytes a second where nobody sets a bound: everything is on one machine. */
const UNBOUNDED = 8 * 2 ** 30;
/** How long the second qemu may take to go on, once it has everything; and the first, once it is clear that it keeps its guest. */
const RESUME_MS = 30_000;
/** One question within that time. */
const ASK_MS = 5_000;
/** KubeVirt's defaults of a migration's bounds, in seconds. */
const COMPLETION_PER_GIB_S = 150;
const PROGRESS_S = 150;

/** What KubeVirt's configuration and MigrationPolicies say of a migration. */
interface MigrationConfiguration {
  readonly bandwidthPerMigration?: string;
  readonly completionTimeoutPerGiB?: number;
  readonly progressTimeout?: number;
  readonly maxDowntimeMs?: number;
}

/** The bounds of a migration. */
export interface MigrationBounds {
  readonly bytesPerSecond: number;
  readonly downtimeMs: number;
  readonly completionMs: number;
  readonly progressMs: number;
}

/** Reads the bounds off the VMI; `memoryMiB` is what its machine has. */
export function boundsOf(vmi: Vmi, memoryMiB: number): MigrationBounds {
  const configuration = (vmi.status?.migrationState?.['migrationConfiguration'] ?? {}) as MigrationConfiguration;
  const {completionTimeoutPerGiB = COMPLETION_PER_GIB_S, progressTimeout = PROGRESS_S, maxDowntimeMs = DOWNTIME_MS} = configuration;
  const limitMiB = mebibytesOf(configuration.bandwidthPerMigration) ?? 0;
  return {
    bytesPerSecond: limitMiB === 0 ? UNBOUNDED : limitMiB * 2 ** 20,
    downtimeMs: maxDowntimeMs,
    completionMs: Math.max(1, Math.ceil(memoryMiB / 1024)) * completionTimeoutPerGiB * 1000,
    progressMs: progressTimeout * 1000,
  };
}

/** The parts of `query-migrate` that are looked at. */
export interface MigrationInfo {
  /** Absent: this qemu has not migrated. */
  readonly status?: string;
  readonly 'total-time'?: number;
  readonly downtime?: number;
  readonly 'error-desc'?: string;
  readonly ram?: {readonly transferred?: number; readonly remaining?: number};
}

/** What a migration works with. */
export interface MigrationParts {
  readonly uid: string;
  readonly targetNode: string;
  readonly bounds: MigrationBounds;
  readonly source: QemuInstance;
  /** Starts the qemu that waits. Rejects with what stands in the way. */
  readonly prepare: (signal: AbortSignal) => Promise<QemuInstance>;
  /**
   * The guest is in this qemu from now on, which says that it is in this run state; the migration ends the other one. Must not wait before
   * it listens. Resolves with false when the guest has ended meanwhile: then the migration ends this one as well.
   */
  readonly arrived: (target: QemuInstance, runState: string) => Promise<boolean>;
  /** The first qemu has handed the guest over and the second one does not have it. Ends the first one, and says what became of the guest. */
  readonly lost: (why: string) => Promise<void>;
  /** After every move of the state. */
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** See the top of this file. */
export class QemuMigration implements GuestMigration {
  readonly uid: string;
  readonly targetNode: string;
  readonly #parts: MigrationParts;
  readonly #given = new AbortController();
  #state: GuestMigration['state'] = 'preparing';
  #failure = '';
  #target: QemuInstance | undefined;
  #letGo = false;

  private constructor(parts: MigrationParts) {
    this.uid = parts.uid;
    this.targetNode = parts.targetNode;
    this.#parts = parts;
  }

  /** Prepares one. */
  static prepare(parts: MigrationParts): QemuMigration {
    const migration = new QemuMigration(parts);
    void migration.#prepare();
    return migration;
  }

  /** Goes on with one that was under way when an earlier run of this program ended: the two processes did not wait for it. */
  static resume(parts: MigrationParts, target: QemuInstance): QemuMigration {
    const migration = new QemuMigration(parts);
    migration.#target = target;
    migration.#state = 'copying';
    void migration.#copy('resume');
    return migration;
  }

  get state(): GuestMigration['state'] {
    return this.#state;
  }
  get failure(): string {
    return this.#failure;
  }
  /** Whether the first qemu may stop the guest without anybody having paused it. */
  get isCopying(): boolean {
    return this.#state === 'copying';
  }

  begin(): void {
    if (this.#state !== 'ready') return;
    this.#move('copying');
    void this.#copy('begin');
  }

  cancel(why = ''): void {
    if (this.#given.signal.aborted) return;
    this.#failure = why;
    this.#given.abort(new Error(why));
    if (this.#state === 'ready') void this.#end('cancelled', why);
  }

  /** This program ends: both processes go on by themselves, and the next run finds out how it ended. */
  letGo(): void {
    this.#letGo = true;
    this.#target?.letGo();
  }

  async #prepare(): Promise<void> {
    try {
      const target = await this.#parts.prepare(this.#given.signal);
      this.#target = target;
      if (this.#letGo) return target.letGo();
      void target.ended.then(() => {
        if (this.#state === 'ready') void this.#end('failed', `the target ended: ${target.lastWords()}`);
      });
      if (this.#given.signal.aborted) return await this.#end('cancelled', this.#failure);
      this.#move('ready');
    } catch (error) {
      await (this.#given.signal.aborted ? this.#end('cancelled', this.#failure) : this.#end('failed', messageOf(error)));
    }
  }

  async #copy(how: 'begin' | 'resume'): Promise<void> {
    const {source, log} = this.#parts;
    const target = this.#target as QemuInstance;
    try {
      const info = await this.#send(how, source, target);
      if (this.#letGo) return;
      await (info.status === 'completed' ? this.#handOver(info, target) : this.#stay(info, target));
    } catch (error) {
      if (this.#letGo) return;
      // Neither end of it should throw. The guest is where it is; nothing is told to go on.
      log.error({vmi: source.place.key, err: error}, 'the end of a migration');
      this.#failure = messageOf(error);
      this.#move('failed');
    }
  }

  /** Resolves with how the copy ended, as far as the first qemu tells. */
  async #send(how: 'begin' | 'resume', source: QemuInstance, target: QemuInstance): Promise<MigrationInfo> {
    const {bounds} = this.#parts;
    try {
      if (how === 'begin') {
        const capabilities = [{capability: 'return-path', state: true}]; // `completed` then means that the target has taken all of it
        for (const side of [source, target]) await side.qmp.execute('migrate-set-capabilities', {capabilities});
        await source.qmp.execute('migrate-set-parameters', {'max-bandwidth': bounds.bytesPerSecond, 'downtime-limit': bounds.downtimeMs});
        await source.qmp.execute('migrate', {uri: `unix:${target.files.incoming}`});
      }
      return await this.#watch();
    } catch (error) {
      // One answer that did not come says nothing about the guest: it may have gone meanwhile.
      const info = await infoOf(source);
      return info?.status === 'completed' ? info : {status: 'failed', 'error-desc': messageOf(error)};
    }
  }

  /** Looks until it is over; what takes too long is cancelled. */
  async #watch(): Promise<MigrationInfo> {
    const {source, bounds, clock} = this.#parts;
    const began = clock.monotonicMs();
    let progress = {remaining: Infinity, atMs: began};
    let cancelled = false;
    for (;;) {
      const info = (await source.qmp.execute('query-migrate')) as MigrationInfo;
      if (info.status === 'completed' || info.status === 'failed' || info.status === 'cancelled' || info.status === undefined) return info;
      const nowMs = clock.monotonicMs();
      const remaining = info.ram?.remaining ?? Infinity;
      if (remaining < progress.remaining) progress = {remaining, atMs: nowMs};
      const late =
        nowMs - began > bounds.completionMs
          ? `Live migration is not completed after ${bounds.completionMs / 1000} seconds and has been aborted`
          : nowMs - progress.atMs > bounds.progressMs
            ? `Live migration stuck for ${bounds.progressMs / 1000} seconds and has been aborted`
            : undefined;
      if (late !== undefined) this.cancel(late);
      if (this.#given.signal.aborted && !cancelled) {
        cancelled = true;
        await source.qmp.execute('migrate_cancel');
      }
      await clock.sleep(POLL_MS);
    }
  }

  async #handOver(info: MigrationInfo, target: QemuInstance): Promise<void> {
    const {source, log, arrived} = this.#parts;
    for (const nic of source.nics.values()) await quietly(nic.deactivate(source.qmp), log, 'ports of a NIC');
    const runState = await this.#arrival(target);
    if (this.#letGo) return;
    if (runState === undefined) return await this.#lose(target, `the target on ${this.targetNode} did not go on`);
    if (!(await arrived(target, runState))) {
      for (const side of [target, source]) await dismiss(side);
      return this.#move('cancelled');
    }
    log.info(
      {vmi: source.place.key, to: this.targetNode, totalMs: info['total-time'], downtimeMs: info.downtime, bytes: info.ram?.transferred},
      'the guest has moved',
    );
    await dismiss(source);
    this.#move('succeeded');
  }

  /** The run state in which the guest has come to the second qemu, be it one in which it ends; undefined: it never came. */
  async #arrival({qmp, process}: QemuInstance): Promise<string | undefined> {
    const {clock, log} = this.#parts;
    const deadline = clock.monotonicMs() + RESUME_MS;
    while (clock.monotonicMs() <= deadline && isAlive(process) && !this.#letGo) {
      try {
        const {status} = (await qmp.execute('query-status', {}, {timeoutMs: ASK_MS})) as {readonly status?: string};
        if (status !== undefined && !NOT_YET.has(status)) return status;
      } catch (error) {
        log.warn({err: error, to: this.targetNode}, 'the target of a migration does not answer');
      }
      await clock.sleep(POLL_MS);
    }
    return undefined;
  }

  /** The guest stays: the first qemu goes on by itself when it learns that the second one is gone. */
  async #stay(info: MigrationInfo, target: QemuInstance): Promise<void> {
    const words = target.lastWords();
    const targetDied = !isAlive(target.process);
    await dismiss(target);
    this.#target = undefined;
    // It may have handed the guest over in its last moment.
    if ((await this.#settled()) === 'completed') return await this.#lose(target, `the target on ${this.targetNode} ended as it took over`);
    if (this.#given.signal.aborted) return this.#move('cancelled');
    const reasons = [
      targetDied ? `the target on ${this.targetNode} ended` : '',
      info['error-desc'] ?? info.status ?? 'no migration',
      words,
    ];
    this.#failure = reasons.filter((text) => text !== '').join(': ');
    this.#move('failed');
  }

  /** How the migration ended for the first qemu; undefined where it does not say: its own end is told by itself. */
  async #settled(): Promise<string | undefined> {
    const {source, clock} = this.#parts;
    const deadline = clock.monotonicMs() + RESUME_MS;
    for (;;) {
      const status = (await infoOf(source))?.status;
      if (status === undefined || !UNDER_WAY.has(status) || clock.monotonicMs() > deadline) return status;
      await clock.sleep(POLL_MS);
    }
  }

  async #lose(target: QemuInstance, why: string): Promise<void> {
    const {source, log, lost} = this.#parts;
    const words = target.lastWords();
    const failure = words === '' ? why : `${why}: ${words}`;
    log.error({vmi: source.place.key, to: this.targetNode, why: failure}, 'a guest was lost on its way');
    await dismiss(target);
    this.#target = undefined;
    await lost(failure);
    this.#failure = failure;
    this.#move('failed');
  }

  async #end(state: 'failed' | 'cancelled', failure: string): Promise<void> {
    this.#failure = failure;
    const target = this.#target;
    this.#target = undefined;
    this.#move(state);
    await target?.kill();
    target?.forget();
  }

  #move(state: GuestMigration['state']): void {
    this.#state = state;
    this.#parts.onChange();
  }
}

/** Run states of a qemu that has not got its guest yet. */
const NOT_YET = new Set(['inmigrate', 'prelaunch']);

async function dismiss(instance: QemuInstance): Promise<void> {
  await instance.kill();
  instance.forget();
}

/** How the migration of a qemu is, if it says so. */
const infoOf = ({qmp}: QemuInstance): Promise<MigrationInfo | undefined> =>
  qmp.execute('query-migrate', {}, {timeoutMs: ASK_MS}).then(
    (answer) => answer as MigrationInfo,
    () => undefined,
  );

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function quietly(call: Promise<unknown>, log: Logger, what: string): Promise<void> {
  try {
    await call;
  } catch (error) {
    log.warn({err: error}, what);
  }
}

/** A migration that ended well while nobody watched: there is nothing to do about it but to tell. */
export const arrivalOf = (uid: string, targetNode: string): GuestMigration => ({
  uid,
  targetNode,
  state: 'succeeded',
  failure: '',
  begin: () => undefined,
  cancel: () => undefined,
});

/** What one of the two processes of a VMI says of itself: QMP's run state, and how its outgoing migration is. */
export interface Side {
  readonly runState: string | undefined;
  readonly migration: string | undefined;
}

/** Asks a process. */
export async function sideOf({qmp}: QemuInstance): Promise<Side> {
  const {status: runState} = (await qmp.execute('query-status')) as {readonly status?: string};
  const {status: migration} = (await qmp.execute('query-migrate')) as MigrationInfo;
  return {runState, migration};
}

const UNDER_WAY = new Set(['setup', 'active', 'pre-switchover', 'device', 'wait-unplug', 'cancelling']);

/**
 * Where the guest is that an earlier run of this program left in one or two processes: `home` is on the node that the VMI names, `away` on
 * another. A first process that has handed its guest over must never go on again, whatever became of the second: both wrote to one disk.
 */
export function whereIs(home: Side | undefined, away: Side | undefined): 'home' | 'copying' | 'away' | 'nowhere' {
  const handedOver = home === undefined || home.runState === 'postmigrate' || home.migration === 'completed';
  if (handedOver) return away === undefined || away.runState === 'inmigrate' ? 'nowhere' : 'away';
  return away !== undefined && UNDER_WAY.has(home.migration ?? '') ? 'copying' : 'home';
}
