/**
 * What users fear: a program is killed in the middle of work, two clients want the same thing, a process believes that it leads when another
 * does. After each crash the cloud must be as if there had been none: every promise kept, nothing doubled, nothing left behind. Each test
 * leaves behind what the last ones look at: that nothing stays, and that then nothing is written.
 */
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {randomUUID} from 'node:crypto';
import {join, resolve} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {ALL_KINDS, DRIVE, SERVER} from '../../crds/index.ts';
import type {Drive, Server} from '../../crds/index.ts';
import {ensureClients} from '../../hack/clients/venv.ts';
import {clusterPaths} from '../../hack/cluster/paths.ts';
import {isAlive, signalProcess} from '../../hack/cluster/process-identity.ts';
import {readState} from '../../hack/cluster/state.ts';
import {waitFor} from '../../hack/cluster/waiting.ts';
import {run} from '../../hack/lib/process.ts';
import type {KubeClient} from '../../kube/client.ts';
import {isAlreadyExists, isNotFound, isServerFailure} from '../../kube/errors.ts';
import {silentLogger} from '../../kube/log.ts';
import {keyOf, refOfObject, type KubeObject, type ResourceType} from '../../kube/objects.ts';
import {loadKubeConfig} from '../../kube/pooled-kube-config.ts';
import {createClient} from '../../kube/transport.ts';
import {SECRET} from '../../kube/types.ts';
import {VIRTUAL_MACHINE} from '../../operator/kubevirt/types.ts';
import {cloudSigma, compute, insist, type Acknowledged} from '../lib/insistent.ts';
import {callsByMethod, grown, leads, Programs} from '../lib/programs.ts';
import {HOME} from '../lib/server-bench.ts';
import {doubled, nothingRemains, repeated} from '../lib/traces.ts';
import {Witness} from '../lib/witness.ts';

