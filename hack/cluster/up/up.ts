/** `up`: from nothing, or from a cluster that runs already, to one that is ready. */
import {mkdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {ensureBuilt} from '../build/build.ts';
import type {Terminal} from '../build/progress.ts';
import type {AnyObject} from '../../../kube/objects.ts';
import {parseVersions} from '../build/versions.ts';
import {writeAtomic} from '../files.ts';
import {tryLock} from '../lock.ts';
import {canBoot, chooseGuests} from '../guests.ts';
import {guestImages, missingForGuests} from '../images/catalogue.ts';
import {hostsText, planHosts, type PlannedHost} from '../objects/nodes.ts';
import type {Options} from '../options.ts';
import {cacheFolder, clusterPaths, ROOT, type ClusterPaths} from '../paths.ts';
import type {ClusterSettings} from '../state.ts';
import {removeOldHosts} from './cloud-hosts.ts';
import type {StartContext, UpContext} from './context.ts';
import {dropOldLeases, installCrds, startApiserver, startControllers, startHosts, waitForControllers} from './control-plane.ts';
import {ensureCredentials, type Credentials} from './credentials.ts';
import {envVariables, renderClouds, renderEnv, withoutSecrets} from './env-file.ts';
import {reachGuests} from './guest-reach.ts';
import {makePki} from './pki.ts';
import {prepare, readHostTable} from './prepare.ts';
import {
  applyCloud,
  installChart,
  startHypervisor,
  startPodRunner,
  startPrograms,
  waitForHypervisor,
  waitForPrograms,
  writeCredentials,
} from './programs.ts';
import {secondsText, stepRunner, type Step} from './steps.ts';
import {
  configureVirtualization,
  installVirtualizationBase,
  registerVirtualization,
  startVirtualization,
  waitForVirtualization,
} from './virtualization.ts';

/** What `up` needs of its surroundings. */
export interface UpSurroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly now: () => number;
}

/** Brings the cluster up and prints how to reach everything. Running it again brings a running cluster up to date. */
export async function up(options: Options, {env, terminal, signal, now}: UpSurroundings): Promise<void> {
  const say = (line: string): void => terminal.write(`${line}\n`);
  const building = {cache: cacheFolder(env), env, terminal, signal};
  const build = await ensureBuilt(building);
  const imageBuilding = {...building, now: Date.now};
  const missing = await missingForGuests(imageBuilding);
  const light = options.light || options.tier === 'api';
  const guests = chooseGuests(env['GUESTS'], light, missing);
  const images = guests.mode === 'qemu' ? await guestImages(imageBuilding) : [];
  const began = now();
  const paths = clusterPaths(options.dir);
  mkdirSync(paths.run, {recursive: true, mode: 0o700});
  const release = tryLock(paths.upLock);
  if (typeof release !== 'function') throw new Error(`another \`up\` is at work in ${paths.dir} (process ${release.pid})`);
  try {
    const table = readHostTable(env);
    const hosts = planHosts(table, options.hosts ?? table.count);
    const {settings, fresh} = await prepare(options, paths, build, {
      hosts: hosts.length,
      guests: guests.mode,
      canBoot: canBoot(light, missing),
      say,
      signal,
    });
    if (settings.tier === 'full') say(`Guests: ${settings.guests} (${guests.why})`);
    say(`${fresh ? 'Starting' : 'Bringing up to date'} the local cluster in ${paths.dir} (${describe(settings, hosts)})`);
    const context: StartContext = {
      paths,
      settings,
      build,
      versions: parseVersions(readFileSync(join(ROOT, 'hack/versions.env'), 'utf8')),
      hosts,
      guestImages: images,
      logLevel: env['BASALT_LOG_LEVEL'] ?? 'info',
      startedAt: fresh ? Date.now() : 0,
      signal,
      say,
    };
    const step = stepRunner(say, now);
    if (fresh) await step('certificates', () => makePki(context));
    const secrets = settings.programs ? ensureCredentials(paths.credentials) : undefined;
    let reach: readonly string[] = [];
    const running = await step('etcd, kube-apiserver', () => startApiserver(context));
    try {
      await bringUp(running, step, fresh, secrets?.credentials);
      reach = await reachGuests(running);
      await running.writer.save();
    } catch (error) {
      // The next `up` goes on from what was written; if even that cannot be remembered, it writes it again.
      await running.writer.save().catch((second: unknown) => say(`Not remembered: ${(second as Error).message}`));
      throw error;
    } finally {
      await running.client.close();
    }
    finish(paths, settings, secrets, say);
    reach.forEach(say);
    say(`Ready after ${secondsText(now() - began)}. Stop it with \`make down\`.`);
  } finally {
    release();
  }
}

