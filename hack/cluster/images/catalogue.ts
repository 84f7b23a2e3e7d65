/** The images of a cluster with guests that boot: which there are, and their files in its folder of images. */
import {writeAtomic, readJson} from '../files.ts';
import {existsSync, renameSync} from 'node:fs';
import {join} from 'node:path';
import {run} from '../../lib/process.ts';
import {ensureImage, findBuilt, type GuestImage, type ImageContext} from './cache.ts';
import {DEBIAN, RECIPES, TINY, type Recipe} from './recipes.ts';
import {commandFinder, missingPackages, readRequirements} from './requirements.ts';

/** Packages that this machine lacks for guests that boot: those to build tiny with count only while it is not built. */
export async function missingForGuests(context: ImageContext): Promise<string[]> {
  const has = commandFinder(context.env);
  const toRun = missingPackages(readRequirements(), ['run'], has);
  const toBuild = missingPackages(readRequirements(), ['image'], has);
  if (toBuild.length === 0) return toRun;
  return (await findBuilt(TINY, context)) === undefined ? [...toRun, ...toBuild] : toRun;
}

/** tiny, built if need be, and debian, if someone built it (`make image-debian`). */
export async function guestImages(context: ImageContext): Promise<GuestImage[]> {
  const tiny = await ensureImage(TINY, context);
  const debian = await findBuilt(DEBIAN, context);
  return debian === undefined ? [tiny] : [tiny, debian];
}

/** The recipe of an image. */
export function recipeOf({name}: GuestImage): Recipe {
  const recipe = RECIPES.find((known) => known.name === name);
  if (recipe === undefined) throw new Error(`no recipe makes ${name}`);
  return recipe;
}

/**
 * Puts the image into a cluster's folder as `<name>.raw`, beside a record of what it is; nothing is done when it is there. A copy, so that
 * the cluster does not depend on the cache; one that replaces another appears at once.
 */
export async function placeImage(image: GuestImage, folder: string, signal: AbortSignal): Promise<void> {
  const file = join(folder, `${image.name}.raw`);
  const record = join(folder, `${image.name}.json`);
  const there = readJson(record) as {sha256?: string} | undefined;
  if (there?.sha256 === image.sha256 && existsSync(file)) return;
  await run('cp', ['--sparse=always', '--reflink=auto', image.path, `${file}.new`], {signal});
  renameSync(`${file}.new`, file);
  writeAtomic(record, `${JSON.stringify({sha256: image.sha256, sizeBytes: image.sizeBytes}, undefined, 2)}\n`, 0o644);
}
