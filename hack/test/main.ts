/**
 * `make test`: every suite in order, the quick ones first, and one closing line over all of them: `N passed, N failed, N skipped`.
 * The cluster suites run against local clusters of their own (`.cluster-test`), which are purged afterwards: one with simulated guests,
 * then one with real guests where this machine has what they need.
 */
import {spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {mkdir, readFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {readClusterEnv} from '../demo/context.ts';
import {addCounts, countsOfJest, formatCounts, type Counts} from './counts.ts';

const CLUSTER = '.cluster-test';
const RESULTS = join(CLUSTER, 'results');
const started = performance.now();
const stamp = (): string => `${((performance.now() - started) / 1000).toFixed(0)} s`.padStart(6);

/** Runs a program with its output shown; resolves with its exit code. Killed after `timeoutMs`. */
function show(command: string, args: readonly string[], timeoutMs: number, env: Readonly<Record<string, string>> = {}): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {...process.env, ...env},
      signal: AbortSignal.timeout(timeoutMs),
      killSignal: 'SIGKILL',
    });
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(1);
    });
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** A check that passes or fails as one. */
async function check(title: string, command: string, args: readonly string[], fix: string): Promise<Counts> {
  console.log(`\n[${stamp()}] ${title}`);
  const ok = (await show(command, args, 5 * 60_000)) === 0;
  if (!ok) console.error(`${title}: failed. ${fix}`);
  return {passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0};
}

/** A jest project; a run that leaves no results, or none executed, counts as a failure. */
async function jest(project: string, timeoutMs: number, env: Readonly<Record<string, string>> = {}): Promise<Counts> {
  console.log(`\n[${stamp()}] ${project} tests`);
  const file = join(RESULTS, `${project}.json`);
  await rm(file, {force: true});
  const args = [
    '--disable-warning=ExperimentalWarning',
    '--experimental-vm-modules',
    'node_modules/jest/bin/jest.js',
    '--selectProjects',
    project,
  ];
  const code = await show(
    process.execPath,
    [...args, '--json', `--outputFile=${file}`, ...(project === 'unit' ? [] : ['--runInBand'])],
    timeoutMs,
    env,
  );
  if (!existsSync(file)) return {passed: 0, failed: 1, skipped: 0};
  return countsOfJest(JSON.parse(await readFile(file, 'utf8')), code);
}

/** The suites of one jest project, on a cluster of their own that `up` is asked for with `env`. */
async function clusterSuites(project: string, env: Readonly<Record<string, string>>): Promise<Counts> {
  console.log(`\n[${stamp()}] a local cluster for the ${project} tests (${CLUSTER})`);
  const cluster = (...args: string[]): Promise<number> =>
    show(process.execPath, ['hack/cluster/main.ts', ...args, '--dir', CLUSTER], 30 * 60_000, env);
  try {
    await cluster('down', '--purge'); // what a killed run left
    await mkdir(RESULTS, {recursive: true});
    if ((await cluster('up')) !== 0) return {passed: 0, failed: 1, skipped: 0};
    return await jest(project, 30 * 60_000, {...(await readClusterEnv(CLUSTER)), BASALT_CLUSTER_DIR: CLUSTER});
  } finally {
    await cluster('down', '--purge');
  }
}

await mkdir(RESULTS, {recursive: true});
const counts = addCounts([
  await check('types', 'tsc', ['--noEmit'], 'See the messages above.'),
  await check('lint and format', 'npm', ['run', '--silent', 'lint'], "Run 'make format' for the format."),
  await check('generated files', process.execPath, ['hack/codegen/generate.ts', '--check'], "Run 'make generate' and commit the result."),
  await jest('unit', 10 * 60_000),
  await clusterSuites('cluster', {GUESTS: 'simulated'}),
  await clusterSuites('guests', {}),
]);
console.log(`\n[${stamp()}] all suites`);
console.log(formatCounts(counts));
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
