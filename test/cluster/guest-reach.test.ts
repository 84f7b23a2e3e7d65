/**
 * Where this machine reaches real guests: on a public network whose range is this cluster's alone, so that both ways are seen, that with routes
 * and that without. Two guests are started once: one from an image, one from a drive, which has no seed and asks DHCP.
 */
import {resolve} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {KEY_PAIR, NETWORK, SERVER} from '../../crds/index.ts';
import type {KeyPair, Network, Server} from '../../crds/index.ts';
import {loopbackFor, PORTS_ANNOTATION} from '../../hack/cluster/hypervisor/net/forwards.ts';
import {addressNumber} from '../../hack/cluster/hypervisor/net/ipv4.ts';
import {parseReach, REACH_ANNOTATION} from '../../hack/cluster/hypervisor/net/reach.ts';
import {commandFinder} from '../../hack/cluster/images/requirements.ts';
import {clusterPaths} from '../../hack/cluster/paths.ts';
import {readState} from '../../hack/cluster/state.ts';
import {waitFor} from '../../hack/cluster/waiting.ts';
import {isNotFound} from '../../kube/errors.ts';
import {GuestShell} from '../lib/guest-shell.ts';
import {HOME, ServerBench} from '../lib/server-bench.ts';

const {KUBECONFIG = '', BASALT_CLUSTER_DIR = '.cluster', BASALT_GUESTS} = process.env;
const has = commandFinder(process.env);
const suite = BASALT_GUESTS === 'qemu' && has('ssh') && has('ssh-keygen') ? describe : describe.skip;

const apiVersion = 'basalt.dev/v1alpha1';
const [SEEDED, SEEDLESS, RANGE, KEY] = ['reach-seeded', 'reach-seedless', 'reach-range', 'reach-key'] as const;
const IMAGE = {namespace: 'basalt-system', name: 'tiny'};
const MORE_PORT = 8_080;

suite('reach of guests (needs GUESTS=qemu, where guests are real, and an ssh client)', () => {
  const state = readState(clusterPaths(resolve(BASALT_CLUSTER_DIR)).state);
  const slot = state?.slot ?? 0;
  const isRouted = state?.network.mode === 'local-route';
  const gateway = `10.203.${slot}.1`;
  let bench: ServerBench;
  let shell: GuestShell;

  const server = (name: string, spec: Partial<Server['spec']>): Promise<Server> =>
    bench.client.create(SERVER, {
      apiVersion,
      kind: 'Server',
      metadata: {name, namespace: HOME, annotations: {[PORTS_ANNOTATION]: String(MORE_PORT)}},
      spec: {name, cpu: {cores: 1}, memoryMiB: 128, nics: [{index: 0, network: {name: RANGE}}], ...spec},
    } as unknown as Server);
  const annotation = async (name: string): Promise<string | undefined> =>
    (await bench.find(SERVER, name))?.metadata.annotations?.[REACH_ANNOTATION];
  const addressOf = async (name: string): Promise<string> => (await bench.find(SERVER, name))?.status?.nics?.[0]?.address ?? 'none';

  beforeAll(async () => {
    bench = new ServerBench(KUBECONFIG);
    shell = await GuestShell.create(bench);
    const metadata = {name: KEY, namespace: HOME};
    await bench.client.create(KEY_PAIR, {apiVersion, kind: 'KeyPair', metadata, spec: {name: KEY, publicKey: shell.publicKey}} as KeyPair);
    await bench.client.create(NETWORK, {
      apiVersion,
      kind: 'Network',
      metadata: {name: RANGE, namespace: HOME},
      spec: {name: RANGE, type: 'Public', cidr: `10.203.${slot}.0/24`, gateway, nameservers: ['192.0.2.53']},
    } as Network);
    await bench.drive(SEEDLESS, {source: {image: IMAGE}});
    await server(SEEDED, {image: IMAGE, keyPairs: [KEY]});
    await server(SEEDLESS, {disks: [{slot: 'block:0', drive: SEEDLESS}]});
    await shell.ready(SEEDED);
    await bench.serverIs(SEEDLESS, 'ACTIVE');
  }, 240_000);

  afterAll(async () => {
    const remove = (work: Promise<void>): Promise<void> =>
      work.catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)));
    for (const name of [SEEDED, SEEDLESS]) await remove(bench.delete(SERVER, name));
    for (const name of [SEEDED, SEEDLESS]) await bench.gone(SERVER, name);
    await remove(bench.delete(NETWORK, RANGE));
    await remove(bench.delete(KEY_PAIR, KEY));
    shell.close();
    await bench.close(); // the drive
  }, 180_000);

  test(`the leased address answers itself where routes may be added, else a loopback one (here: ${isRouted ? 'itself' : 'loopback'})`, async () => {
    const address = await addressOf(SEEDED);
    const host = isRouted ? address : loopbackFor(addressNumber(address) ?? 0, slot);
    const places = parseReach(await annotation(SEEDED));
    expect([...places.keys()]).toEqual(['ssh', 'http', 'https', `tcp-${MORE_PORT}`]);
    expect(new Set([...places.values()].map((place) => place.host))).toEqual(new Set([host]));
    // Whoever dials from this machine is the gateway to the guest: it takes no packet from its own address.
    expect(await shell.run(SEEDED, 'hostname; echo $SSH_CONNECTION')).toMatch(new RegExp(`^${SEEDED}\n${gateway} \\d+ ${address} 22$`));
  }, 60_000);

  test('a port that the server’s annotation names is open too', async () => {
    await shell.run(SEEDED, `mkdir -p /tmp/more; echo more > /tmp/more/index.html; httpd -p ${MORE_PORT} -h /tmp/more`);
    const {host, port} = await shell.placeOf(SEEDED, `tcp-${MORE_PORT}`);
    expect(await (await fetch(`http://${host}:${port}/`, {signal: AbortSignal.timeout(10_000)})).text()).toBe('more\n');
  }, 60_000);

  test('a server of a drive, without a seed, has its leased address by DHCP and is reached there', async () => {
    const {host, port} = await shell.placeOf(SEEDLESS, 'http');
    const answers = async (): Promise<string | undefined> => {
      try {
        const {status} = await fetch(`http://${host}:${port}/`, {signal: AbortSignal.timeout(5_000)});
        return status === 200 ? undefined : `status ${status}`;
      } catch (error) {
        return (error as Error).message;
      }
    };
    await waitFor(answers, {what: `a page from ${SEEDLESS}`, deadlineMs: 90_000, intervalMs: 500});
    expect(await shell.run(SEEDED, `ping -c 2 -W 5 ${await addressOf(SEEDLESS)}`)).toContain('2 packets received');
  }, 120_000);

  test('a server that is stopped is reached nowhere, says so, and is reached at the same place when it runs again', async () => {
    const {host, port} = await shell.placeOf(SEEDED, 'ssh');
    const before = await annotation(SEEDED);
    await bench.patch(SEEDED, {powerState: 'Stopped'});
    await bench.serverIs(SEEDED, 'STOPPED');
    await bench.until(SERVER, SEEDED, (seen) => seen?.metadata.annotations?.[REACH_ANNOTATION] === undefined);
    await expect(fetch(`http://${host}:${port}/`)).rejects.toThrow('fetch failed');
    await bench.patch(SEEDED, {powerState: 'Running'});
    await shell.ready(SEEDED);
    expect(await annotation(SEEDED)).toBe(before);
  }, 180_000);
});
