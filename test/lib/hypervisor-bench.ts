/** What the hypervisor's cluster test does to VMs: raw calls, as kubectl and virtctl would make them. */
import {randomUUID} from 'node:crypto';
import type {KubeClient} from '../../kube/client.ts';
import {systemClock} from '../../kube/clock.ts';
import {isNotFound} from '../../kube/errors.ts';
import {silentLogger} from '../../kube/log.ts';
import {loadKubeConfig} from '../../kube/pooled-kube-config.ts';
import {createClient} from '../../kube/transport.ts';
import {NAMESPACE, POD} from '../../kube/types.ts';
import type {Pod} from '../../kube/types.ts';
import {VM, VMI} from '../../hack/cluster/hypervisor/types.ts';
import type {VirtualMachine, Vmi} from '../../hack/cluster/hypervisor/types.ts';
import type {KubeObject, ResourceType} from '../../kube/objects.ts';

const WAIT_MS = 30_000;
const POLL_MS = 50;
/** virt-api's verbs produce no JSON: asked for JSON they answer 406. */
const ANY = {accept: '*/*'};

interface Migration extends KubeObject {
  readonly spec: {readonly vmiName: string};
  readonly status?: {readonly phase?: string};
}
const VMIM: ResourceType<Migration> = {
  group: 'kubevirt.io',
  version: 'v1',
  plural: 'virtualmachineinstancemigrations',
  kind: 'VirtualMachineInstanceMigration',
  namespaced: true,
};

/** Phases by VMI uid, in order, as a watch saw them. */
export interface PhaseRecord {
  stop(): Promise<ReadonlyMap<string, readonly string[]>>;
}

/** One namespace of the cluster under test. Every wait has a deadline of 30 s and says what it waited for. */
export interface HypervisorBench {
  readonly namespace: string;
  /** Creates a VM and waits until it is ready. */
  start(name: string): Promise<{vm: VirtualMachine; vmi: Vmi}>;
  vmi(name: string): Promise<Vmi>;
  launcher(vmiName: string): Promise<Pod>;
  waitForVm(name: string, want: (vm: VirtualMachine | undefined) => boolean): Promise<VirtualMachine | undefined>;
  waitForVmi(name: string, want: (vmi: Vmi | undefined) => boolean): Promise<Vmi | undefined>;
  waitForPods(vmiName: string, want: (pods: readonly Pod[]) => boolean): Promise<readonly Pod[]>;
  waitForNamespaceGone(): Promise<void>;
  eventually(what: string, probe: () => boolean): Promise<void>;
  conditions(vmi: Vmi): Readonly<Record<string, string>>;
  get(name: string, verb: string): Promise<unknown>;
  put(name: string, verb: string): Promise<void>;
  stopVm(name: string, gracePeriod: number): Promise<void>;
  setRunStrategy(name: string, runStrategy: string): Promise<void>;
  /** Sets an annotation of a VMI: how simulated guests are told what to do. */
  annotate(name: string, annotation: string, value: string): Promise<void>;
  createMigration(vmiName: string, name: string): Promise<void>;
  deleteMigration(name: string): Promise<void>;
  /** Creates a migration and waits until KubeVirt calls it Succeeded. */
  migrate(vmiName: string, name: string): Promise<void>;
  /** As a drain does: refused with 429 while the guest is in the pod, asked again until it has moved. */
  evict(podName: string): Promise<void>;
  deleteVm(name: string): Promise<void>;
  recordPhases(): PhaseRecord;
  /** Deletes the namespace, without waiting for its end. */
  close(): Promise<void>;
}

/** Opens a namespace of its own. */
export async function createHypervisorBench(kubeconfig: string): Promise<HypervisorBench> {
  const client = createClient({
    kubeConfig: loadKubeConfig({path: kubeconfig}),
    userAgent: 'hypervisor-test',
    fieldManager: 'hypervisor-test',
    log: silentLogger,
  });
  const namespace = `hv-${randomUUID().slice(0, 8)}`;
  await client.create(NAMESPACE, {apiVersion: 'v1', kind: 'Namespace', metadata: {name: namespace}});
  return new Bench(client, namespace);
}

