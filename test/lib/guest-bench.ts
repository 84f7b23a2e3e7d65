/** Real guests on the full cluster: servers of ours and bare machines of KubeVirt, their processes, consoles and events. */
import {readFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {isAlive, signalProcess} from '../../hack/cluster/process-identity.ts';
import type {ProcessIdentity} from '../../hack/cluster/process-identity.ts';
import {clusterPaths} from '../../hack/cluster/paths.ts';
import {readRecords} from '../../hack/cluster/hypervisor/qemu/state-file.ts';
import type {RunRecord} from '../../hack/cluster/hypervisor/qemu/state-file.ts';
import {VM, VMI} from '../../hack/cluster/hypervisor/types.ts';
import type {Vmi} from '../../hack/cluster/hypervisor/types.ts';
import {probeHttp} from '../../hack/cluster/probes.ts';
import {readState, recordedProcesses} from '../../hack/cluster/state.ts';
import {waitFor} from '../../hack/cluster/waiting.ts';
import {openConsole} from '../../hack/lib/console.ts';
import type {Console} from '../../hack/lib/console.ts';
import {isNotFound} from '../../kube/errors.ts';
import {EVENT, SECRET} from '../../kube/types.ts';
import {HOME, ServerBench} from './server-bench.ts';

/** Root's password in guests that `secret` is for, and its hash. */
const PASSWORD = 'opensesame';
const HASH = '$6$guests$iOtqSmjArnlSVKupk3eE6hE6Vvg97QEPFAyi3KNlJzreMBhjpO/HIZTI1SWH6R/fBpEPlu.Aa5u/oCcjSMt900';
/** A boot takes 3 s on a machine that is idle. */
const BOOT_MS = 90_000;
const COMMAND_MS = 20_000;
const WAIT_MS = 60_000;
const LOGINS = 3;

/** See the top of this file. */
export class GuestBench {
  readonly servers: ServerBench;
  readonly #kubeconfig: string;
  readonly #paths;
  readonly #machines: string[] = [];
  readonly #secrets: string[] = [];

  constructor(kubeconfig: string, clusterFolder: string) {
    this.#kubeconfig = kubeconfig;
    this.servers = new ServerBench(kubeconfig);
    this.#paths = clusterPaths(resolve(clusterFolder));
  }

  /** A Secret with first-boot data that lets root log in. */
  async secret(name: string): Promise<void> {
    const data = {passwordHash: Buffer.from(HASH).toString('base64')};
    await this.servers.client.create(SECRET, {apiVersion: 'v1', kind: 'Secret', metadata: {name, namespace: HOME}, data});
    this.#secrets.push(name);
  }

  /** A bare machine of KubeVirt, of 64 MiB, on an overlay of the image tiny; `domain` and `spec` say what else. */
  async machine(name: string, domain: object = {}, spec: object = {}): Promise<void> {
    const devices = {disks: [{name: 'root', disk: {bus: 'virtio'}}], interfaces: [{name: 'pod', masquerade: {}}]};
    await this.servers.client.create(VM, {
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachine',
      metadata: {name, namespace: HOME},
      spec: {
        runStrategy: 'RerunOnFailure',
        template: {
          spec: {
            architecture: 'amd64',
            domain: {machine: {type: 'q35'}, memory: {guest: '96Mi'}, devices, ...domain},
            networks: [{name: 'pod', pod: {}}],
            volumes: [{name: 'root', containerDisk: {image: 'local/tiny:1'}}],
            ...spec,
          },
        },
      },
    });
    this.#machines.push(name);
  }

  async deleteMachine(name: string): Promise<void> {
    await this.servers.client
      .delete(VM, {namespace: HOME, name})
      .catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)));
  }

  vmi(name: string): Promise<Vmi> {
    return this.servers.client.get(VMI, {namespace: HOME, name});
  }

  async running(name: string): Promise<Vmi> {
    const vmi = await this.servers.until<Vmi>(VMI, name, (seen) => seen?.status?.phase === 'Running');
    if (vmi === undefined) throw new Error('unreachable');
    return vmi;
  }

  /** A verb of the machine's subresources, as virtctl asks for it. */
  async verb(name: string, verb: string): Promise<void> {
    const path = `/apis/subresources.kubevirt.io/v1/namespaces/${HOME}/virtualmachineinstances/${name}/${verb}`;
    await this.servers.client.raw('PUT', path, {body: {}, headers: {accept: '*/*'}});
  }

  /** What the hypervisor has written down about a guest; undefined when there is none. */
  run(name: string): RunRecord | undefined {
    return readRecords(this.#paths.guests).find(({record}) => record.key === `${HOME}/${name}`)?.record;
  }

  /** As {@link run}, where there must be one. */
  process(name: string): ProcessIdentity {
    const run = this.run(name);
    if (run === undefined) throw new Error(`no process of ${name} is on record`);
    return run.process;
  }

  /** Ticks of processor time that a guest has used. */
  ticks(name: string): number {
    const stat = readFileSync(`/proc/${this.process(name).pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  }

  async gone(who: ProcessIdentity, what: string): Promise<void> {
    await waitFor(() => Promise.resolve(isAlive(who) ? `process ${who.pid} lives` : undefined), {
      what: `end of ${what}`,
      deadlineMs: WAIT_MS,
    });
  }

  hypervisor(): ProcessIdentity {
    const state = readState(this.#paths.state);
    const found = state === undefined ? undefined : recordedProcesses(state).find(({name}) => name === 'hypervisor');
    if (found === undefined) throw new Error('no hypervisor is on record');
    return found.identity;
  }

  /** Kills the hypervisor; resolves when its supervisor has another one, and that one is ready. */
  async killHypervisor(): Promise<void> {
    const before = this.hypervisor();
    signalProcess(before, 'SIGKILL');
    await waitFor(
      async () => {
        const state = readState(this.#paths.state);
        const now = state === undefined ? undefined : recordedProcesses(state).find(({name}) => name === 'hypervisor')?.identity;
        if (state === undefined || now === undefined || !isAlive(now) || now.pid === before.pid) return 'none yet';
        return probeHttp(`http://127.0.0.1:${state.ports.hypervisorMetrics}/readyz`);
      },
      {what: 'another hypervisor', deadlineMs: WAIT_MS},
    );
  }

  hypervisorLog(): string {
    return readFileSync(join(this.#paths.log, 'hypervisor.log'), 'utf8');
  }

  /** Waits for an event of a reason about the instance of a name; resolves with its text. */
  async told(name: string, reason: string, uid?: string): Promise<string> {
    let note = '';
    await waitFor(
      async () => {
        const {items} = await this.servers.client.list(EVENT, {namespace: HOME});
        const event = items.find(
          (one) => one.reason === reason && one.regarding?.name === name && (uid === undefined || one.regarding.uid === uid),
        );
        note = event?.note ?? '';
        return event === undefined ? `no event ${reason} of ${name}` : undefined;
      },
      {what: `event ${reason} of ${name}`, deadlineMs: WAIT_MS, intervalMs: 200},
    );
    return note;
  }

  /** A console at which root is logged in, and who logs out when the function has ended. */
  async at<T>(name: string, work: (console: Console) => Promise<T>): Promise<T> {
    const console = await this.#login(name);
    try {
      const result = await work(console);
      await console.logout();
      return result;
    } finally {
      await console.close();
    }
  }

  // While a guest boots, its terminal is reset under what is typed: as a person would, try again.
  async #login(name: string): Promise<Console> {
    for (let attempt = 1; ; attempt++) {
      const console = await openConsole({kubeconfig: this.#kubeconfig, namespace: HOME, name});
      try {
        await console.login({user: 'root', password: PASSWORD, timeoutMs: BOOT_MS});
        return console;
      } catch (error) {
        await console.close();
        if (attempt === LOGINS) throw error;
      }
    }
  }

  /** Runs a command in a guest. */
  ask(name: string, command: string): Promise<string> {
    return this.at(name, async (console) => (await console.run(command, COMMAND_MS)).trim());
  }

  /** What a guest says of this boot (a number that is new for each) and of a file that was written into it. */
  async boot(name: string): Promise<{readonly id: string; readonly mark: string}> {
    const [id = '', mark = ''] = (await this.ask(name, 'cat /proc/sys/kernel/random/boot_id; cat /root/mark')).split('\n');
    return {id, mark};
  }

  /** The prompt of a guest that has booted. */
  async prompt(name: string): Promise<string> {
    const console = await openConsole({kubeconfig: this.#kubeconfig, namespace: HOME, name});
    try {
      return await console.prompt(BOOT_MS);
    } finally {
      await console.close();
    }
  }

  async close(): Promise<void> {
    for (const name of this.#machines) await this.deleteMachine(name);
    for (const name of this.#machines) await this.servers.gone(VMI, name);
    for (const name of this.#secrets)
      await this.servers.client
        .delete(SECRET, {namespace: HOME, name})
        .catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)));
    await this.servers.close();
  }
}
