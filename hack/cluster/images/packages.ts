/**
 * Debian packages that are only downloaded, never installed: what images are made from. Which versions there are is a question to apt, whose
 * answer (names and checksums) also decides when an image is out of date.
 */
import {createHash} from 'node:crypto';
import {existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {attempt, CommandError, run, type RunOptions} from '../../lib/process.ts';

/** A package file. */
export interface PackageFile {
  readonly file: string;
  /** Hex. */
  readonly sha256: string;
}

/** Apt cannot say what there is, or cannot get it: the message names the command that helps. */
export class PackagesError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PackagesError';
  }
}

const REFRESH = 'run `apt-get update` as root (package lists are missing or old), then try again';

// As root apt would change to a user of its own, who may not write where we download to, and complain.
const AS_WHO_WE_ARE = ['-o', 'APT::Sandbox::User=root'];
const APT_TIMEOUT_MS = 10 * 60_000;

/** What apt is called with. */
export interface AptContext {
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

function options({env, signal}: AptContext): RunOptions {
  return {env: {...env, LC_ALL: 'C'}, timeoutMs: APT_TIMEOUT_MS, ...(signal === undefined ? {} : {signal})};
}

/** Lines of `apt-get download --print-uris`: address, file, size, SHA256. */
export function parsePrintedUris(text: string): PackageFile[] {
  const found = [...text.matchAll(/^'[^']*' (\S+\.deb) \d+ SHA256:([0-9a-f]{64})$/gm)];
  return found.map(([, file, sha256]) => ({file: file as string, sha256: sha256 as string})).toSorted((a, b) => (a.file < b.file ? -1 : 1));
}

/**
 * The newest version of each package that apt's lists have. A name may be a metapackage `meta>`: it stands for the first package it depends on.
 * @throws PackagesError without apt or without lists.
 */
export async function findPackages(names: readonly string[], context: AptContext): Promise<PackageFile[]> {
  const real = await Promise.all(names.map(async (name) => (name.endsWith('>') ? await dependencyOf(name.slice(0, -1), context) : name)));
  const {stdout, stderr, exitCode} = await apt('apt-get', [...AS_WHO_WE_ARE, 'download', '--print-uris', ...real], context);
  const found = parsePrintedUris(stdout);
  if (exitCode !== 0 || found.length !== real.length) {
    throw new PackagesError(
      `apt knows ${found.length} of the ${real.length} packages that the image is made from: ${REFRESH}\n${stderr.trim()}`,
    );
  }
  return found;
}

async function dependencyOf(metapackage: string, context: AptContext): Promise<string> {
  const {stdout} = await apt('apt-cache', ['depends', metapackage], context);
  const name = /^\s*Depends: ([a-z0-9][\w.+-]*)$/m.exec(stdout)?.[1];
  if (name === undefined) throw new PackagesError(`apt does not know ${metapackage}: ${REFRESH}`);
  return name;
}

async function apt(command: string, args: readonly string[], context: AptContext) {
  try {
    return await attempt(command, args, options(context));
  } catch (error) {
    if (context.signal?.aborted === true) throw error;
    throw new PackagesError('guest images are made from Debian packages, and there is no apt here: GUESTS=simulated does without', {
      cause: error,
    });
  }
}

/**
 * Brings the files into `store` (which keeps them for the next build) and links them into `folder`.
 * @throws PackagesError when the download fails or brings something else than apt's lists say.
 */
export async function fetchPackages(packages: readonly PackageFile[], store: string, folder: string, context: AptContext): Promise<void> {
  mkdirSync(store, {recursive: true});
  mkdirSync(folder, {recursive: true});
  const absent = packages.filter((wanted) => !isGood(wanted, store));
  if (absent.length > 0) {
    const temporary = mkdtempSync(join(store, '.download-'));
    try {
      await run('apt-get', [...AS_WHO_WE_ARE, '-q', 'download', ...absent.map(nameAndVersion)], {...options(context), cwd: temporary});
      for (const wanted of absent) {
        if (!isGood(wanted, temporary)) throw new PackagesError(`${wanted.file} is not what apt's lists say: ${REFRESH}`);
        renameSync(join(temporary, wanted.file), join(store, wanted.file));
      }
    } catch (error) {
      if (error instanceof CommandError && context.signal?.aborted !== true)
        throw new PackagesError(`${error.message}\n${REFRESH}`, {cause: error});
      throw error;
    } finally {
      rmSync(temporary, {recursive: true, force: true});
    }
  }
  for (const {file} of packages) linkSync(join(store, file), join(folder, file));
}

function isGood({file, sha256}: PackageFile, folder: string): boolean {
  const path = join(folder, file);
  return existsSync(path) && createHash('sha256').update(readFileSync(path)).digest('hex') === sha256;
}

/** `name=version` for apt, of a file `name_version_architecture.deb`, whose version writes `:` as `%3a`. */
export function nameAndVersion({file}: PackageFile): string {
  const [name, version] = file.split('_');
  return `${name}=${decodeURIComponent(version ?? '')}`;
}
