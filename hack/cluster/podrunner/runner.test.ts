/** The runner against an API server, with processes that a test ends. */
import {mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {systemClock} from '../../../kube/clock.ts';
import type {Clock} from '../../../kube/clock.ts';
import {silentLogger} from '../../../kube/log.ts';
import {createInformer} from '../../../kube/reflector.ts';
import {startFakeApiServer} from '../../../kube/testing/fake-api-server.ts';
import type {FakeApiServer} from '../../../kube/testing/fake-api-server.ts';
import {until} from '../../../kube/testing/until.ts';
import type {KubeClient} from '../../../kube/client.ts';
import type {HostPower} from '../hypervisor/host-power.ts';
import {AddressPool} from './addresses.ts';
import {RUNNER_POD} from './pod.ts';
import type {RunnerPod} from './pod.ts';
import {createPodWriter} from './pod-writer.ts';
import type {ContainerProcesses, ProcessEnd, ProcessRecord} from './process.ts';
import {createReader} from './reader.ts';
import {writeRecord} from './record.ts';
import {startRunner} from './runner.ts';
import type {Runner} from './runner.ts';
import {podOf} from './testing/pods.ts';

const REF = {namespace: 'ns', name: 'p'};
const keeper = {pid: 1, startTime: 's'};
/** Back-offs are not what is tested here. */
const hasty: Clock = {...systemClock, sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 2), signal)};

/** Processes of a pod's folder: they run until a test ends them. */
class FakeProcesses implements ContainerProcesses {
  starts = 0;
  stops = 0;
  running = false;
  #ended: ProcessEnd | undefined;

  exit(exitCode: number): void {
    this.#ended = {exitCode, atMs: systemClock.now()};
    this.running = false;
  }
  async start(_sandbox: object, startedAt: string, saved: (record: ProcessRecord) => void): Promise<void> {
    this.starts++;
    this.running = true;
    this.#ended = undefined;
    saved({keeper, startedAt, logBytes: 0});
  }
  end(): ProcessEnd | undefined {
    return this.#ended ?? (this.running ? undefined : {exitCode: 137, atMs: systemClock.now(), lost: 'lost'});
  }
  async untilEnd(_record: ProcessRecord, signal: AbortSignal): Promise<ProcessEnd> {
    for (let ended = this.end(); ; ended = this.end()) {
      if (ended !== undefined) return ended;
      await systemClock.sleep(2, signal);
    }
  }
  async stop(): Promise<ProcessEnd> {
    this.stops++;
    this.exit(143);
    return {exitCode: 143, atMs: systemClock.now()};
  }
  lastWords(): string {
    return '';
  }
}

let api: FakeApiServer;
let client: KubeClient;
let folder: string;
let stop: AbortController;
let runner: Runner | undefined;
let processes: FakeProcesses;
let off: Set<string>;
let powerChanged: (node: string) => void;

beforeEach(async () => {
  api = await startFakeApiServer();
  client = api.client();
  folder = mkdtempSync(join(tmpdir(), 'podrunner-'));
  stop = new AbortController();
  processes = new FakeProcesses();
  off = new Set();
});
afterEach(async () => {
  await runner?.stop();
  runner = undefined;
  stop.abort(new Error('the test is over'));
  await client.close();
  await api.close();
  rmSync(folder, {recursive: true, force: true});
});

async function start(): Promise<void> {
  const pods = createInformer({client, type: RUNNER_POD, clock: systemClock, log: silentLogger});
  pods.start(stop.signal);
  await pods.waitForSync(stop.signal);
  const power: HostPower = {
    isOff: (name) => off.has(name ?? ''),
    hasOutlived: () => false,
    onChange: (listener) => {
      powerChanged = listener;
      return () => undefined;
    },
  };
  runner = startRunner(pods, power, {
    writer: createPodWriter({client, pods, clock: hasty, log: silentLogger}),
    programs: new Map([['x', {command: ['/x'], binds: []}]]),
    addresses: new AddressPool('10.1.1.'),
    hostAddress: '10.0.0.1',
    root: join(folder, 'pods'),
    logs: join(folder, 'logs'),
    environment: {},
    reader: (pod) => createReader(client, pods, pod, stop.signal),
    processes: () => processes,
    clock: hasty,
    log: silentLogger,
  });
}

const seen = (): RunnerPod | undefined => api.object(RUNNER_POD, REF);
const phase = (): string | undefined => seen()?.status?.phase;
const records = (): string[] => readdirSync(join(folder, 'pods'));
const markDeleted = (): void => {
  const pod = seen() as RunnerPod;
  api.put(RUNNER_POD, {...pod, metadata: {...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 1}});
};

