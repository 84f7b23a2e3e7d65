/**
 * Hands out the MAC and IP addresses of all networks: the only writer of `Network.status.leases`, in one process at a time (the leader).
 * Requests that arrive while a write is under way share the next one, so 100 servers created at once cost a handful of writes. Each write
 * is a PUT under the resourceVersion it was computed from; after a conflict everything is decided again on the newest state.
 */
import type {Network} from '../../crds/index.ts';
import {NETWORK} from '../../crds/index.ts';
import type {KubeClient} from '../../kube/client.ts';
import {isConflict} from '../../kube/errors.ts';
import type {Informer} from '../../kube/informer.ts';
import {keyOf, refOf, refOfObject} from '../../kube/objects.ts';
import {LeaseTable} from './lease-table.ts';
import type {Lease, NicWish, Outcome} from './lease-table.ts';

/** A NIC's wish on a network (`namespace/name`). */
export interface NicRequest extends NicWish {
  readonly network: string;
}

export interface LeaseBookOptions {
  readonly client: KubeClient;
  readonly networks: Informer<Network>;
  /** Whether a NIC without lease of another server on the network has this MAC address. */
  readonly macInUse: (network: string, mac: string, asker: {readonly namespace: string; readonly server: string}) => boolean;
}

interface Change {
  apply(table: LeaseTable): void;
  settle(): void;
  fail(error: unknown): void;
  readonly signal: AbortSignal;
}

/** Field manager of status (as in the status writer of the controllers). */
const FIELD_MANAGER = 'basalt-operator-status';
/** Changes in one write: bounds the time that the first of them waits. */
const MAX_BATCH = 256;
/** Tries per batch. Each conflict means that somebody else's write went through, so two are rare and six are a defect. */
const MAX_ATTEMPTS = 6;

/** Kept in step with the network controller's own arithmetic, so that it finds nothing to correct after each lease. */
const freeOf = (network: Network, table: LeaseTable): number => Math.max(0, (network.status?.total ?? table.size) - table.leases().length);

/** Aborts once nobody waits any more: one caller's deadline must not fail the write that the others share. */
function whenAllAborted(signals: readonly AbortSignal[]): AbortSignal {
  const controller = new AbortController();
  let waiting = signals.length;
  for (const signal of signals) {
    const leave = (): void => {
      waiting -= 1;
      if (waiting === 0) controller.abort(signal.reason);
    };
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, {once: true});
  }
  return controller.signal;
}

export class LeaseBook {
  readonly #options: LeaseBookOptions;
  readonly #queues = new Map<string, Change[]>();
  readonly #tables = new Map<string, {readonly version: string | undefined; readonly table: LeaseTable}>();

  constructor(options: LeaseBookOptions) {
    this.#options = options;
  }

  /**
   * What a NIC gets; a lease is stored before this resolves. Resolves with `undefined` when the network does not exist. Rejects with
   * `ApiError` when it cannot be stored, and with the signal's reason.
   */
  async ensure(request: NicRequest, signal: AbortSignal): Promise<Outcome | undefined> {
    const network = this.#options.networks.get(request.network);
    if (network === undefined) return undefined;
    const macInUse = (mac: string): boolean => this.#options.macInUse(request.network, mac, request);
    const present = this.#tableOf(network).peek(request, macInUse);
    if (present !== undefined) return present;
    let outcome: Outcome | undefined;
    await this.#enqueue(request.network, signal, (table) => {
      outcome = table.grant(request, macInUse);
    });
    return outcome;
  }

  /** The leases of a server on all networks, from the cache. */
  leasesOf(namespace: string, server: string): readonly {readonly network: string; readonly lease: Lease}[] {
    return this.#options.networks.list().flatMap((network) => {
      const key = keyOf(refOfObject(network));
      return this.#tableOf(network)
        .ofServer(namespace, server)
        .map((lease) => ({network: key, lease}));
    });
  }

  /** Gives back the leases of a server for which `keep` (default: none) is false. Resolves once that is stored. */
  async release(
    server: {readonly namespace: string; readonly name: string},
    signal: AbortSignal,
    keep: (network: string, lease: Lease) => boolean = () => false,
  ): Promise<void> {
    const given = this.leasesOf(server.namespace, server.name).filter(({network, lease}) => !keep(network, lease));
    const networks = new Set(given.map(({network}) => network));
    await Promise.all(
      [...networks].map((network) =>
        this.#enqueue(network, signal, (table) => table.release(server.namespace, server.name, (lease) => keep(network, lease))),
      ),
    );
  }

  #tableOf(network: Network): LeaseTable {
    const key = keyOf(refOfObject(network));
    const version = network.metadata.resourceVersion;
    const known = this.#tables.get(key);
    if (known !== undefined && known.version === version) return known.table;
    const table = new LeaseTable(network.spec, network.status?.leases ?? []);
    this.#tables.set(key, {version, table});
    return table;
  }

  async #enqueue(network: string, signal: AbortSignal, apply: (table: LeaseTable) => void): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const change: Change = {apply, settle: resolve, fail: reject, signal};
      const queue = this.#queues.get(network);
      if (queue !== undefined) {
        queue.push(change);
        return;
      }
      const fresh = [change];
      this.#queues.set(network, fresh);
      void this.#drain(network, fresh);
    });
  }

  /** Writes batch after batch until the queue is empty. Never rejects: errors go to those who asked. */
  async #drain(network: string, queue: Change[]): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.splice(0, MAX_BATCH);
      try {
        await this.#commit(network, batch);
        for (const change of batch) change.settle();
      } catch (error) {
        for (const change of batch) change.fail(error);
      }
    }
    this.#queues.delete(network);
  }

  async #commit(key: string, batch: readonly Change[]): Promise<void> {
    const {client, networks} = this.#options;
    const signal = whenAllAborted(batch.map((change) => change.signal));
    for (let attempt = 1; ; attempt += 1) {
      const network = attempt === 1 ? networks.get(key) : await client.get(NETWORK, refOf(key), {signal});
      if (network === undefined) return;
      const leases = network.status?.leases ?? [];
      // A table of its own: the shared one must show only what is stored.
      const table = new LeaseTable(network.spec, leases);
      for (const change of batch) change.apply(table);
      if (table.changes === 0) return;
      try {
        const status = {...network.status, leases: [...table.leases()], free: freeOf(network, table)};
        const stored = await client.replace(NETWORK, {...network, status}, {subresource: 'status', fieldManager: FIELD_MANAGER, signal});
        networks.observe(stored);
        this.#tables.set(key, {version: stored.metadata.resourceVersion, table});
        return;
      } catch (error) {
        if (!isConflict(error) || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }
}
