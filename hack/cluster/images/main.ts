/** `node hack/cluster/images/main.ts NAME…`: builds guest images unless the cache has them, and says where they are. */
import {cacheFolder} from '../paths.ts';
import {ensureImage} from './cache.ts';
import {RECIPES} from './recipes.ts';

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort(new Error('interrupted')));
const context = {cache: cacheFolder(process.env), env: process.env, terminal: process.stdout, now: Date.now, signal: interrupted.signal};
try {
  for (const name of process.argv.slice(2)) {
    const recipe = RECIPES.find((known) => known.name === name);
    if (recipe === undefined) throw new Error(`${name} is not an image: ${RECIPES.map((known) => known.name).join(', ')}`);
    const image = await ensureImage(recipe, context, 0);
    console.log(`${image.path}\n${(image.sizeBytes / 2 ** 20).toFixed(0)} MiB, sha256 ${image.sha256}`);
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
