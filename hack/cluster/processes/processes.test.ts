import {describe, expect, test} from '@jest/globals';
import {planNetwork} from '../network/plan.ts';
import {clusterPaths} from '../paths.ts';
import {choosePorts} from '../ports.ts';
import type {ClusterSettings} from '../state.ts';
import {apiserver, controllerManager, etcd, kwok, scheduler, type ProcessContext} from './control-plane.ts';
import {apiServer, imageServer, operator} from './programs.ts';
import {cdiApiserver, cdiController, hypervisor, podRunner, virtApi, virtController} from './virtualization.ts';

async function contextOf(slot: number, change: Partial<ClusterSettings> = {}): Promise<ProcessContext> {
  const ports = await choosePorts(slot, () => Promise.resolve(true));
  const network = planNetwork(slot, ports, {routes: true});
  return {
    paths: clusterPaths(`/cluster-${slot}`),
    settings: {
      version: 1,
      tier: 'full',
      light: false,
      programs: true,
      guests: 'qemu',
      canBoot: true,
      hosts: 4,
      slot,
      ports,
      network,
      bin: '/bin',
      ...change,
    },
  };
}

const options = {node: '/node', revision: 'r', logLevel: 'info'};
const allOf = (context: ProcessContext) => [
  etcd(context),
  apiserver(context),
  controllerManager(context),
  scheduler(context),
  kwok(context, 'r'),
  virtApi(context),
  virtController(context, 'v1'),
  cdiApiserver(context),
  cdiController(context),
  hypervisor(context, '/node', 'r', 'info'),
  podRunner(context, '/node', 'r', 'info'),
  operator(context, options),
  apiServer(context, options),
  imageServer(context, options),
];

/** `address:port` pairs that a command line listens on. */
function listeners(context: ProcessContext): string[] {
  const text = JSON.stringify(allOf(context));
  return [...text.matchAll(/(127\.0\.0\.1|10\.245\.\d+\.\d+):(\d+)/g)].map(([whole]) => whole);
}

test('two clusters have no address, port or file in common', async () => {
  const [a, b] = [await contextOf(0), await contextOf(1)];
  expect(listeners(a).filter((one) => listeners(b).includes(one))).toEqual([]);
  expect(JSON.stringify(allOf(b))).not.toContain('/cluster-0/');
});

test('everything listens on loopback or on the cluster’s own subnet', async () => {
  const context = await contextOf(2);
  for (const spec of allOf(context)) {
    expect(JSON.stringify([spec.args, spec.env])).not.toMatch(/0\.0\.0\.0|\[::\]/);
    for (const [, flag, value] of spec.args.join('\n').matchAll(/--(bind-address|listen|server-address|listen-client-urls)=(\S+)/g)) {
      expect(`${flag} ${value}`).toMatch(/ (https?:\/\/)?(127\.0\.0\.1|10\.245\.2\.)/);
    }
  }
});

test('a server stops after its clients', async () => {
  const stages = Object.fromEntries(allOf(await contextOf(0)).map((spec) => [spec.name, spec.stage]));
  expect(stages['etcd']).toBeLessThan(stages['kube-apiserver'] as number);
  for (const [name, stage] of Object.entries(stages)) {
    if (name !== 'etcd' && name !== 'kube-apiserver') expect(stage).toBeGreaterThan(stages['kube-apiserver'] as number);
  }
});

describe('kube-apiserver', () => {
  test('has the aggregation that virt-api and cdi-apiserver refuse to start without', async () => {
    const {args} = apiserver(await contextOf(0));
    expect(args).toEqual(expect.arrayContaining(['--enable-aggregator-routing=true', '--requestheader-allowed-names=front-proxy-client']));
    expect(args.join(' ')).not.toContain('disable-admission-plugins');
  });
  test('of the api tier waits for no ServiceAccount', async () => {
    const {args} = apiserver(await contextOf(0, {tier: 'api'}));
    expect(args).toContain('--disable-admission-plugins=ServiceAccount');
    expect(args.join(' ')).not.toContain('requestheader');
  });
});

test('our programs log in as the chart’s ServiceAccounts and find everything by environment', async () => {
  const context = await contextOf(0);
  expect(operator(context, options).env).toMatchObject({
    KUBECONFIG: '/cluster-0/pki/basalt-operator.kubeconfig',
    BASALT_NAMESPACE: 'basalt-system',
    BASALT_LEADER_ELECT: 'true',
  });
  expect(apiServer(context, options).env).toMatchObject({
    KUBECONFIG: '/cluster-0/pki/basalt-api-server.kubeconfig',
    BASALT_LISTEN: '127.0.0.1:20011',
    BASALT_REGION_NAME: 'default',
  });
});

test('CDI reads progress from addresses of pods that run as processes only', async () => {
  const context = await contextOf(5);
  expect(cdiController(context).env['WORKER_ADDRESS_PREFIX']).toBe('10.245.5.');
  const bare = planNetwork(5, context.settings.ports, {routes: false, ownAddress: '192.0.2.2'});
  expect(cdiController({...context, settings: {...context.settings, network: bare}}).env['WORKER_ADDRESS_PREFIX']).toBe('127.245.5.');
});

test.each([
  ['qemu', 'process/cdi-importer'],
  ['simulated', 'local/cdi-importer'],
] as const)('with guests=%s CDI’s importer is %s', async (guests, image) =>
  expect(cdiController(await contextOf(0, {guests})).env['IMPORTER_IMAGE']).toBe(image),
);

test.each([
  ['qemu', true, '/cluster-0/guests'],
  ['simulated', true, '/cluster-0/guests'],
  ['simulated', false, undefined],
] as const)('guests=%s, canBoot=%s: real guests of the hypervisor live in %s', async (guests, canBoot, folder) => {
  const {env} = hypervisor(await contextOf(0, {guests, canBoot}), '/node', 'r', 'info');
  expect([env['GUESTS'], env['HYPERVISOR_GUESTS_DIR']]).toEqual([guests, folder]);
});
