/**
 * The local cluster itself: what is killed comes back, what is simulated behaves, nothing is sent to a simulated pod, and a second cluster
 * beside this one starts, survives the death of its supervisor, and leaves nothing behind.
 */
import {execFile} from 'node:child_process';
import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {clusterPaths, ROOT} from '../../hack/cluster/paths.ts';
import {isAlive, signalProcess, type ProcessIdentity} from '../../hack/cluster/process-identity.ts';
import {readState, recordedProcesses, type ClusterState} from '../../hack/cluster/state.ts';
import {waitFor} from '../../hack/cluster/waiting.ts';
import type {KubeClient} from '../../kube/client.ts';
import {isServerFailure} from '../../kube/errors.ts';
import type {AnyObject, ResourceType} from '../../kube/objects.ts';
import {loadKubeConfig} from '../../kube/pooled-kube-config.ts';
import {createClient} from '../../kube/transport.ts';
import {CONFIG_MAP, LEASE, NAMESPACE, NODE} from '../../kube/types.ts';

const paths = clusterPaths(resolve(ROOT, process.env['BASALT_CLUSTER_DIR'] ?? '.cluster'));
const name = `cluster-test-${process.pid}`;
const DATA_VOLUME: ResourceType = {
  group: 'cdi.kubevirt.io',
  version: 'v1beta1',
  plural: 'datavolumes',
  kind: 'DataVolume',
  namespaced: true,
};

function state(): ClusterState {
  const found = readState(paths.state);
  if (found === undefined) throw new Error(`no cluster in ${paths.dir}: make up first`);
  return found;
}

function identityOf(process: string): ProcessIdentity {
  const found = recordedProcesses(state()).find((one) => one.name === process);
  if (found === undefined) throw new Error(`${process} is not running`);
  return found.identity;
}

/** Kills a process and waits until the supervisor runs another one in its place. */
async function killAndWait(process: string): Promise<void> {
  const before = identityOf(process);
  const {restarts} = state().processes[process] as {restarts: number};
  expect(signalProcess(before, 'SIGKILL')).toBe(true);
  const probe = (): Promise<string | undefined> => {
    const now = state().processes[process];
    return Promise.resolve(
      now?.status === 'running' && now.pid !== before.pid && now.restarts > restarts ? undefined : (now?.status ?? 'unknown'),
    );
  };
  await waitFor(probe, {what: `${process} started again`, deadlineMs: 20_000});
}

let client: KubeClient;
beforeAll(async () => {
  client = createClient({
    kubeConfig: loadKubeConfig({path: paths.adminKubeconfig}),
    userAgent: 'cluster-test',
    fieldManager: 'cluster-test',
  });
  await client.create(NAMESPACE, {apiVersion: 'v1', kind: 'Namespace', metadata: {name}});
});
afterAll(async () => {
  await client.delete(NAMESPACE, {name});
  await client.close();
});

test('every process is running, and on record with its start time', () => {
  const {processes, supervisor} = state();
  expect(isAlive(supervisor)).toBe(true);
  for (const [process, {status}] of Object.entries(processes)) expect(`${process} ${status}`).toBe(`${process} running`);
  for (const {identity} of recordedProcesses(state())) expect(isAlive(identity)).toBe(true);
});

test('secrets are readable for their owner only', () => {
  for (const file of [paths.state, paths.env, paths.credentials, paths.adminKubeconfig, join(paths.pki, 'ca.key')]) {
    if (existsSync(file)) expect(`${file} ${(statSync(file).mode & 0o077).toString(8)}`).toBe(`${file} 0`);
  }
});

test('all hosts are Ready and have the devices of a hypervisor', async () => {
  const {items} = await client.list(NODE);
  expect(items).toHaveLength(state().hosts);
  for (const node of items) {
    expect(node.status?.conditions?.find(({type}) => type === 'Ready')?.status).toBe('True');
    expect(node.status?.allocatable).toMatchObject({'devices.kubevirt.io/kvm': '1k'});
  }
});

describe('killed with SIGKILL', () => {
  test('kube-apiserver comes back with everything that was acknowledged', async () => {
    const object = {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'kept', namespace: name}, data: {a: 'b'}};
    await client.create(CONFIG_MAP, object);
    await killAndWait('kube-apiserver');
    const probe = async (): Promise<string | undefined> => {
      try {
        const answer = await client.raw('GET', '/readyz', {timeoutMs: 2_000, acceptErrors: true});
        return answer.status === 200 ? undefined : `readyz ${answer.status}`;
      } catch (error) {
        if (isServerFailure(error)) return error.message;
        throw error;
      }
    };
    await waitFor(probe, {what: 'kube-apiserver ready', deadlineMs: 60_000, intervalMs: 200});
    expect((await client.get(CONFIG_MAP, {name: 'kept', namespace: name})).data).toEqual({a: 'b'});
  }, 90_000);

  test('virt-controller comes back and leads', async () => {
    if (state().light) return;
    await killAndWait('virt-controller');
    const restarted = Date.now();
    const leads = async (): Promise<string | undefined> => {
      const lease = (await client.get(LEASE as ResourceType, {name: 'virt-controller', namespace: 'kubevirt'})) as AnyObject & {
        spec?: {renewTime?: string};
      };
      return Date.parse(lease.spec?.renewTime ?? '') > restarted ? undefined : 'the lease is old';
    };
    await waitFor(leads, {what: 'virt-controller leads', deadlineMs: 90_000, intervalMs: 250});
  }, 120_000);
});

interface DataVolume extends AnyObject {
  readonly status?: {
    readonly phase?: string;
    readonly restartCount?: number;
    readonly conditions?: readonly {readonly type: string; readonly message?: string}[];
  };
}