class Bench implements HypervisorBench {
  readonly namespace: string;
  readonly #client: KubeClient;
  #created = 0;

  constructor(client: KubeClient, namespace: string) {
    this.#client = client;
    this.namespace = namespace;
  }

  async start(name: string): Promise<{vm: VirtualMachine; vmi: Vmi}> {
    await this.#client.create(VM, machine(this.namespace, name, ++this.#created));
    const vm = await this.waitForVm(name, (seen) => seen?.status?.ready === true);
    return {vm: vm as VirtualMachine, vmi: await this.vmi(name)};
  }

  vmi(name: string): Promise<Vmi> {
    return this.#client.get(VMI, this.#ref(name));
  }

  async launcher(vmiName: string): Promise<Pod> {
    const [pod] = (await this.#pods(vmiName)).filter((one) => one.status?.phase === 'Running');
    if (pod === undefined) throw new Error(`no running launcher pod of ${vmiName}`);
    return pod;
  }

  waitForVm(name: string, want: (vm: VirtualMachine | undefined) => boolean): Promise<VirtualMachine | undefined> {
    return this.#wait(`VM ${name}`, () => this.#find(VM, name), want);
  }

  waitForVmi(name: string, want: (vmi: Vmi | undefined) => boolean): Promise<Vmi | undefined> {
    return this.#wait(`VMI ${name}`, () => this.#find(VMI, name), want);
  }

  waitForPods(vmiName: string, want: (pods: readonly Pod[]) => boolean): Promise<readonly Pod[]> {
    return this.#wait(`launcher pods of ${vmiName}`, () => this.#pods(vmiName), want);
  }

  async waitForNamespaceGone(): Promise<void> {
    const find = async (): Promise<KubeObject | undefined> => this.#orUndefined(this.#client.get(NAMESPACE, {name: this.namespace}));
    await this.#wait(`namespace ${this.namespace}`, find, (seen) => seen === undefined);
  }

  async eventually(what: string, probe: () => boolean): Promise<void> {
    await this.#wait(
      what,
      () => Promise.resolve(probe()),
      (seen) => seen,
    );
  }

  conditions(vmi: Vmi): Readonly<Record<string, string>> {
    return Object.fromEntries((vmi.status?.conditions ?? []).map((condition) => [condition.type, condition.status]));
  }

  async get(name: string, verb: string): Promise<unknown> {
    const {body} = await this.#client.raw('GET', this.#subresource('virtualmachineinstances', name, verb));
    return JSON.parse(body.toString());
  }

  async put(name: string, verb: string): Promise<void> {
    await this.#client.raw('PUT', this.#subresource('virtualmachineinstances', name, verb), {body: {}, headers: ANY});
  }

  async stopVm(name: string, gracePeriod: number): Promise<void> {
    await this.#client.raw('PUT', this.#subresource('virtualmachines', name, 'stop'), {body: {gracePeriod}, headers: ANY});
  }

  async setRunStrategy(name: string, runStrategy: string): Promise<void> {
    await this.#client.mergePatch(VM, this.#ref(name), {spec: {runStrategy}});
  }

  async annotate(name: string, annotation: string, value: string): Promise<void> {
    await this.#client.mergePatch(VMI, this.#ref(name), {metadata: {annotations: {[annotation]: value}}});
  }

