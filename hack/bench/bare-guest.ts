/** The same qemu command that the local cluster runs for a guest, started by hand: what a boot costs without anything around it. */
import {spawn} from 'node:child_process';
import {copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';

/** Ready for a person: what the serial port says last. */
const LOGIN = ' login:';
const POLL_MS = 10;
const BOOT_TIMEOUT_MS = 180_000;

/** A guest's command line and its disk, taken while it ran; the files are copies. */
export interface BareCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** The folder that the original guest had its sockets and logs in. */
  readonly runFolder: string;
  readonly disk: {readonly original: string; readonly copy: string};
  readonly folder: string;
}

/** The run folder of a guest in the cluster's folder. */
export async function runFolderOf(clusterFolder: string, vmiUid: string): Promise<string> {
  const guests = join(clusterFolder, 'guests');
  const name = (await readdir(guests)).find((entry) => entry.startsWith(vmiUid));
  if (name === undefined) throw new Error(`${guests} has no folder of guest ${vmiUid}`);
  return join(guests, name);
}

/** Resolves with `performance.now()` of the moment in which the login prompt was seen in the log of a serial port. */
export async function loginSeen(serialLog: string, signal: AbortSignal): Promise<number> {
  const end = performance.now() + BOOT_TIMEOUT_MS;
  for (;;) {
    signal.throwIfAborted();
    const text = await readFile(serialLog, 'utf8').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    });
    if (text.includes(LOGIN)) return performance.now();
    if (performance.now() > end) throw new Error(`no login prompt in ${serialLog} within ${BOOT_TIMEOUT_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Resident memory of a process, in bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kib === undefined) throw new Error(`process ${pid} has no VmRSS`);
  return Number(kib) * 1024;
}

/**
 * Takes the command line of a running guest and a copy of its disk, so that it can be started by hand later. Sockets, logs and the seed
 * move to a folder of their own; netdevs become qemu's own user network, which nothing outside this machine is reached through.
 */
export async function captureCommand(pid: number, runFolder: string, diskFile: string): Promise<BareCommand> {
  const [command = '', ...args] = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').slice(0, -1);
  const folder = await mkdtemp(join(tmpdir(), 'bare-'));
  const copy = join(folder, 'pristine.img');
  await copyFile(diskFile, copy);
  return {command, args, runFolder, disk: {original: diskFile, copy}, folder};
}

/** Starts it with a fresh copy of the disk; resolves with the milliseconds from the start of the process to the login prompt. */
export async function bootBare(bare: BareCommand, name: string, signal: AbortSignal): Promise<number> {
  const folder = join(bare.folder, name);
  await mkdir(join(folder, 's'), {recursive: true}); // where the original had its sockets
  const disk = join(folder, basename(bare.disk.original));
  await copyFile(bare.disk.copy, disk);
  const args = bareArguments(bare, folder, disk);
  await writeFile(join(folder, 'command'), [bare.command, ...args].join('\n'));
  const started = performance.now();
  const child = spawn(bare.command, args, {stdio: 'ignore', signal, killSignal: 'SIGKILL'});
  const failed = new Promise<never>((_, reject) => {
    child.on('error', reject);
    child.on('close', (code) => reject(new Error(`the bare guest ended with code ${code}`)));
  });
  failed.catch(() => undefined); // killed below, on purpose
  try {
    return (await Promise.race([loginSeen(join(folder, 'serial.log'), signal), failed])) - started;
  } finally {
    child.kill('SIGKILL');
    await rm(folder, {recursive: true, force: true});
  }
}

/** Pure: the arguments with other paths, and a user network in place of every netdev. */
export function bareArguments(bare: Pick<BareCommand, 'args' | 'runFolder' | 'disk'>, folder: string, disk: string): readonly string[] {
  const out: string[] = [];
  for (let index = 0; index < bare.args.length; index++) {
    const argument = bare.args[index] ?? '';
    if (argument === '-netdev') {
      const id = /(?:^|,)id=(net\d+)(?:,|$)/.exec(bare.args[index + 1] ?? '')?.[1];
      index++;
      if (id !== undefined) out.push('-netdev', `user,id=${id},restrict=on`);
      continue;
    }
    out.push(argument.replaceAll(bare.disk.original, disk).replaceAll(bare.runFolder, folder));
  }
  return out;
}

/** What the local cluster wrote down about a running guest: its process, and its first writable disk. */
export async function runningGuest(runFolder: string): Promise<{readonly pid: number; readonly disk: string}> {
  const record = JSON.parse(await readFile(join(runFolder, 'state.json'), 'utf8')) as {
    readonly process: {readonly pid: number};
    readonly plan: {readonly disks: readonly {readonly file?: string; readonly readOnly: boolean}[]};
  };
  const disk = record.plan.disks.find(({readOnly, file}) => !readOnly && file !== undefined)?.file;
  if (disk === undefined) throw new Error(`${runFolder}: the guest has no disk of its own`);
  return {pid: record.process.pid, disk};
}
