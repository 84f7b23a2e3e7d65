/**
 * Guest images, built once per content: of the packages, of the recipe's own files and of the tools. A finished image appears in the cache by
 * one rename; a lock makes a second builder wait and use the first one's work.
 */
import {createHash} from 'node:crypto';
import {createReadStream, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {pipeline} from 'node:stream/promises';
import type {Terminal} from '../build/progress.ts';
import {clockText, paint} from '../build/progress.ts';
import {filesBelow, readJson, writeAtomic} from '../files.ts';
import {attempt, run} from '../../lib/process.ts';
import {lock} from '../lock.ts';
import {HERE} from '../paths.ts';
import {fetchPackages, findPackages, PackagesError, type PackageFile} from './packages.ts';
import {commandFinder, installCommand, missingPackages, readRequirements, toolPath} from './requirements.ts';
import type {Recipe} from './recipes.ts';

/** A finished image. */
export interface GuestImage {
  readonly name: string;
  /** The raw disk. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Hex, of the raw disk. */
  readonly sha256: string;
  /** Files of the packages that it was made from, or that make its kernel and boot loader. */
  readonly packages: readonly string[];
}

/** What the builder needs of its surroundings. */
export interface ImageContext {
  /** The folder in which builds are kept. */
  readonly cache: string;
  readonly env: NodeJS.ProcessEnv;
  readonly terminal: Terminal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly signal?: AbortSignal;
}

/** All times in images are this one, 2024-01-01: a date of its own would make each build another. */
const EPOCH = '1704067200';
/** Two builds of the largest image on a slow machine, one after the other. */
const LOCK_DEADLINE_MS = 60 * 60_000;
/** Raise when the layout of an image's folder changes. */
const FORMAT = 1;
/** Older builds of an image that stay: other clones may be at another version. */
const KEPT = 2;
const WEEK_MS = 7 * 24 * 3600_000;

/**
 * The image, built unless the cache has it. One of this recipe that was built or compared with apt's lists in the last `unaskedMs`
 * (default: a week) is taken without asking apt, which costs seconds; so is the newest one where apt cannot say which packages there are:
 * a machine that built once goes on without a network.
 * @throws Error that says what is missing and how to get it.
 */
export async function ensureImage(recipe: Recipe, context: ImageContext, unaskedMs = WEEK_MS): Promise<GuestImage> {
  const own = recipeHash(recipe, await toolVersions(context));
  const before = newestBuild(context.cache, recipe, own);
  if (before !== undefined && context.now() - statSync(dirname(before.path)).mtimeMs < unaskedMs) return before;
  let packages: readonly PackageFile[];
  try {
    packages = await findPackages(recipe.packages, context);
  } catch (error) {
    if (before === undefined || !(error instanceof PackagesError)) throw error;
    context.terminal.write(
      `Guest image ${recipe.name}: apt does not say whether it is the newest (${firstLine(error)}); taken as it is.\n`,
    );
    return before;
  }
  const folder = join(context.cache, `guest-${recipe.name}-${own}-${hashOf(JSON.stringify(packages))}`);
  const built = readImage(folder, recipe.name);
  if (built !== undefined) {
    utimesSync(folder, new Date(context.now()), new Date(context.now()));
    return built;
  }
  const missing = missingPackages(readRequirements(), recipe.purposes, commandFinder(context.env));
  if (missing.length > 0)
    throw new Error(`guest image ${recipe.name}: building it needs ${missing.join(', ')}: ${installCommand(missing)}`);
  const release = await lock(`${folder}.lock`, {
    deadlineMs: LOCK_DEADLINE_MS,
    onWait: ({pid}) => context.terminal.write(`Another process (${pid}) is building the guest image ${recipe.name}; waiting for it.\n`),
    ...(context.signal === undefined ? {} : {signal: context.signal}),
  });
  try {
    return readImage(folder, recipe.name) ?? (await build(recipe, packages, folder, context));
  } finally {
    release();
  }
}

/** The newest finished build of an image, of whatever packages; undefined when there is none. Asks nobody and builds nothing. */
export async function findBuilt(recipe: Recipe, context: ImageContext): Promise<GuestImage | undefined> {
  return newestBuild(context.cache, recipe, recipeHash(recipe, await toolVersions(context)));
}

async function build(recipe: Recipe, packages: readonly PackageFile[], folder: string, context: ImageContext): Promise<GuestImage> {
  const started = performance.now();
  const work = `${folder}.building`;
  rmSync(work, {recursive: true, force: true}); // of a killed build
  mkdirSync(join(work, 'out'), {recursive: true});
  const elapsed = (): string => clockText(performance.now() - started);
  const painter = paint(context.terminal, () => `Building the guest image ${recipe.name} (${recipe.takes}, once): ${elapsed()}`);
  let last = `Building the guest image ${recipe.name}: failed`;
  try {
    await fetchPackages(packages, join(context.cache, 'debs'), join(work, 'debs'), context);
    mkdirSync(join(work, 'work'));
    const disk = join(work, 'out/disk.raw');
    await run('bash', [join(HERE, 'images', recipe.script), join(work, 'debs'), join(work, 'work'), disk], {
      env: {...context.env, PATH: toolPath(context.env), SOURCE_DATE_EPOCH: EPOCH},
      timeoutMs: recipe.timeoutMs,
      ...(context.signal === undefined ? {} : {signal: context.signal}),
    });
    const facts = {sizeBytes: statSync(disk).size, sha256: await sha256Of(disk), packages: packages.map(({file}) => file)};
    writeAtomic(join(work, 'out/image.json'), `${JSON.stringify(facts, undefined, 2)}\n`, 0o644);
    renameSync(join(work, 'out'), folder);
    last = `Built the guest image ${recipe.name} in ${elapsed()}.`;
  } finally {
    painter.stop(last);
    rmSync(work, {recursive: true, force: true});
  }
  for (const old of buildsOf(context.cache, `guest-${recipe.name}-`).slice(KEPT)) rmSync(old, {recursive: true, force: true});
  return readImage(folder, recipe.name) as GuestImage;
}

function readImage(folder: string, name: string): GuestImage | undefined {
  const facts = readJson(join(folder, 'image.json')) as Omit<GuestImage, 'name' | 'path'> | undefined;
  return facts === undefined ? undefined : {name, path: join(folder, 'disk.raw'), ...facts};
}

function newestBuild(cache: string, recipe: Recipe, own: string): GuestImage | undefined {
  const newest = buildsOf(cache, `guest-${recipe.name}-${own}-`)[0];
  return newest === undefined ? undefined : readImage(newest, recipe.name);
}

// Newest first. The folders of locks and of builds at work have a dot in their names.
function buildsOf(cache: string, prefix: string): string[] {
  let names: string[];
  try {
    names = readdirSync(cache).filter((name) => name.startsWith(prefix) && !name.includes('.'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const dated = names.map((name) => ({path: join(cache, name), at: statSync(join(cache, name)).mtimeMs}));
  return dated.toSorted((a, b) => b.at - a.at).map(({path}) => path);
}

/** A hash of the files that make the image, and of the tools that are part of the result. */
export function recipeHash(recipe: Recipe, tools: string): string {
  const hash = createHash('sha256').update(JSON.stringify([FORMAT, EPOCH, recipe.packages, tools]));
  const folder = join(HERE, 'images');
  for (const path of recipe.sources.flatMap((source) => filesAt(folder, source))) {
    hash.update(`\0${path}\0`).update(readFileSync(join(folder, path)));
  }
  return hash.digest('hex').slice(0, 12);
}

function filesAt(folder: string, source: string): string[] {
  return source.endsWith('/') ? filesBelow(join(folder, source)).map((file) => source + file) : [source];
}

// The tools of the build write the file systems, so another version of one may write other bytes.
async function toolVersions({env, signal}: ImageContext): Promise<string> {
  const packages = readRequirements().filter(({purpose}) => purpose === 'image' || purpose === 'debian');
  const names = packages.map((requirement) => requirement.package);
  try {
    const query = await attempt('dpkg-query', ['-W', '-f', '${Package} ${Version}\\n', ...names], {
      env,
      ...(signal === undefined ? {} : {signal}),
    });
    return query.stdout;
  } catch (error) {
    throw new PackagesError('guest images are made with the tools of Debian, and there is no dpkg here: GUESTS=simulated does without', {
      cause: error,
    });
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

const firstLine = (error: Error): string => error.message.split('\n')[0] ?? '';
