/** A shell in a real guest, by ssh from this machine: at the place that its server's annotation names. */
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {SERVER} from '../../crds/index.ts';
import {parseReach, REACH_ANNOTATION} from '../../hack/cluster/hypervisor/net/reach.ts';
import {attempt, run} from '../../hack/lib/process.ts';
import type {RunResult} from '../../hack/lib/process.ts';
import type {ServerBench} from './server-bench.ts';

const OPTIONS = [
  'BatchMode=yes',
  'StrictHostKeyChecking=no',
  'UserKnownHostsFile=/dev/null',
  'LogLevel=ERROR',
  'ConnectTimeout=10',
  'IdentitiesOnly=yes',
];
/** A guest boots in seconds; the machine may be busy with others. */
const LOGIN_DEADLINE_MS = 90_000;
const COMMAND_DEADLINE_MS = 60_000;
const RETRY_MS = 500;

/** A place of this machine. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** A key to log in with, and guests that take it. */
export class GuestShell {
  readonly publicKey: string;
  readonly #folder: string;
  readonly #bench: ServerBench;

  private constructor(folder: string, bench: ServerBench) {
    this.#folder = folder;
    this.#bench = bench;
    this.publicKey = readFileSync(join(folder, 'key.pub'), 'utf8').trim();
  }

  static async create(bench: ServerBench): Promise<GuestShell> {
    const folder = mkdtempSync(join(tmpdir(), 'basalt-shell-'));
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', join(folder, 'key')]);
    return new GuestShell(folder, bench);
  }

  /** Where this machine reaches a server's port (`ssh`, `http`, …); waits until its annotation says so. */
  async placeOf(server: string, name: string): Promise<Place> {
    const placesOf = (text: string | undefined) => parseReach(text).get(name);
    const found = await this.#bench.until(
      SERVER,
      server,
      (object) => placesOf(object?.metadata.annotations?.[REACH_ANNOTATION]) !== undefined,
    );
    const place = placesOf(found?.metadata.annotations?.[REACH_ANNOTATION]);
    if (place === undefined) throw new Error('unreachable');
    return place;
  }

  /** Runs a command as root; resolves for every exit code. */
  async attempt(server: string, command: string): Promise<RunResult> {
    const {host, port} = await this.placeOf(server, 'ssh');
    const options = OPTIONS.flatMap((option) => ['-o', option]);
    return attempt('ssh', [...options, '-i', join(this.#folder, 'key'), '-p', String(port), `root@${host}`, command], {
      timeoutMs: COMMAND_DEADLINE_MS,
    });
  }

  /** Runs a command as root; resolves with its output. Rejects when it exits with anything but 0. */
  async run(server: string, command: string): Promise<string> {
    const {exitCode, stdout, stderr} = await this.attempt(server, command);
    if (exitCode !== 0) throw new Error(`${server}: ${command}: exit code ${exitCode}: ${stderr.trim()} ${stdout.trim()}`);
    return stdout.trim();
  }

  /** Waits until one can log in. */
  async ready(server: string): Promise<void> {
    const deadline = performance.now() + LOGIN_DEADLINE_MS;
    for (;;) {
      const {exitCode, stderr} = await this.attempt(server, 'true');
      if (exitCode === 0) return;
      if (performance.now() > deadline) throw new Error(`${server}: no login within ${LOGIN_DEADLINE_MS / 1000} s: ${stderr.trim()}`);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  close(): void {
    rmSync(this.#folder, {recursive: true, force: true});
  }
}
