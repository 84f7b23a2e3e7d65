/**
 * Watches the demo account from the first line of a test to the last, and remembers what a look at the end cannot show: every
 * VirtualMachine and guest that ever existed, everybody who ever held a drive or the leader's lease.
 */
import {DRIVE, SERVER} from '../../crds/index.ts';
import type {Drive, Server} from '../../crds/index.ts';
import type {KubeClient} from '../../kube/client.ts';
import {systemClock} from '../../kube/clock.ts';
import type {Informer} from '../../kube/informer.ts';
import {silentLogger} from '../../kube/log.ts';
import {keyOf} from '../../kube/objects.ts';
import type {KubeObject, ResourceType} from '../../kube/objects.ts';
import {createInformer} from '../../kube/reflector.ts';
import {LEASE, SECRET} from '../../kube/types.ts';
import type {Lease, Secret} from '../../kube/types.ts';
import {VIRTUAL_MACHINE, VIRTUAL_MACHINE_INSTANCE} from '../../operator/kubevirt/types.ts';
import type {VirtualMachine, VirtualMachineInstance} from '../../operator/kubevirt/types.ts';
import {HOME} from './server-bench.ts';

/** How long anything may take, in milliseconds: a crash of the leader alone costs 17 s, and the machine may be busy. */
const PATIENCE_MS = 90_000;

/** See the top of this file. */
export class Witness {
  readonly servers: Informer<Server>;
  readonly drives: Informer<Drive>;
  readonly machines: Informer<VirtualMachine>;
  readonly guests: Informer<VirtualMachineInstance>;
  readonly secrets: Informer<Secret>;
  /** Who held the leader's lease, in order, without repetitions; nobody is left out. */
  readonly leaders: string[] = [];
  /** By drive: the names of its holders after each change, without repetitions. */
  readonly holders = new Map<string, string[]>();
  /** By `Kind name`: uids of all that ever existed. */
  readonly #uids = new Map<string, Set<string>>();
  readonly #leases: Informer<Lease>;
  readonly #stop = new AbortController();

  constructor(client: KubeClient) {
    const watch = <T extends KubeObject>(type: ResourceType<T>, namespace = HOME): Informer<T> =>
      createInformer<T>({client, type, namespace, clock: systemClock, log: silentLogger});
    this.servers = watch(SERVER);
    this.drives = watch(DRIVE);
    this.machines = watch(VIRTUAL_MACHINE);
    this.guests = watch(VIRTUAL_MACHINE_INSTANCE);
    this.secrets = watch(SECRET);
    this.#leases = watch(LEASE as ResourceType<Lease>, 'basalt-system');
    const remember = ({object: {kind, metadata}}: {readonly object: KubeObject}): void => {
      const key = `${kind} ${metadata.name}`;
      const uids = this.#uids.get(key) ?? new Set();
      this.#uids.set(key, uids.add(metadata.uid ?? ''));
    };
    this.machines.onChange(remember);
    this.guests.onChange(remember);
    this.drives.onChange(({object: {metadata, status}}) => {
      const seen = this.holders.get(metadata.name) ?? [];
      this.holders.set(metadata.name, seen);
      push(seen, (status?.claims ?? []).map(({server}) => server).join(' '));
    });
    this.#leases.onChange(({object}) => {
      if (object.metadata.name === 'basalt-operator') push(this.leaders, object.spec?.holderIdentity ?? '');
    });
  }

  get #informers(): readonly Informer<KubeObject>[] {
    return [this.servers, this.drives, this.machines, this.guests, this.secrets, this.#leases] as unknown as Informer<KubeObject>[];
  }

  /** Starts watching; resolves when everything that is there has been seen. */
  async start(): Promise<void> {
    for (const informer of this.#informers) informer.start(this.#stop.signal);
    await Promise.all(this.#informers.map((informer) => informer.waitForSync(AbortSignal.timeout(PATIENCE_MS))));
  }

  stop(): void {
    this.#stop.abort(new Error('the tests are over'));
  }

  /** How many objects of that kind ever had this name. */
  count(kind: 'VirtualMachine' | 'VirtualMachineInstance', name: string): number {
    return this.#uids.get(`${kind} ${name}`)?.size ?? 0;
  }

  /** The servers whose `spec.name` begins so. */
  named(prefix: string): readonly Server[] {
    return this.servers.list().filter(({spec}) => spec.name.startsWith(prefix));
  }

  /** Resolves with the first state that satisfies `probe`; rejects with the last one seen. */
  async until<T extends KubeObject>(
    informer: Informer<T>,
    name: string,
    probe: (object: T | undefined) => boolean,
  ): Promise<T | undefined> {
    const key = keyOf({namespace: HOME, name});
    try {
      return await informer.waitFor(key, probe, AbortSignal.timeout(PATIENCE_MS));
    } catch (error) {
      throw new Error(`${name} never was as ${probe.toString()}; it is ${JSON.stringify(informer.get(key))}`, {cause: error});
    }
  }

  /** Resolves once the server is in that phase with its newest spec looked at. */
  async serverIs(name: string, phase: string): Promise<Server> {
    const server = await this.until(
      this.servers,
      name,
      (seen) => seen?.status?.phase === phase && seen.status.observedGeneration === seen.metadata.generation,
    );
    if (server === undefined) throw new Error('unreachable');
    return server;
  }

  /** Resolves once there is no such object. */
  async gone<T extends KubeObject>(informer: Informer<T>, name: string): Promise<void> {
    await this.until(informer, name, (object) => object === undefined);
  }

  /** Resolves once `probe` holds, looked at after every change of the informer. */
  async when<T extends KubeObject>(informer: Informer<T>, what: string, probe: () => boolean): Promise<void> {
    const {promise, resolve, reject} = Promise.withResolvers<void>();
    const look = (): void => {
      if (probe()) resolve();
    };
    const forget = informer.onChange(look);
    const timer = setTimeout(() => reject(new Error(`${what}: not within ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
    look();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      forget();
    }
  }
}

function push(list: string[], value: string): void {
  if (list.at(-1) !== value) list.push(value);
}