test('a pod is run once it has its host, and nothing of it stays when it is over', async () => {
  api.put(RUNNER_POD, podOf({}, {spec: {restartPolicy: 'Never', nodeName: undefined}}));
  await start();
  await until('the pod is seen', () => api.requests.some(({path}) => path.includes('pods')));
  expect(processes.starts).toBe(0);
  api.put(RUNNER_POD, podOf({}, {spec: {restartPolicy: 'Never'}}));
  await until('running', () => phase() === 'Running');
  expect(seen()?.status).toMatchObject({podIP: '10.1.1.100', hostIP: '10.0.0.1'});
  expect(records()).toEqual(['u1']);
  processes.exit(0);
  await until('over', () => phase() === 'Succeeded');
  await until('no record', () => records().length === 0);
  expect([processes.starts, runner?.size]).toEqual([1, 0]);
});

test('a pod of another image is left alone', async () => {
  api.put(RUNNER_POD, podOf({image: 'nginx'}));
  await start();
  expect(runner?.size).toBe(0);
});

test('a deleted pod is ended and taken away', async () => {
  api.put(RUNNER_POD, podOf());
  await start();
  await until('running', () => phase() === 'Running');
  markDeleted();
  await until('gone', () => seen() === undefined);
  expect(processes.stops).toBe(1);
  await until('no record', () => records().length === 0);
});

test('a pod that was deleted when it was over is taken away, without being run', async () => {
  api.put(RUNNER_POD, podOf({}, {status: {phase: 'Succeeded'}}));
  markDeleted();
  await start();
  await until('gone', () => seen() === undefined);
  expect(processes.starts).toBe(0);
});

test('a process whose pod is taken away under it is ended', async () => {
  api.put(RUNNER_POD, podOf());
  await start();
  await until('running', () => processes.running);
  api.remove(RUNNER_POD, REF);
  await until('ended', () => !processes.running);
});

test('what cannot be honoured fails with its reason', async () => {
  api.put(RUNNER_POD, podOf({image: 'process/y'}));
  await start();
  await until('failed', () => phase() === 'Failed');
  expect(seen()?.status).toMatchObject({reason: 'UnsupportedPod'});
});

describe('after a restart', () => {
  const record = {uid: 'u1', namespace: 'ns', name: 'p', address: '10.1.1.107', since: '2026-01-01T00:00:00Z', restarts: 3};
  const process = {keeper, startedAt: '2026-01-01T00:00:00Z', logBytes: 0};

  test('a running process goes on, under its address', async () => {
    writeRecord(join(folder, 'pods'), {...record, process});
    processes.running = true;
    api.put(RUNNER_POD, podOf());
    await start();
    await until('told', () => phase() === 'Running');
    expect(seen()?.status).toMatchObject({podIP: '10.1.1.107', containerStatuses: [{restartCount: 3}]});
    expect(processes.starts).toBe(0);
  });

  test('a stopped runner leaves its processes to the next one', async () => {
    api.put(RUNNER_POD, podOf());
    await start();
    await until('running', () => phase() === 'Running');
    await runner?.stop();
    expect([processes.running, processes.stops]).toEqual([true, 0]);
    await start();
    processes.exit(0);
    await until('restarted', () => processes.starts === 2);
  });

  test('a process whose pod is gone is ended', async () => {
    writeRecord(join(folder, 'pods'), {...record, process});
    processes.running = true;
    await start();
    await until('ended', () => !processes.running);
    await until('no record', () => records().length === 0);
  });

  test('a pod that is said to run, of which nothing is known, is told lost and started again', async () => {
    const state = {running: {startedAt: '2026-01-01T00:00:00Z'}};
    const containerStatuses = [{name: 'c', image: 'process/x', imageID: '', ready: true, started: true, restartCount: 1, state}];
    api.put(RUNNER_POD, podOf({}, {status: {phase: 'Running', containerStatuses}}));
    await start();
    await until('started again', () => processes.starts === 1);
    expect(seen()?.status?.containerStatuses?.[0]).toMatchObject({restartCount: 2, lastState: {terminated: {exitCode: 137}}});
  });
});

test('a host without power takes its pods with it and says nothing; with power they are started again', async () => {
  api.put(RUNNER_POD, podOf());
  await start();
  await until('running', () => phase() === 'Running');
  off.add('n1');
  powerChanged('n1');
  await until('ended', () => processes.stops === 1);
  await until('no life', () => runner?.size === 0);
  expect(phase()).toBe('Running');
  off.delete('n1');
  powerChanged('n1');
  await until('started again', () => processes.starts === 2);
});
