/**
 * `node hack/codegen/generate.ts [--check]`: writes what is generated from the model in crds/ — the CRD manifests and the reference
 * documentation. With `--check` nothing is written, and the exit code is 1 when a file is not what the model says.
 */
import {mkdir, readFile, readdir, rm, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {generatedFiles, isGenerated} from './files.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Folders in which a generated file that the model no longer asks for is an error. */
const FOLDERS = ['crds/manifests', 'docs/reference'];

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(join(ROOT, path), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function leftOver(wanted: ReadonlyMap<string, string>): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of FOLDERS) {
    await mkdir(join(ROOT, folder), {recursive: true});
    for (const name of await readdir(join(ROOT, folder))) {
      const path = `${folder}/${name}`;
      if (!wanted.has(path) && isGenerated((await read(path)) ?? '')) found.push(path);
    }
  }
  return found;
}

const check = process.argv.includes('--check');
const files = generatedFiles();
const stale: string[] = [];
for (const [path, content] of files) {
  if ((await read(path)) === content) continue;
  stale.push(path);
  if (check) continue;
  await mkdir(dirname(join(ROOT, path)), {recursive: true});
  await writeFile(join(ROOT, path), content);
}
for (const path of await leftOver(files)) {
  stale.push(path);
  if (!check) await rm(join(ROOT, path));
}
if (check && stale.length > 0) {
  console.error(`These files are not what crds/ says; run \`make generate\`:\n  ${stale.join('\n  ')}`);
  process.exitCode = 1;
} else {
  console.log(check ? `${files.size} generated files are up to date` : `${files.size} generated files, ${stale.length} changed`);
}