const {KUBECONFIG, BASALT_CLUSTER_DIR = '.cluster'} = process.env;
const dir = resolve(BASALT_CLUSTER_DIR);
const suite = KUBECONFIG === undefined || readState(clusterPaths(dir).state)?.light === true ? describe.skip : describe;
const env = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set: run this with make test-cluster`);
  return value;
};

const PREFIX = 'crash-';
const MIB = 1024 ** 2;
const IDLE_MS = 20_000;
const publicImage = {namespace: 'basalt-system', name: 'tiny'};
const numbered = (name: string, count: number): readonly string[] =>
  Array.from({length: count}, (_, at) => `${PREFIX}${name}-${String(at).padStart(2, '0')}`);
const conditionOf = ({status}: Server | Drive, type: string) => status?.conditions?.find((condition) => condition.type === type);

suite('after a crash', () => {
  let client: KubeClient;
  let witness: Witness;
  const programs = new Programs(dir);

  /** Sends again what was not answered, as kubectl's user does; that it is there already is an answer, too. */
  const create = async <T extends KubeObject>(type: ResourceType<T>, name: string, spec: object): Promise<void> => {
    const object = {apiVersion: 'basalt.dev/v1alpha1', kind: type.kind, metadata: {name, namespace: HOME}, spec} as unknown as T;
    const probe = async (): Promise<string | undefined> => {
      try {
        await client.create(type, object);
        return undefined;
      } catch (error) {
        if (isAlreadyExists(error)) return undefined;
        if (isServerFailure(error)) return error.message;
        throw error;
      }
    };
    await waitFor(probe, {what: `${type.kind} ${name} accepted`});
  };
  const createServer = (name: string, spec: Partial<Server['spec']> = {}): Promise<void> =>
    create<Server>(SERVER, name, {name, flavor: 'tiny', ...spec});
  const createDrive = async (name: string): Promise<string> => {
    await create<Drive>(DRIVE, name, {name, sizeBytes: 64 * MIB});
    const drive = await witness.until(witness.drives, name, (seen) => seen?.status?.uuid !== undefined);
    return drive?.status?.uuid ?? '';
  };
  const remove = async (type: ResourceType, name: string): Promise<void> => {
    await client.delete(type, {namespace: HOME, name}).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  };
  const removeServer = (name: string): Promise<void> => remove(SERVER as unknown as ResourceType, name);
  const removeServers = async (servers: readonly Server[]): Promise<void> => {
    await Promise.all(servers.map(({metadata: {name}}) => removeServer(name)));
    await Promise.all(servers.map(({metadata: {name}}) => witness.gone(witness.servers, name)));
  };
  const removeDrives = async (drives: readonly Drive[]): Promise<void> => {
    await Promise.all(drives.map(({metadata: {name}}) => remove(DRIVE as unknown as ResourceType, name)));
    await Promise.all(drives.map(({metadata: {name}}) => witness.gone(witness.drives, name)));
  };

  const removeAll = async (): Promise<void> => {
    await removeServers(witness.named(PREFIX));
    await removeDrives(witness.drives.list().filter(({metadata}) => metadata.name.startsWith(PREFIX)));
  };

  beforeAll(async () => {
    client = createClient({
      kubeConfig: loadKubeConfig({path: env('KUBECONFIG')}),
      userAgent: 'basalt-test',
      fieldManager: 'kubectl',
      log: silentLogger,
    });
    witness = new Witness(client);
    await witness.start();
    await removeAll();
  }, 120_000);
  afterAll(async () => {
    await removeAll();
    witness.stop();
    await client.close();
  }, 120_000);

  const bulk = numbered('bulk', 20);

  test('of the operator among 20 creates, each server comes to run exactly once', async () => {
    const creating = Promise.all(bulk.map((name, at) => createServer(name, at % 4 === 0 ? {image: publicImage} : {})));
    const started = (): number => bulk.filter((name) => witness.count('VirtualMachine', name) > 0).length;
    await witness.when(witness.machines, 'the first machines', () => started() >= 3);
    const killed = programs.kill('operator');
    await Promise.all([creating, killed]);
    const servers = await Promise.all(bulk.map((name) => witness.serverIs(name, 'ACTIVE')));
    expect(await doubled(client, witness, servers)).toEqual([]);
  }, 150_000);

  test('of the leader among 20 deletes, a standby leads alone, carries on and leaves nothing', async () => {
    const standby = await programs.startStandby(`standby-${process.pid}`);
    const both = AbortSignal.timeout(120_000);
    const urls = [env('BASALT_OPERATOR_METRICS_URL'), standby.metricsUrl];
    let leading = true;
    const seen: number[] = [];
    const look = async (): Promise<void> => {
      while (leading && !both.aborted) {
        const answers = await Promise.all(urls.map(leads));
        seen.push(answers.filter((answer) => answer === true).length);
        await sleep(100);
      }
    };
    const looking = look();
    try {
      await waitFor(async () => ((await leads(urls[0] ?? '')) === true ? undefined : 'not yet'), {what: 'the supervised operator leads'});
      const before = witness.leaders.length;
      const deleting = Promise.all(bulk.map(removeServer));
      await witness.when(witness.machines, 'the first machines are going', () =>
        bulk.some((name) => witness.machines.get(keyOf({namespace: HOME, name}))?.metadata.deletionTimestamp !== undefined),
      );
      await programs.kill('operator');
      await createServer(`${PREFIX}after`);
      // It comes back at once, and might be the first to see that its lease is over: it goes on crashing until the standby leads. A newcomer
      // has to watch a lease for its whole 15 s before it may take it.
      while ((await leads(standby.metricsUrl)) !== true && !both.aborted) {
        await sleep(4_000);
        if ((await leads(standby.metricsUrl)) !== true) await programs.kill('operator');
      }
      await deleting;
      await witness.serverIs(`${PREFIX}after`, 'ACTIVE');
      expect(witness.leaders.slice(before)).toEqual([standby.identity]);
      await nothingRemains(client, (name) => name.startsWith(`${PREFIX}bulk-`), 60_000);
      expect(await leads(standby.metricsUrl)).toBe(true);
      // The other way round, and worse: a leader that stands still, and goes on when another one leads, with work before both. It must give up.
      signalProcess(standby.process, 'SIGSTOP');
      await waitFor(async () => ((await leads(urls[0] ?? '')) === true ? undefined : 'not yet'), {
        what: 'the supervised operator leads again',
      });
      signalProcess(standby.process, 'SIGCONT');
      await createServer(`${PREFIX}passed`);
      const ended = (): Promise<string | undefined> => Promise.resolve(isAlive(standby.process) ? 'it runs on' : undefined);
      await waitFor(ended, {what: 'the end of the leader that was passed over', deadlineMs: 10_000});
      expect(witness.leaders.slice(before)).toHaveLength(2);
      expect(witness.leaders.slice(before)).not.toContain('');
      expect(await doubled(client, witness, [await witness.serverIs(`${PREFIX}passed`, 'ACTIVE')])).toEqual([]);
    } finally {
      leading = false;
      signalProcess(standby.process, 'SIGCONT');
      await Promise.all([standby.stop(), looking]);
    }
    expect(Math.max(...seen)).toBe(1);
  }, 180_000);

  const demo = compute(env('COMPUTE_URL'), env('TOKEN'));
  const sigma = cloudSigma(env('CS_BASE'), env('CS_USER'), env('CS_PASSWORD'));
  const firstImage = async (): Promise<string | undefined> =>
    (JSON.parse((await insist(demo('GET', '/images'))).text) as {images: {id: string}[]}).images[0]?.id;
  const acknowledged: {readonly id: string; readonly name: string}[] = [];
  /** What a create leaves behind when the api-server dies between its two writes, or before the second one. */
  const halfMade = {server: randomUUID(), drive: `${PREFIX}half`};
  /** A Secret of a person, who named it as ours are named. */
  const ownSecret = `${PREFIX}own-boot`;

  test('of the api-server among creates over REST, every acknowledged server is there, and ids are unique', async () => {
    const imageRef = await firstImage();
    const drives = await Promise.all(numbered('claimed', 4).map(createDrive));
    const boot = (name: string, labels: Readonly<Record<string, string>>) =>
      client.create(SECRET, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: {name, namespace: HOME, labels},
        data: {passwordHash: Buffer.from('$6$salt$hash').toString('base64')},
      });
    await boot(`${halfMade.server}-boot`, {'basalt.dev/server': halfMade.server});
    await boot(ownSecret, {});
    await createDrive(halfMade.drive);
    const drive = await client.get(DRIVE, {namespace: HOME, name: halfMade.drive});
    const claim = {server: halfMade.server, slot: 'ide:0:0', claimedAt: new Date().toISOString()};
    await client.mergePatch(DRIVE, refOfObject(drive), {status: {claims: [claim]}}, {subresource: 'status'});

    const names = numbered('rest', 16);
    const body = (name: string) => ({
      server: {name, flavorRef: 1, imageRef, personality: [{path: '/etc/crash', contents: 'eA=='}]},
    });
    const answers: Acknowledged[] = [];
    const overCyclades = async (mine: readonly string[]): Promise<void> => {
      for (const name of mine) {
        const answer = await insist(demo('POST', '/servers', body(name)));
        answers.push(answer);
        expect(`${answer.status} ${answer.text}`).toMatch(/^20[02] /);
        acknowledged.push({id: (JSON.parse(answer.text) as {server: {id: string}}).server.id, name});
      }
    };
    const overCloudSigma = async (name: string, uuid: string): Promise<void> => {
      const answer = await insist(sigma('POST', '/servers/create', {name, cpu: 1000, mem: 512, 'ide:0:0': uuid, boot: 'ide:0:0'}));
      answers.push(answer);
      // 409 is right when a try that was never answered took the drive.
      expect(answer.status === 200 || (answer.status === 409 && answer.lost > 0)).toBe(true);
    };
    const clients = Promise.all([
      ...[0, 1, 2, 3].map((at) => overCyclades(names.filter((_, index) => index % 4 === at))),
      ...drives.map((uuid, at) => overCloudSigma(`${PREFIX}sigma-${at}`, uuid)),
    ]);
    clients.catch(() => undefined); // it is awaited below
    await programs.kill('api-server');
    for (const due of [4, 9]) {
      await waitFor(() => Promise.resolve(acknowledged.length >= due ? undefined : `${acknowledged.length} acknowledged`), {
        what: `${due} creates`,
        intervalMs: 5,
      });
      await programs.kill('api-server');
    }
    await clients;
    expect(answers.some(({lost}) => lost > 0)).toBe(true);
    for (const {id, name} of acknowledged) {
      const shown = await insist(demo('GET', `/servers/${id}`));
      expect(shown).toMatchObject({status: 200});
      expect((JSON.parse(shown.text) as {server: unknown}).server).toMatchObject({name});
    }
    expect(repeated(acknowledged.map(({id}) => id))).toEqual([]);
    const stored = witness.named(`${PREFIX}rest-`).filter(({spec}) => acknowledged.some(({id}) => id === String(spec.id)));
    expect(stored).toHaveLength(names.length);
    expect(
      await doubled(client, witness, await Promise.all(stored.map(({metadata}) => witness.serverIs(metadata.name, 'ACTIVE')))),
    ).toEqual([]);
    await Promise.all(acknowledged.map(async ({id}) => expect((await insist(demo('DELETE', `/servers/${id}`))).status).toBe(204)));
    await removeServers(witness.named(`${PREFIX}rest-`));
    await removeServers(witness.named(`${PREFIX}sigma-`));
  }, 180_000);

  // With a head start REST mostly wins, without one mostly kubectl: it has no password to check and no id to fetch.
  test.each([0, 400])(
    'without one: of many clients that want a drive exactly one gets it, and the next one when it is free (%i ms)',
    async (headStartMs) => {
      const drive = `${PREFIX}wanted-${headStartMs}`;
      const uuid = await createDrive(drive);
      const waiting = numbered(`waiting-${headStartMs}`, 4);
      const disks = [{slot: 'ide:0:0', drive}];
      const [answers] = await Promise.all([
        Promise.all(
          numbered(`race-${headStartMs}`, 8).map((name) =>
            insist(sigma('POST', '/servers/create', {name, cpu: 1000, mem: 512, 'ide:0:0': uuid, boot: 'ide:0:0'})),
          ),
        ),
        ...waiting.map(async (name) => {
          await sleep(headStartMs);
          await createServer(name, {disks});
        }),
      ]);
      const holder = (): string => witness.drives.get(keyOf({namespace: HOME, name: drive}))?.status?.claims?.[0]?.server ?? '';
      await witness.until(witness.drives, drive, (seen) => seen?.status?.claims?.length === 1);
      const first = holder();
      const byRest = !waiting.includes(first);
      expect(answers.filter(({status}) => status === 200)).toHaveLength(byRest ? 1 : 0);
      expect(answers.filter(({status}) => status === 409)).toHaveLength(byRest ? 7 : 8);
      await witness.serverIs(first, 'ACTIVE');
      const losers = waiting.filter((name) => name !== first);
      for (const name of losers) {
        const server = await witness.until(
          witness.servers,
          name,
          (seen) => seen !== undefined && conditionOf(seen, 'DrivesReady')?.reason === 'DriveInUse',
        );
        expect(server && conditionOf(server, 'DrivesReady')).toMatchObject({status: 'False', message: expect.stringContaining(drive)});
        expect(witness.count('VirtualMachine', name)).toBe(0);
      }
      await removeServer(first);
      await witness.until(witness.drives, drive, (seen) => losers.includes(seen?.status?.claims?.[0]?.server ?? ''));
      const second = holder();
      await witness.serverIs(second, 'ACTIVE');
      expect((witness.holders.get(drive) ?? []).filter((names) => names !== '')).toEqual([first, second]);
      expect(losers.filter((name) => witness.count('VirtualMachine', name) > 0)).toEqual([second]);
    },
    120_000,
  );

  test('of kube-apiserver in the middle of work, servers come to run and stop as they should', async () => {
    const names = numbered('outage', 8);
    const imageRef = await firstImage();
    const creating = Promise.all(names.map((name) => createServer(name)));
    await witness.when(witness.machines, 'the first machines', () => names.some((name) => witness.count('VirtualMachine', name) > 0));
    const overRest: string[] = [];
    let over = false;
    const insistingClient = async (): Promise<void> => {
      for (let at = 0; !over || at < 4; at++) {
        const {status, text} = await insist(
          demo('POST', '/servers', {server: {name: `${PREFIX}outage-rest-${at}`, flavorRef: 1, imageRef}}),
        );
        overRest.push(`${status} ${status < 300 ? '' : text}`.trim());
        await sleep(250);
      }
    };
    const clients = insistingClient();
    clients.catch(() => undefined); // it is awaited below
    await programs.kill('kube-apiserver');
    await creating;
    over = true;
    await clients;
    // While it is away an API is unavailable, which a client may try again; it never says that something is wrong with the request.
    expect(overRest.filter((answer) => !/^20[02]$/.test(answer))).toEqual([]);
    expect(await doubled(client, witness, await Promise.all(names.map((name) => witness.serverIs(name, 'ACTIVE'))))).toEqual([]);
    expect((await insist(demo('GET', '/servers'))).text).toContain(names[7]);
    await removeServers(witness.named(`${PREFIX}outage-`));
  }, 150_000);

  test('the openstack command, with the file that comes with the cluster, lists these servers; the other account has none of them', async () => {
    const {openstack} = await ensureClients(() => undefined);
    const list = async (cloud: string): Promise<readonly string[]> => {
      const {stdout} = await run(openstack, ['--os-cloud', cloud, 'server', 'list', '-f', 'json'], {
        env: {PATH: process.env['PATH'], HOME: process.env['HOME'], OS_CLIENT_CONFIG_FILE: join(dir, 'clouds.yaml')},
      });
      return (JSON.parse(stdout) as {Name: string}[]).map(({Name}) => Name);
    };
    const [demos, others] = await Promise.all([list('basalt'), list('basalt-other')]);
    expect(demos).toEqual(expect.arrayContaining([`${PREFIX}after`, ...witness.named(`${PREFIX}waiting`).map(({spec}) => spec.name)]));
    expect(others.filter((name) => name.startsWith(PREFIX))).toEqual([]);
  }, 120_000);

  test('nothing of what was deleted, or never came to be, is left; what others made stays', async () => {
    // Of these tests: named by them, or by the api-server, which takes uuids.
    const ours = new RegExp(`^(${PREFIX}|[0-9a-f]{8}-[0-9a-f]{4}-)`);
    const living = [...witness.servers.list(), ...witness.drives.list()].map(({metadata}) => metadata.name);
    await nothingRemains(client, (name) => ours.test(name) && name !== ownSecret && !living.some((one) => name.startsWith(one)), 60_000);
    expect((await client.get(SECRET, {namespace: HOME, name: ownSecret})).metadata.name).toBe(ownSecret);
    await client.delete(SECRET, {namespace: HOME, name: ownSecret});
  }, 90_000);

  test('and then nothing is written any more: not for servers that run, nor for those that wait', async () => {
    const versions = async (): Promise<Readonly<Record<string, string>>> => {
      const kinds = [...ALL_KINDS, VIRTUAL_MACHINE, SECRET] as unknown as readonly ResourceType[];
      const lists = await Promise.all(
        kinds.map(async (type) =>
          (await client.list(type)).items
            .filter(({metadata}) => type.plural !== 'secrets' || metadata.namespace?.startsWith('acct-') === true)
            .map((object) => [`${type.kind} ${keyOf(refOfObject(object))}`, object.metadata.resourceVersion ?? ''] as const),
        ),
      );
      return Object.fromEntries(lists.flat());
    };
    expect(witness.named(`${PREFIX}waiting`).length).toBeGreaterThan(1);
    let last: Readonly<Record<string, string>> = {};
    const changed = async (): Promise<readonly string[]> => {
      const before = last;
      last = await versions();
      return [...new Set([...Object.keys(before), ...Object.keys(last)])].filter((key) => before[key] !== last[key]);
    };
    const quiet = async (): Promise<string | undefined> => {
      const keys = await changed();
      return keys.length === 0 ? undefined : keys.join(', ');
    };
    await waitFor(quiet, {what: 'quiet', deadlineMs: 60_000, intervalMs: 3_000});
    const calls = async (): Promise<Readonly<Record<string, number>>> =>
      callsByMethod(await (await fetch(env('BASALT_OPERATOR_METRICS_URL'))).text());
    const operator = await calls();
    await sleep(IDLE_MS);
    expect(await changed()).toEqual([]);
    // A write that changes nothing leaves no trace in the objects. The leader renews its lease every 2 s with a PUT, and that is all.
    const {PUT = 0, GET: _read, ...others} = grown(operator, await calls());
    expect(others).toEqual({});
    expect(PUT).toBeLessThanOrEqual(IDLE_MS / 2_000 + 1);
  }, 120_000);
});
