/** The pod runner as a kubelet: pods of any kind whose image names a program, here with commands of their own. */
import {randomUUID} from 'node:crypto';
import {existsSync, readFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {clusterPaths} from '../../hack/cluster/paths.ts';
import {RUNNER_POD} from '../../hack/cluster/podrunner/pod.ts';
import type {RunnerContainer, RunnerPod, Terminated} from '../../hack/cluster/podrunner/pod.ts';
import {podFolder} from '../../hack/cluster/podrunner/record.ts';
import {probeTcp} from '../../hack/cluster/probes.ts';
import type {KubeClient} from '../../kube/client.ts';
import {isNotFound} from '../../kube/errors.ts';
import {silentLogger} from '../../kube/log.ts';
import {loadKubeConfig} from '../../kube/pooled-kube-config.ts';
import {createClient} from '../../kube/transport.ts';
import {CONFIG_MAP, NAMESPACE, SECRET} from '../../kube/types.ts';
import {eventually} from '../lib/bytes-bench.ts';

const {KUBECONFIG = '', BASALT_CLUSTER_DIR = '.cluster', BASALT_GUESTS} = process.env;
const paths = clusterPaths(resolve(BASALT_CLUSTER_DIR));
const suite = BASALT_GUESTS === 'qemu' ? describe : describe.skip;

suite('pods as processes (needs GUESTS=qemu: where guests are simulated, no pod runs)', () => {
  const namespace = `pods-${randomUUID().slice(0, 6)}`;
  let client: KubeClient;

  const create = async (
    name: string,
    script: string,
    container: Partial<RunnerContainer> = {},
    spec: Partial<RunnerPod['spec']> = {},
  ): Promise<void> => {
    const pod: RunnerPod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {name, namespace, labels: {app: name}},
      spec: {
        restartPolicy: 'Never',
        containers: [{name: 'main', image: 'process/cdi-cloner', command: ['/bin/sh', '-c', script], ...container}],
        ...spec,
      },
    };
    await client.create(RUNNER_POD, pod);
  };
  const until = (name: string, want: (pod: RunnerPod) => boolean): Promise<RunnerPod> =>
    eventually(`pod ${name}`, async (note) => {
      const pod = await client.get(RUNNER_POD, {namespace, name});
      note(JSON.stringify(pod.status));
      return want(pod) ? pod : undefined;
    });
  const over = async (name: string): Promise<{readonly pod: RunnerPod; readonly end: Terminated}> => {
    const pod = await until(name, ({status}) => status?.phase === 'Succeeded' || status?.phase === 'Failed');
    const state = pod.status?.containerStatuses?.[0]?.state;
    if (state === undefined || !('terminated' in state)) throw new Error(`pod ${name} has no end`);
    return {pod, end: state.terminated};
  };
  const logOf = (name: string): string => readFileSync(join(paths.log, 'pods', `${namespace}_${name}_main.log`), 'utf8');
  const running = ({status}: RunnerPod): boolean => status?.containerStatuses?.[0]?.ready === true;

  beforeAll(async () => {
    client = createClient({
      kubeConfig: loadKubeConfig({path: KUBECONFIG}),
      userAgent: 'pods-test',
      fieldManager: 'pods-test',
      log: silentLogger,
    });
    await client.create(NAMESPACE, {apiVersion: 'v1', kind: 'Namespace', metadata: {name: namespace}});
    await client.create(CONFIG_MAP, {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'm', namespace}, data: {conf: 'x=1'}});
    // Pods are refused until the namespace has its ServiceAccount.
    await eventually('ServiceAccount default', async () => {
      const answer = await client.raw('GET', `/api/v1/namespaces/${namespace}/serviceaccounts/default`, {acceptErrors: true});
      return answer.status === 200 ? true : undefined;
    });
  }, 90_000);

  afterAll(async () => {
    await client.delete(NAMESPACE, {name: namespace});
    await client.close();
  }, 30_000);

  test('a pod has its own environment, files, names and address, and waits for what is not there yet', async () => {
    const script = [
      'echo "$PLAIN $FROM_SECRET $FROM_MAP $NAME"',
      'cat /files/key /maps/conf /down/app; echo',
      'test -s /var/run/secrets/kubernetes.io/serviceaccount/token && echo token',
      'grep -c "$ADDRESS $NAME" /etc/hosts',
      'hostname; ps ax 2>/dev/null | wc -l; touch /files/x 2>/dev/null || echo read-only; env | grep -c BASALT',
      'printf "last words" > /dev/termination-log',
    ].join('\n');
    const env = [
      {name: 'PLAIN', value: 'plain'},
      {name: 'FROM_SECRET', valueFrom: {secretKeyRef: {name: 'late', key: 'key'}}},
      {name: 'FROM_MAP', valueFrom: {configMapKeyRef: {name: 'm', key: 'conf'}}},
      {name: 'NAME', valueFrom: {fieldRef: {fieldPath: 'metadata.name'}}},
      {name: 'ADDRESS', valueFrom: {fieldRef: {fieldPath: 'status.podIP'}}},
    ];
    const volumeMounts = ['files', 'maps', 'down'].map((name) => ({name, mountPath: `/${name}`}));
    const volumes = [
      {name: 'files', secret: {secretName: 'late'}},
      {name: 'maps', configMap: {name: 'm'}},
      {name: 'down', downwardAPI: {items: [{path: 'app', fieldRef: {fieldPath: "metadata.labels['app']"}}]}},
    ];
    await create('all', script, {env, volumeMounts}, {volumes});
    const waiting = await until('all', ({status}) => 'waiting' in (status?.containerStatuses?.[0]?.state ?? {}));
    expect(JSON.stringify(waiting.status)).toContain('secret \\"late\\" not found');
    await client.create(SECRET, {apiVersion: 'v1', kind: 'Secret', metadata: {name: 'late', namespace}, stringData: {key: 'sesame'}});
    const {pod, end} = await over('all');
    expect(end).toMatchObject({exitCode: 0, reason: 'Completed', message: 'last words'});
    expect(pod.status?.podIP).not.toMatch(/^10\.244\./);
    expect(logOf('all').split('\n')).toEqual(
      expect.arrayContaining(['plain sesame x=1 all', 'sesamex=1all', 'token', '1', 'all', 'read-only', '0']),
    );
  }, 90_000);

  test('a pod that fails is started again, keeps its emptyDir, and shows how it ended before', async () => {
    const script = 'echo run >> /keep/runs; test $(wc -l < /keep/runs) -ge 3 || { echo "no luck" >&2; exit 7; }';
    const container = {
      volumeMounts: [{name: 'keep', mountPath: '/keep'}],
      terminationMessagePolicy: 'FallbackToLogsOnError' as const,
    };
    await create('again', script, container, {restartPolicy: 'OnFailure', volumes: [{name: 'keep', emptyDir: {}}]});
    const {pod, end} = await over('again');
    expect(end.exitCode).toBe(0);
    expect(pod.status?.containerStatuses?.[0]).toMatchObject({
      restartCount: 2,
      lastState: {terminated: {exitCode: 7, reason: 'Error', message: 'no luck'}},
    });
  }, 90_000);

  test('a pod may take its grace when it is deleted, and no more', async () => {
    const polite = 'trap "echo thanks; exit 0" TERM; while :; do sleep 0.1; done';
    await create('polite', polite);
    await create('stubborn', 'trap "" TERM; while :; do sleep 0.1; done', {}, {terminationGracePeriodSeconds: 2});
    for (const name of ['polite', 'stubborn']) {
      const {metadata} = await until(name, running);
      const began = performance.now();
      await client.delete(RUNNER_POD, {namespace, name});
      await eventually(`${name} gone`, async () => {
        try {
          await client.get(RUNNER_POD, {namespace, name});
          return undefined;
        } catch (error) {
          if (isNotFound(error)) return true;
          throw error;
        }
      });
      const seconds = (performance.now() - began) / 1000;
      if (name === 'stubborn') expect(seconds).toBeGreaterThanOrEqual(2);
      expect(seconds).toBeLessThan(10);
      await eventually('its folder gone', async () => (existsSync(podFolder(paths.pods, metadata.uid ?? '')) ? undefined : true));
    }
    expect(logOf('polite')).toBe('thanks\n');
  }, 90_000);

  test('a pod past its deadline has failed', async () => {
    await create('late', 'sleep 60', {}, {activeDeadlineSeconds: 2, terminationGracePeriodSeconds: 1});
    const {pod} = await over('late');
    expect(pod.status).toMatchObject({phase: 'Failed', reason: 'DeadlineExceeded'});
  }, 90_000);

  test('a pod is ready when its probe says so, at its own address', async () => {
    const serve =
      "sleep 1; exec perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(LocalAddr => $ENV{POD_IP}, LocalPort => 8443, Listen => 5, ReuseAddr => 1) or die; while (my $c = $s->accept) { close $c }'";
    await create('server', serve, {readinessProbe: {tcpSocket: {port: 8443}}});
    const before = await until('server', ({status}) => 'running' in (status?.containerStatuses?.[0]?.state ?? {}));
    expect(running(before)).toBe(false);
    const {status} = await until('server', running);
    expect(await probeTcp(status?.podIP ?? '', 8443)).toBeUndefined();
  }, 90_000);

  test('what the runner cannot honour fails at once, in words', async () => {
    await create('unknown', 'true', {image: 'process/nginx'});
    const {pod, end} = await over('unknown');
    expect(pod.status).toMatchObject({phase: 'Failed', reason: 'UnsupportedPod'});
    expect(end.message).toContain('no program is known for image process/nginx');
  }, 90_000);
});
