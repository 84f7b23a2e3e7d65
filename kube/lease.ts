/**
 * Leader election over a Lease, as client-go does it: expiry is judged by our own monotonic clock since the record last changed before our
 * eyes, never by comparing wall clocks.
 *
 * The arithmetic with the defaults: a leader that cannot renew aborts its work 10 s after it *sent* its last successful renewal; another
 * process takes over no sooner than 15 s after it *saw* that renewal. So the two never work at once, as long as the leader's event loop is
 * not blocked for 5 s. A crashed leader is replaced after 15 to 17.4 s; one that stops well, within 2.4 s.
 */
import type {KubeClient} from './client.ts';
import type {Clock} from './clock.ts';
import {startDeadline} from './deadline.ts';
import {isAlreadyExists, isConflict, isNotFound} from './errors.ts';
import type {Logger} from './log.ts';
import {microTime} from './micro-time.ts';
import {LEASE} from './types.ts';
import type {Lease} from './types.ts';

/** Where an election reports who leads. */
export interface LeaseMetrics {
  /** `leader_election_master_status`. */
  leader(name: string, leading: boolean): void;
}

/** Options of {@link runLeaderElection}. Times in milliseconds. */
export interface LeaderElectionOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  /** Unique to this process. */
  readonly identity: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called once, when this process leads. The signal aborts when it no longer may, before anybody else does. */
  readonly onStarted: (leading: AbortSignal) => void;
  /** Default 15,000. */
  readonly leaseDurationMs?: number;
  /** Default 10,000; must be well below the duration. */
  readonly renewDeadlineMs?: number;
  /** Default 2,000, up to a fifth longer while waiting for the lease. */
  readonly retryPeriodMs?: number;
  readonly metrics?: LeaseMetrics;
  readonly random?: () => number;
}

/** The lease could not be renewed in time, or another process took it. The process must end: somebody else may be leading. */
export class LeadershipLostError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LeadershipLostError';
  }
}

/** How long a clean stop may take to give the lease back. */
const RELEASE_TIMEOUT_MS = 3_000;

/**
 * Waits for leadership, holds it until `signal` aborts, gives it back and resolves. Abort `signal` only when the work has ended: the lease
 * is free from then on. Rejects with {@link LeadershipLostError}, or what `onStarted` threw.
 */
export async function runLeaderElection(options: LeaderElectionOptions, signal: AbortSignal): Promise<void> {
  const {clock, log, name, identity, retryPeriodMs = 2_000, metrics, random = Math.random} = options;
  const record = new LeaseRecord(options);
  metrics?.leader(name, false);
  while (!signal.aborted) {
    if (await record.tryAcquire(signal)) break;
    await sleepUnlessAborted(clock, retryPeriodMs * (1 + random() / 5), signal);
  }
  if (signal.aborted && !record.held) return;
  log.info({lease: name, identity}, 'leading');
  const leading = new AbortController();
  metrics?.leader(name, true);
  try {
    options.onStarted(leading.signal);
    await keep(options, record, leading, signal);
    leading.abort(signal.reason);
    await record.release();
    log.info({lease: name, identity}, 'leadership given back');
  } catch (error) {
    leading.abort(error);
    throw error;
  } finally {
    metrics?.leader(name, false);
  }
}

