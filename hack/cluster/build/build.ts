/**
 * Builds the programs of the local cluster from pinned Go modules, once per content of those modules. A finished build appears in the
 * cache by one rename, so whoever finds it finds it whole; a lock makes a second builder wait and then use the first one's work.
 */
import {existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {HERE, ROOT, buildPaths, type BuildPaths} from '../paths.ts';
import {lock} from '../lock.ts';
import {cacheKey, readModuleFiles} from './cache-key.ts';
import {clonerScript, layOutCdi} from './cdi-source.ts';
import {dumpManifests} from './dump.ts';
import {goVersion, runGo, versionAtLeast} from './go.ts';
import {clockText, paint, progressLine, type Terminal} from './progress.ts';
import {buildSteps, type BuildStep} from './steps.ts';
import {parseVersions} from './versions.ts';

/** Two builds on a slow machine, one after the other. */
const LOCK_DEADLINE_MS = 60 * 60_000;

/** What the builder needs of its surroundings. */
export interface BuildContext {
  readonly cache: string;
  readonly env: NodeJS.ProcessEnv;
  readonly terminal: Terminal;
  readonly signal?: AbortSignal;
}

/** The finished build for this tree, building it first if the cache has none. */
export async function ensureBuilt(context: BuildContext): Promise<BuildPaths> {
  const versionsText = readFileSync(join(ROOT, 'hack/versions.env'), 'utf8');
  const key = cacheKey({files: readModuleFiles(join(HERE, 'go')), versions: versionsText, platform: `${process.platform}/${process.arch}`});
  const paths = buildPaths(join(context.cache, `go-${key}`));
  if (existsSync(paths.dir)) return paths;

  const versions = parseVersions(versionsText);
  const have = goVersion(context.env);
  if (have === undefined || !versionAtLeast(have, versions.go)) {
    throw new Error(
      `Go ${versions.go} or newer is needed to build the local cluster; ${have === undefined ? 'there is none on the PATH' : `this is ${have}`}`,
    );
  }
  mkdirSync(context.cache, {recursive: true});
  const release = await lock(`${paths.dir}.lock`, {
    deadlineMs: LOCK_DEADLINE_MS,
    onWait: (holder) => context.terminal.write(`Another process (${holder.pid}) is building the local cluster; waiting for it.\n`),
    ...(context.signal === undefined ? {} : {signal: context.signal}),
  });
  try {
    if (!existsSync(paths.dir)) await buildAll(buildSteps(versions), paths, context);
  } finally {
    release();
  }
  return paths;
}

async function buildAll(steps: readonly BuildStep[], paths: BuildPaths, context: BuildContext): Promise<void> {
  const started = performance.now();
  const work = buildPaths(`${paths.dir}.building`);
  rmSync(work.dir, {recursive: true, force: true}); // of a killed build; Go's own cache has kept its progress
  mkdirSync(work.bin, {recursive: true});
  context.terminal.write(
    `Building etcd, Kubernetes, KWOK, helm, KubeVirt and CDI from source, once: about 10 minutes on 2 cores with empty Go caches,\n` +
      `under a minute with warm ones. Everything goes to ${paths.dir}; the log is ${work.dir}/build.log.\n`,
  );
  for (const [index, step] of steps.entries()) await buildStep(step, index + 1, steps.length, work, context);
  dumpManifests(work.bin, work.manifests);
  rmSync(join(work.dir, 'cdi-source'), {recursive: true, force: true});
  renameSync(work.dir, paths.dir);
  context.terminal.write(`Built in ${clockText(performance.now() - started)}.\n`);
}

async function buildStep(step: BuildStep, number: number, of: number, work: BuildPaths, context: BuildContext): Promise<void> {
  const started = performance.now();
  let packages = 0;
  const line = (): string =>
    progressLine({step: number, steps: of, name: step.name, elapsedMs: performance.now() - started, estimateMs: step.estimateMs, packages});
  const painter = paint(context.terminal, line);
  const go = {env: context.env, logFile: join(work.dir, 'build.log'), ...(context.signal === undefined ? {} : {signal: context.signal})};
  let last = `[${number}/${of}] ${step.name}: failed`;
  try {
    let cwd = join(HERE, 'go', step.module);
    if (step.module === 'cdi') {
      const source = join(work.dir, 'cdi-source');
      await layOutCdi(cwd, source, go);
      writeFileSync(join(work.bin, 'cloner_startup.sh'), clonerScript(source), {mode: 0o755});
      cwd = source;
    }
    for (const build of step.builds) {
      const args = [
        'build',
        '-v',
        ...build.flags,
        '-trimpath',
        '-ldflags',
        build.ldflags,
        '-o',
        join(work.bin, build.output),
        build.package,
      ];
      await runGo(args, {cwd, ...go, onPackage: () => packages++});
    }
    for (const [target, names] of Object.entries(step.links)) for (const name of names) symlinkSync(target, join(work.bin, name));
    last = `[${number}/${of}] ${step.name}: done in ${clockText(performance.now() - started)}`;
  } finally {
    painter.stop(last);
  }
}
