/** Servers with real guests, seen from this machine over SSH, for the test of networks. */
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {KEY_PAIR, NETWORK, SERVER} from '../../crds/index.ts';
import type {KeyPair, Network, Server} from '../../crds/index.ts';
import {parseReach, REACH_ANNOTATION} from '../../hack/cluster/hypervisor/net/reach.ts';
import {attempt, run} from '../../hack/lib/process.ts';
import {isNotFound} from '../../kube/errors.ts';
import {HOME, ServerBench} from './server-bench.ts';

/** A place of this machine that leads into a guest. */
export interface Reached {
  readonly host: string;
  readonly port: number;
}

const apiVersion = 'basalt.dev/v1alpha1';
/** A guest may still boot, and the machine may be busy. */
const PATIENCE_MS = 90_000;
const SSH_TIMEOUT_MS = 60_000;
const AGAIN_MS = 500;

/** See the top of this file. */
export class NetworkBench {
  readonly servers: ServerBench;
  readonly #prefix: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'basalt-net-'));
  readonly #servers: string[] = [];
  readonly #networks: string[] = [];

  /** `prefix` begins the name of everything that is made. */
  constructor(kubeconfig: string, prefix: string) {
    this.servers = new ServerBench(kubeconfig);
    this.#prefix = prefix;
  }

  name(short: string): string {
    return `${this.#prefix}-${short}`;
  }

  /** Makes a key pair and registers it, in place of one that an earlier run left. */
  async makeKey(): Promise<void> {
    const file = join(this.#folder, 'key');
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
    const name = this.name('key');
    await this.#forget(() => this.servers.client.delete(KEY_PAIR, {namespace: HOME, name}));
    const publicKey = readFileSync(`${file}.pub`, 'utf8').trim();
    const object = {apiVersion, kind: 'KeyPair', metadata: {name, namespace: HOME}, spec: {name, publicKey}};
    await this.servers.client.create(KEY_PAIR, object as unknown as KeyPair);
  }

  async vlan(short: string, spec: Pick<Network['spec'], 'vlanId' | 'cidr'>): Promise<void> {
    const name = this.name(short);
    const object = {apiVersion, kind: 'Network', metadata: {name, namespace: HOME}, spec: {name, type: 'Vlan', ...spec}};
    await this.servers.client.create(NETWORK, object as unknown as Network);
    this.#networks.push(name);
  }

  /** A small server on the public network and on the VLANs, from the image tiny and with the key unless `spec` says otherwise. */
  async guest(
    short: string,
    vlans: readonly string[],
    more: {readonly spec?: Partial<Server['spec']>; readonly annotations?: Readonly<Record<string, string>>} = {},
  ): Promise<void> {
    const name = this.name(short);
    const seeded = {image: {name: 'tiny', namespace: 'basalt-system'}, keyPairs: [this.name('key')]};
    const nics = [{index: 0}, ...vlans.map((vlan, at) => ({index: at + 1, network: {name: this.name(vlan)}}))];
    const spec = {name, cpu: {cores: 1}, memoryMiB: 128, nics, ...(more.spec ?? seeded)};
    const object = {apiVersion, kind: 'Server', metadata: {name, namespace: HOME, annotations: more.annotations ?? {}}, spec};
    await this.servers.client.create(SERVER, object as unknown as Server);
    this.#servers.push(name);
  }

  /** Address that was leased for a NIC. */
  async address(short: string, index: number): Promise<string> {
    const server = await this.servers.until(
      SERVER,
      this.name(short),
      (seen) => (seen as Server | undefined)?.status?.nics?.some((nic) => nic.index === index && nic.address !== undefined) === true,
    );
    return (server as Server).status?.nics?.find((nic) => nic.index === index)?.address ?? '';
  }

  /** Where the server's annotation says that this machine reaches a port of the guest; waits for it. */
  async reach(short: string, what: string): Promise<Reached> {
    let found: Reached | undefined;
    await this.servers.until(SERVER, this.name(short), (server) => {
      found = parseReach(server?.metadata.annotations?.[REACH_ANNOTATION]).get(what);
      return found !== undefined;
    });
    if (found === undefined) throw new Error('unreachable');
    return found;
  }

  /** Runs a command in the guest over SSH; resolves with what it printed. Rejects when it exits with anything but 0. */
  async ssh(short: string, command: string): Promise<string> {
    const {host, port} = await this.reach(short, 'ssh');
    const {stdout} = await run('ssh', [...this.#sshOptions(port), `root@${host}`, command], {timeoutMs: SSH_TIMEOUT_MS});
    return stdout;
  }

  /** Waits until the guest takes the key. */
  async up(short: string): Promise<void> {
    const {host, port} = await this.reach(short, 'ssh');
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const {exitCode, stderr} = await attempt('ssh', [...this.#sshOptions(port), `root@${host}`, 'true'], {timeoutMs: SSH_TIMEOUT_MS});
      if (exitCode === 0) return;
      if (performance.now() > end) throw new Error(`${this.name(short)}: no SSH at ${host}:${port}: ${stderr}`);
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  #sshOptions(port: number): readonly string[] {
    const options = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'ConnectTimeout=15'];
    return ['-i', join(this.#folder, 'key'), '-p', String(port), ...options.flatMap((option) => ['-o', option])];
  }

  /** Deletes everything and waits until it is gone. */
  async close(): Promise<void> {
    const {client} = this.servers;
    for (const name of this.#servers) await this.#forget(() => client.delete(SERVER, {namespace: HOME, name}));
    for (const name of this.#servers) await this.servers.gone(SERVER, name);
    for (const name of this.#networks) await this.#forget(() => client.delete(NETWORK, {namespace: HOME, name}));
    await this.#forget(() => client.delete(KEY_PAIR, {namespace: HOME, name: this.name('key')}));
    rmSync(this.#folder, {recursive: true, force: true});
    await this.servers.close();
  }

  async #forget(remove: () => Promise<unknown>): Promise<void> {
    await remove().catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)));
  }
}