/** Renews until `signal` aborts; throws when the renewal deadline passes or the lease is another's. */
async function keep(options: LeaderElectionOptions, record: LeaseRecord, leading: AbortController, signal: AbortSignal): Promise<void> {
  const {clock, name, renewDeadlineMs = 10_000, retryPeriodMs = 2_000} = options;
  const lost = (): LeadershipLostError => new LeadershipLostError(`lease ${name} could not be renewed for ${renewDeadlineMs} ms`);
  while (!signal.aborted) {
    // From the moment the last renewal was sent; it also cuts a renewal that hangs.
    const leftMs = record.renewedAtMs + renewDeadlineMs - clock.monotonicMs();
    const deadline = startDeadline(clock, Math.max(0, leftMs), signal, lost);
    const onDeadline = (): void => {
      if (!signal.aborted) leading.abort(deadline.signal.reason); // at once, whatever the renewal under way is doing
    };
    deadline.signal.addEventListener('abort', onDeadline, {once: true});
    try {
      await renewOnce(clock, record, retryPeriodMs, deadline.signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      deadline.done();
    }
  }
}

/** Waits a period and renews; repeats until a renewal succeeds or the deadline's signal aborts, with whose reason it then throws. */
async function renewOnce(clock: Clock, record: LeaseRecord, retryPeriodMs: number, deadline: AbortSignal): Promise<void> {
  for (;;) {
    await clock.sleep(retryPeriodMs, deadline);
    if (await record.tryRenew(deadline)) return;
    deadline.throwIfAborted();
  }
}

/** The Lease as last seen, and when it last changed. */
class LeaseRecord {
  readonly #options: LeaderElectionOptions;
  readonly #durationMs: number;
  #seen: Lease | undefined;
  #seenAtMs = 0;
  /** When the last successful renewal was sent. */
  renewedAtMs = 0;
  held = false;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#durationMs = options.leaseDurationMs ?? 15_000;
  }

  /** One try to get the lease. Failures are logged, not thrown: there is another try. */
  async tryAcquire(signal: AbortSignal): Promise<boolean> {
    const {client, namespace, name, identity, clock, log} = this.#options;
    try {
      const current = await this.#read(signal);
      if (current !== undefined && !this.#isFree(current)) return false;
      const sentAtMs = clock.monotonicMs();
      const stored =
        current === undefined
          ? await client.create(
              LEASE,
              {apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: {namespace, name}, spec: this.#spec(undefined)},
              {signal},
            )
          : await client.replace(LEASE, {...current, spec: this.#spec(current)}, {signal});
      this.#wrote(stored, sentAtMs);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      if (!isConflict(error) && !isAlreadyExists(error))
        log.warn({err: error, lease: name, identity}, 'could not try for the lease; trying on');
      return false;
    }
  }

  /** One try to renew. Throws {@link LeadershipLostError} when another holds it; other failures are logged and there is another try. */
  async tryRenew(signal: AbortSignal): Promise<boolean> {
    const {client, name, identity, clock, log} = this.#options;
    try {
      // The record of the last write is enough; only after a conflict it has to be read.
      const current = this.#seen ?? (await this.#read(signal));
      if (current?.spec?.holderIdentity !== identity) {
        throw new LeadershipLostError(`lease ${name} is held by ${current?.spec?.holderIdentity ?? 'nobody: it was deleted'}`);
      }
      const sentAtMs = clock.monotonicMs();
      this.#wrote(await client.replace(LEASE, {...current, spec: this.#spec(current)}, {signal, maxRetries: 0}), sentAtMs);
      return true;
    } catch (error) {
      if (error instanceof LeadershipLostError) throw error;
      // Whatever went wrong, the next try begins with what the server has: the answer of a write that succeeded may have been lost.
      this.#seen = undefined;
      if (!signal.aborted && !isConflict(error)) log.warn({err: error, lease: name, identity}, 'could not renew the lease; trying on');
      return false;
    }
  }

  /** Gives the lease back, so that another process need not wait for it to expire. A failure is only logged: it expires by itself. */
  async release(): Promise<void> {
    const {client, clock, log, name} = this.#options;
    const deadline = startDeadline(clock, RELEASE_TIMEOUT_MS, undefined, () => new Error(`no answer within ${RELEASE_TIMEOUT_MS} ms`));
    try {
      const current = this.#seen ?? (await this.#read(deadline.signal));
      if (current?.spec?.holderIdentity !== this.#options.identity) return;
      const now = microTime(clock.now());
      const spec = {...current.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now};
      await client.replace(LEASE, {...current, spec}, {signal: deadline.signal});
    } catch (error) {
      log.warn({err: error, lease: name}, 'could not give the lease back; it expires by itself');
    } finally {
      deadline.done();
      this.held = false;
    }
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    const {client, namespace, name, clock} = this.#options;
    try {
      const lease = await client.get(LEASE, {namespace, name}, {signal});
      if (lease.metadata.resourceVersion !== this.#seen?.metadata.resourceVersion) this.#seenAtMs = clock.monotonicMs();
      this.#seen = lease;
      return lease;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      this.#seen = undefined;
      return undefined;
    }
  }

  #isFree({spec}: Lease): boolean {
    const holder = spec?.holderIdentity ?? '';
    if (holder === '' || holder === this.#options.identity) return true;
    const durationMs = (spec?.leaseDurationSeconds ?? this.#durationMs / 1000) * 1000;
    return this.#options.clock.monotonicMs() >= this.#seenAtMs + durationMs;
  }

  #wrote(stored: Lease, sentAtMs: number): void {
    this.#seen = stored;
    this.#seenAtMs = this.#options.clock.monotonicMs();
    this.renewedAtMs = sentAtMs;
    this.held = true;
  }

  #spec(current: Lease | undefined): NonNullable<Lease['spec']> {
    const {clock, identity} = this.#options;
    const now = microTime(clock.now());
    const before = current?.spec;
    const leaseDurationSeconds = Math.max(1, Math.ceil(this.#durationMs / 1000));
    if (before?.holderIdentity === identity) return {...before, leaseDurationSeconds, renewTime: now};
    return {
      holderIdentity: identity,
      leaseDurationSeconds,
      acquireTime: now,
      renewTime: now,
      leaseTransitions: (before?.leaseTransitions ?? -1) + 1,
    };
  }
}

async function sleepUnlessAborted(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