async function createVolume(volume: string, path: string): Promise<void> {
  const spec = {
    source: {http: {url: `http://127.0.0.1:${state().ports.images}/${path}`}},
    storage: {resources: {requests: {storage: '64Mi'}}, accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem'},
  };
  const object: AnyObject = {apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'DataVolume', metadata: {name: volume, namespace: name}, spec};
  // Webhooks of CDI may still be reconnecting after the tests above.
  const probe = async (): Promise<string | undefined> => {
    try {
      await client.create(DATA_VOLUME, object);
      return undefined;
    } catch (error) {
      if (isServerFailure(error)) return error.message;
      throw error;
    }
  };
  await waitFor(probe, {what: `DataVolume ${volume} accepted`, deadlineMs: 60_000, intervalMs: 500});
}

async function waitVolume(volume: string, check: (status: NonNullable<DataVolume['status']>) => boolean): Promise<DataVolume> {
  let seen: DataVolume | undefined;
  const probe = async (): Promise<string | undefined> => {
    seen = (await client.get(DATA_VOLUME, {name: volume, namespace: name})) as DataVolume;
    return check(seen.status ?? {}) ? undefined : JSON.stringify(seen.status ?? 'no status');
  };
  await waitFor(probe, {what: `DataVolume ${volume}`, deadlineMs: 60_000, intervalMs: 200});
  return seen as DataVolume;
}

describe('imports', () => {
  test('succeed, through the real controller', async () => {
    await createVolume('good', 'tiny.raw');
    await waitVolume('good', ({phase}) => phase === 'Succeeded');
  }, 130_000);

  test('fail for a URL that says so, with the reason', async () => {
    await createVolume('bad', 'fail/tiny.raw');
    const {status} = await waitVolume(
      'bad',
      ({phase, restartCount, conditions}) => phase !== 'Succeeded' && (restartCount ?? 0) > 0 && JSON.stringify(conditions).includes('404'),
    );
    expect(status?.phase).not.toBe('Succeeded');
    await client.delete(DATA_VOLUME, {name: 'bad', namespace: name});
  }, 130_000);
});

/** Remote IPv4 addresses of this machine's TCP connections, whatever their state. */
function remoteAddresses(): string[] {
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const hex = line.trim().split(/\s+/)[2]?.split(':')[0];
      return hex === undefined || hex === '' ? [] : [Buffer.from(hex, 'hex').toReversed().join('.')];
    });
}

describe('simulated pods and Services', () => {
  const simulated = /^10\.(244|96)\./;

  test('have addresses that cannot be reached from here', async () => {
    if (state().network.mode !== 'local-route') return;
    for (const address of ['10.244.0.1', '10.244.200.7', '10.96.0.1']) {
      await expect(promisify(execFile)('ip', ['route', 'get', address])).rejects.toThrow(/unreachable|No route to host/);
    }
  });

  test('are dialled by nobody', () => {
    if (process.platform === 'linux') expect(remoteAddresses().filter((address) => simulated.test(address))).toEqual([]);
    // A dial that failed at once leaves no connection, but every program here logs it.
    for (const file of readdirSync(paths.log).filter((one) => one.endsWith('.log'))) {
      const lines = readFileSync(join(paths.log, file), 'utf8').split('\n');
      expect(lines.filter((line) => /dial tcp 10\.(244|96)\.|connect E\w+ 10\.(244|96)\./.test(line)).slice(0, 3)).toEqual([]);
    }
  });
});

describe('a second cluster beside this one', () => {
  const dir = mkdtempSync(join(tmpdir(), 'basalt-second-'));
  const second = clusterPaths(dir);
  const run = async (...args: string[]): Promise<string> => {
    const env = {...process.env, BASALT_CLUSTER_DIR: dir};
    return (await promisify(execFile)(process.execPath, [join(ROOT, 'hack/cluster/main.ts'), ...args], {env, timeout: 110_000})).stdout;
  };
  afterAll(async () => {
    if (existsSync(dir)) await run('down', '--purge');
    rmSync(dir, {recursive: true, force: true});
  });

  test('has ports and addresses of its own', async () => {
    expect(await run('up', '--tier', 'api')).toContain('Ready after');
    const [a, b] = [state(), readState(second.state) as ClusterState];
    expect(Object.values(b.ports).filter((port) => Object.values(a.ports).includes(port))).toEqual([]);
    expect(b.slot).not.toBe(a.slot);
    const other = createClient({
      kubeConfig: loadKubeConfig({path: second.adminKubeconfig}),
      userAgent: 'cluster-test',
      fieldManager: 'cluster-test',
    });
    expect((await other.raw('GET', '/version')).status).toBe(200);
    await other.close();
  }, 120_000);

  test('whose supervisor is killed is cleaned up by the next up', async () => {
    const before = readState(second.state) as ClusterState;
    signalProcess(before.supervisor as ProcessIdentity, 'SIGKILL');
    expect(await run('up', '--tier', 'api')).toContain('of a run that was killed');
    for (const {identity} of recordedProcesses(before)) expect(isAlive(identity)).toBe(false);
    expect(isAlive((readState(second.state) as ClusterState).supervisor)).toBe(true);
  }, 120_000);

  test('leaves no process and no file when it is purged, and this one alone', async () => {
    const before = readState(second.state) as ClusterState;
    await run('down', '--purge');
    for (const {identity} of recordedProcesses(before)) expect(isAlive(identity)).toBe(false);
    expect(isAlive(before.supervisor)).toBe(false);
    expect(existsSync(dir)).toBe(false);
    expect(isAlive(state().supervisor)).toBe(true);
  }, 60_000);
});