function describe(settings: ClusterSettings, hosts: readonly PlannedHost[]): string {
  if (settings.tier === 'api') return 'API server only';
  return `${hostsText(hosts)}${settings.light ? ', light: KubeVirt and CDI are simulated' : ''}${settings.programs ? '' : ', without our programs'}`;
}

// What does not wait for each other runs side by side: starting is mostly other processes' CPU time.
async function bringUp(context: UpContext, step: Step, fresh: boolean, credentials: Credentials | undefined): Promise<void> {
  await step('CRDs', () => installCrds(context));
  if (context.settings.tier === 'api') return;
  if (fresh) await dropOldLeases(context);
  startControllers(context);
  const [cloud] = await Promise.all([
    credentials === undefined ? undefined : startOurs(context, step, credentials),
    startMachinery(context, step),
  ]);
  if (cloud === undefined) return;
  await step('operator, api-server, demo cloud Ready', () => waitForPrograms(context, cloud));
  await removeOldHosts(context);
}

async function startMachinery(context: UpContext, step: Step): Promise<void> {
  const {light} = context.settings;
  await step('namespaces, roles, storage class', () => installVirtualizationBase(context));
  if (!light) {
    await step('configuration of KubeVirt and CDI', () => configureVirtualization(context));
    startVirtualization(context);
  }
  await step('hosts', () => startHosts(context));
  startHypervisor(context);
  startPodRunner(context);
  await Promise.all([
    step('controllers, hosts Ready', () => waitForControllers(context)),
    step('hypervisor', () => waitForHypervisor(context)),
    light
      ? undefined
      : step('KubeVirt, CDI', async () => {
          await registerVirtualization(context);
          await waitForVirtualization(context);
        }),
  ]);
}

async function startOurs(context: UpContext, step: Step, credentials: Credentials): Promise<readonly AnyObject[]> {
  await step('helm chart', () => installChart(context));
  return await step('programs started, demo cloud applied', async () => {
    await writeCredentials(context, credentials);
    await startPrograms(context);
    return await applyCloud(context);
  });
}

// Secrets are shown by the run that made them up, and by no other: its output ends in logs and on screens that others see.
function finish(
  paths: ClusterPaths,
  {ports, bin, guests}: ClusterSettings,
  secrets: ReturnType<typeof ensureCredentials> | undefined,
  say: (line: string) => void,
): void {
  const credentials = secrets?.credentials;
  const variables = envVariables({
    dir: paths.dir,
    kubeconfig: paths.adminKubeconfig,
    bin,
    ports,
    guests,
    ...(credentials === undefined ? {} : {credentials}),
  });
  writeAtomic(paths.env, renderEnv(variables));
  if (credentials !== undefined) writeAtomic(paths.clouds, renderClouds(ports, credentials));
  const old = secrets?.made === false;
  say(`\n${renderEnv(old ? withoutSecrets(variables, secrets.credentials) : variables)}`);
  say(`${old ? 'These lines and the secrets' : 'These lines'} are in ${paths.env}: set -a; . ${paths.env}; set +a`);
  if (credentials !== undefined)
    say(`The openstack command: OS_CLIENT_CONFIG_FILE=${paths.clouds} openstack --os-cloud basalt server list`);
}
