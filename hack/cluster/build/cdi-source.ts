/** Lays out the CDI module for building: a patched copy beside our go.mod, which is told to use it. */
import {chmodSync, cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {applyPatches, CDI_PATCHES, VDDK_STUB} from './cdi-patches.ts';
import {moduleFolder, runGo} from './go.ts';

const MODULE = 'kubevirt.io/containerized-data-importer';

/** Copies, patches and prepares `workFolder`, in which `go build -mod=mod` then works. */
export async function layOutCdi(
  moduleSource: string,
  workFolder: string,
  options: {readonly env: NodeJS.ProcessEnv; readonly logFile: string; readonly signal?: AbortSignal},
): Promise<void> {
  rmSync(workFolder, {recursive: true, force: true});
  mkdirSync(workFolder, {recursive: true});
  cpSync(moduleSource, workFolder, {recursive: true});
  const copy = join(workFolder, 'cdi');
  cpSync(moduleFolder(MODULE, moduleSource, options.env), copy, {recursive: true});
  makeWritable(copy);
  for (const file of new Set(CDI_PATCHES.map((patch) => patch.file))) {
    const path = join(copy, file);
    const patches = CDI_PATCHES.filter((patch) => patch.file === file);
    writeFileSync(path, applyPatches(readFileSync(path, 'utf8'), patches));
  }
  writeFileSync(join(copy, VDDK_STUB.to), readFileSync(join(copy, VDDK_STUB.from), 'utf8').replaceAll('arm64', 'amd64'));
  await runGo(['mod', 'edit', `-replace=${MODULE}=./cdi`], {cwd: workFolder, ...options});
}

/** The cloner's start script with the path at which worker pods see our programs. */
export function clonerScript(workFolder: string): string {
  return readFileSync(join(workFolder, 'cdi/cmd/cdi-cloner/cloner_startup.sh'), 'utf8').replaceAll(
    '/usr/bin/cdi-cloner',
    '/cdi/cdi-cloner',
  );
}

// The module cache is read-only, folders too, and a copy keeps the modes.
function makeWritable(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, {withFileTypes: true})) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) makeWritable(path);
    else if (entry.isFile()) chmodSync(path, 0o644);
  }
}
