/**
 * The Python clients that people really use (the `openstack` command, libcloud), in a virtual environment outside the tree, keyed by
 * the pinned list: made once, shared by the demo and the tests.
 */
import {createHash} from 'node:crypto';
import {existsSync, readFileSync} from 'node:fs';
import {mkdir, rename, rm} from 'node:fs/promises';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {run} from '../lib/process.ts';

const REQUIREMENTS = new URL('requirements.txt', import.meta.url).pathname;
const INSTALL_TIMEOUT_MS = 10 * 60_000;

/** Where the programs of the environment lie. */
export interface Clients {
  /** The `openstack` command. */
  readonly openstack: string;
  /** The Python that has libcloud. */
  readonly python: string;
}

/**
 * Makes the virtual environment unless it is there, and returns its programs.
 *
 * @param say receives a line for the person who waits
 * @throws Error when pip fails; nothing half-made is left behind
 */
export async function ensureClients(say: (line: string) => void, signal?: AbortSignal): Promise<Clients> {
  const hash = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 16);
  const cache = process.env['BASALT_CACHE'] ?? join(homedir(), '.cache', 'basalt');
  const home = join(cache, `clients-${hash}`);
  const clients = {openstack: join(home, 'bin', 'openstack'), python: join(home, 'bin', 'python3')};
  if (existsSync(join(home, 'complete'))) return clients;
  say('Installing the openstack command and libcloud into a virtual environment (about a minute, once) ...');
  await mkdir(cache, {recursive: true});
  await rm(home, {recursive: true, force: true}); // what a killed run left: scripts inside name their own path, so no rename of the whole
  const options = {timeoutMs: INSTALL_TIMEOUT_MS, ...(signal === undefined ? {} : {signal})};
  await run('python3', ['-m', 'venv', home], options);
  await run(clients.python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '-r', REQUIREMENTS], options);
  await run(clients.openstack, ['--version'], options);
  await mkdir(join(home, 'complete.new'));
  await rename(join(home, 'complete.new'), join(home, 'complete'));
  return clients;
}
