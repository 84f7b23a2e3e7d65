/**
 * A guest on a copy of an image, without a cluster: the driver's own command line, a network of its own that reaches nothing, and one port
 * of loopback for SSH.
 */
import {spawn, type ChildProcess} from 'node:child_process';
import {mkdirSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync} from 'node:fs';
import {createServer, type AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {readIfThere} from '../../hack/cluster/files.ts';
import {commandLine, QEMU, runFiles} from '../../hack/cluster/hypervisor/qemu/command-line.ts';
import {withPorts} from '../../hack/cluster/hypervisor/qemu/ports.ts';
import type {DiskBus, MachinePlan, PlannedDisk} from '../../hack/cluster/hypervisor/qemu/machine.ts';
import {connectQmp, type QmpClient} from '../../hack/cluster/hypervisor/qemu/qmp.ts';
import {writeSeed} from '../../hack/cluster/hypervisor/qemu/seed.ts';
import {waitFor} from '../../hack/cluster/waiting.ts';
import {attempt, run, type RunResult} from '../../hack/lib/process.ts';
import {systemClock} from '../../kube/clock.ts';

/** Where the guest's network is, and what its SSH port is asked for at; as a leased address on a public network. */
export const GUEST = {mac: '52:54:00:ba:5a:17', address: '10.9.0.15', prefixLength: 24, gateway: '10.9.0.2'} as const;

const QMP_DEADLINE_MS = 20_000;
const END_DEADLINE_MS = 60_000;
const SSH_TIMEOUT_MS = 90_000;

/** What a guest is made of. */
export interface ImageGuestOptions {
  /** The raw image. */
  readonly image: string;
  /** Of disk and seed. */
  readonly bus: DiskBus;
  /** Files of the seed. */
  readonly seed: Readonly<Record<string, string>>;
  readonly memoryMiB?: number;
  /** The disk is made so large; default: as the image. */
  readonly diskBytes?: number;
}

/** One guest, from its first start to its removal; it may be started several times in between. */
export class ImageGuest {
  private readonly folder = mkdtempSync(join(tmpdir(), 'basalt-guest-'));
  private readonly plan: MachinePlan;
  private readonly files = runFiles(this.folder, this.folder);
  private readonly options: ImageGuestOptions;
  private process: ChildProcess | undefined;
  private qmp: QmpClient | undefined;
  private port = 0;

  constructor(options: ImageGuestOptions) {
    this.options = options;
    const disk = (name: string, kind: PlannedDisk['kind'], file: string): PlannedDisk => ({
      name,
      kind,
      bus: options.bus,
      file,
      format: 'raw',
      readOnly: kind === 'cdrom' || name === 'seed',
      bootOrder: name === 'root' ? 1 : undefined,
      serial: undefined,
      shareable: false,
    });
    this.plan = withPorts({
      name: 'image-guest',
      uuid: 'ba5a1700-0000-4000-8000-000000000017',
      serial: undefined,
      memoryMiB: options.memoryMiB ?? 128,
      vcpus: 1,
      machine: options.bus === 'sata' ? 'pc' : 'q35',
      graphics: true,
      disks: [
        disk('root', 'disk', join(this.folder, 'disk.raw')),
        disk('seed', options.bus === 'virtio' ? 'disk' : 'cdrom', join(this.folder, 'seed.iso')),
      ],
      nics: [{name: 'default', index: 0, model: 'virtio', mac: GUEST.mac, attachment: undefined, bootOrder: undefined, linkUp: true}],
    });
  }

  /** Copies the image and writes the seed. */
  async prepare(): Promise<void> {
    mkdirSync(this.folder, {recursive: true, mode: 0o700});
    const disk = join(this.folder, 'disk.raw');
    await run('cp', ['--sparse=always', this.options.image, disk]);
    if (this.options.diskBytes !== undefined) await run('truncate', ['-s', String(this.options.diskBytes), disk]);
    await this.writeSeed(this.options.seed);
  }

  /** Replaces the seed, for the next start. */
  async writeSeed(seed: Readonly<Record<string, string>>): Promise<void> {
    const files = Object.entries(seed).map(([name, text]) => [name, Buffer.from(text)] as const);
    await writeSeed(join(this.folder, 'seed.iso'), Object.fromEntries(files));
  }

  /** Starts it; what the serial port said before is forgotten. */
  async start(): Promise<void> {
    this.port = await freePort();
    rmSync(this.files.serialLog, {force: true});
    const {address, prefixLength, gateway} = GUEST;
    const net = `user,id=net0,restrict=on,net=${gateway}/${prefixLength},host=${gateway},dhcpstart=${address}`;
    const netdev = ['-netdev', `${net},hostfwd=tcp:127.0.0.1:${this.port}-${address}:22`];
    const log = openSync(join(this.folder, 'qemu.log'), 'a');
    this.process = spawn(QEMU, commandLine(this.plan, this.files, new Map([[0, netdev]]), false), {stdio: ['ignore', log, log]});
    closeSync(log);
    this.process.once('error', () => undefined); // there is no process then; connecting fails and says so
    try {
      this.qmp = await connectQmp({path: this.files.qmp, deadlineMs: QMP_DEADLINE_MS, clock: systemClock});
    } catch (error) {
      throw new Error(`qemu did not start: ${readIfThere(join(this.folder, 'qemu.log')) ?? ''}`, {cause: error});
    }
  }

  /** All that the serial port said since the start. */
  serial(): string {
    return readIfThere(this.files.serialLog) ?? '';
  }

  /** Waits for words on the serial port; resolves with their match. */
  async says(words: RegExp, deadlineMs: number): Promise<RegExpExecArray> {
    let match: RegExpExecArray | null = null;
    await waitFor(
      async () => {
        match = words.exec(this.serial());
        return match === null ? `the serial port says ${JSON.stringify(this.serial().slice(-300))}` : undefined;
      },
      {what: String(words), deadlineMs, intervalMs: 50},
    );
    return match as unknown as RegExpExecArray;
  }

  /** Runs a command in the guest, logged in with the key. */
  async ssh(command: string, options: {readonly key: string; readonly user?: string}): Promise<RunResult> {
    const settings = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'ConnectTimeout=20'];
    const args = [
      ...settings.flatMap((setting) => ['-o', setting]),
      '-i',
      options.key,
      '-o',
      'IdentitiesOnly=yes',
      '-p',
      String(this.port),
    ];
    return await attempt('ssh', [...args, `${options.user ?? 'root'}@127.0.0.1`, command], {timeoutMs: SSH_TIMEOUT_MS});
  }

  /** Says what may be tried to log in with, to someone without any key: `publickey,password`. */
  async sshMethods(): Promise<string> {
    const {stderr} = await this.ssh('true', {key: '/dev/null'});
    return /Permission denied \(([^)]*)\)/.exec(stderr)?.[1] ?? `no answer: ${stderr}`;
  }

  /** Presses the power button, and waits until the guest has switched itself off. */
  async pressPowerButton(): Promise<void> {
    const qmp = this.qmp as QmpClient;
    let reason: unknown;
    const stop = qmp.onEvent(({event, data}) => {
      if (event === 'SHUTDOWN') reason ??= data['reason'];
    });
    try {
      await qmp.execute('system_powerdown');
      await waitFor(async () => (reason === undefined ? 'it is on' : undefined), {what: 'guest off', deadlineMs: END_DEADLINE_MS});
    } finally {
      stop();
    }
    if (reason !== 'guest-shutdown') throw new Error(`the guest ended by ${String(reason)}`);
    await this.kill();
  }

  /** Ends the process at once, as a power cut does. */
  async kill(): Promise<void> {
    this.qmp?.close();
    const {process} = this;
    this.process = undefined;
    if (process === undefined || process.exitCode !== null || process.signalCode !== null) return;
    const ended = new Promise((resolve) => process.once('exit', resolve));
    process.kill('SIGKILL');
    await ended;
  }

  /** Ends it and removes its files. */
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, {recursive: true, force: true});
  }
}

/** A key pair for SSH: the path of the private key, and the public key's text. */
export async function makeKey(folder: string): Promise<{readonly key: string; readonly publicKey: string}> {
  const key = join(folder, 'key');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', key]);
  return {key, publicKey: readFileSync(`${key}.pub`, 'utf8').trim()};
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