  async createMigration(vmiName: string, name: string): Promise<void> {
    await this.#client.create(VMIM, {
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachineInstanceMigration',
      metadata: {name, namespace: this.namespace},
      spec: {vmiName},
    });
  }

  async deleteMigration(name: string): Promise<void> {
    await this.#client.delete(VMIM, this.#ref(name));
  }

  async migrate(vmiName: string, name: string): Promise<void> {
    await this.createMigration(vmiName, name);
    await this.#wait(
      `migration ${name}`,
      () => this.#client.get(VMIM, this.#ref(name)),
      (seen) => {
        if (seen.status?.phase === 'Failed') throw new Error(`migration ${name} failed`);
        return seen.status?.phase === 'Succeeded';
      },
    );
  }

  async evict(podName: string): Promise<void> {
    const body = {apiVersion: 'policy/v1', kind: 'Eviction', metadata: {name: podName, namespace: this.namespace}};
    await this.#client.raw('POST', `/api/v1/namespaces/${this.namespace}/pods/${podName}/eviction`, {body});
  }

  async deleteVm(name: string): Promise<void> {
    await this.#client.delete(VM, this.#ref(name));
  }

  recordPhases(): PhaseRecord {
    const abort = new AbortController();
    const phases = new Map<string, string[]>();
    const watching = (async () => {
      try {
        for await (const {object} of this.#client.watch(VMI, {namespace: this.namespace, signal: abort.signal})) {
          const list = phases.get(object.metadata.uid ?? '') ?? [];
          phases.set(object.metadata.uid ?? '', list);
          const phase = object.status?.phase ?? '';
          if (list.at(-1) !== phase) list.push(phase);
        }
      } catch (error) {
        if (!abort.signal.aborted) throw error;
      }
    })();
    return {
      stop: async () => {
        abort.abort();
        await watching;
        return phases;
      },
    };
  }

  async close(): Promise<void> {
    await this.#client.delete(NAMESPACE, {name: this.namespace});
  }

  #ref(name: string): {namespace: string; name: string} {
    return {namespace: this.namespace, name};
  }

  #subresource(plural: string, name: string, verb: string): string {
    return `/apis/subresources.kubevirt.io/v1/namespaces/${this.namespace}/${plural}/${name}/${verb}`;
  }

  async #pods(vmiName: string): Promise<readonly Pod[]> {
    const {items} = await this.#client.list(POD, {
      namespace: this.namespace,
      labelSelector: `kubevirt.io=virt-launcher,vm.kubevirt.io/name=${vmiName}`,
    });
    return items;
  }

  #find<T extends KubeObject>(type: ResourceType<T>, name: string): Promise<T | undefined> {
    return this.#orUndefined(this.#client.get(type, this.#ref(name)));
  }

  async #orUndefined<T>(call: Promise<T>): Promise<T | undefined> {
    try {
      return await call;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #wait<T>(what: string, read: () => Promise<T>, want: (value: T) => boolean): Promise<T> {
    const deadline = systemClock.monotonicMs() + WAIT_MS;
    for (;;) {
      const value = await read();
      if (want(value)) return value;
      if (systemClock.monotonicMs() > deadline)
        throw new Error(`${what}: not as wanted after ${WAIT_MS / 1000} s, but ${JSON.stringify(value)}`);
      await systemClock.sleep(POLL_MS);
    }
  }
}

function machine(namespace: string, name: string, index: number): VirtualMachine {
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: {name, namespace},
    spec: {
      runStrategy: 'RerunOnFailure',
      template: {
        metadata: {annotations: {'basalt.dev/nic-addresses': JSON.stringify({nic0: `198.51.100.${6 + index}`})}},
        spec: {
          architecture: 'amd64',
          evictionStrategy: 'LiveMigrateIfPossible',
          terminationGracePeriodSeconds: 60,
          domain: {
            machine: {type: 'q35'},
            cpu: {sockets: 1, cores: 1, threads: 1},
            memory: {guest: '64Mi'},
            devices: {interfaces: [{name: 'nic0', macAddress: `52:54:00:00:00:${index.toString(16).padStart(2, '0')}`, masquerade: {}}]},
          },
          networks: [{name: 'nic0', pod: {}}],
        },
      },
    },
  };
}
