/** The hypervisor against KubeVirt's own virt-api and virt-controller: every way in which a guest comes to life, moves and ends. */
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {resolve} from 'node:path';
import {clusterPaths} from '../../hack/cluster/paths.ts';
import {readState} from '../../hack/cluster/state.ts';
import {createHypervisorBench} from '../lib/hypervisor-bench.ts';
import type {HypervisorBench} from '../lib/hypervisor-bench.ts';

const {KUBECONFIG, BASALT_CLUSTER_DIR = '.cluster'} = process.env;
const paths = clusterPaths(resolve(BASALT_CLUSTER_DIR));
const state = readState(paths.state);
const suite = KUBECONFIG === undefined || state?.light === true ? describe.skip : describe;

suite('hypervisor (needs the full cluster)', () => {
  let bench: HypervisorBench;
  beforeAll(async () => {
    bench = await createHypervisorBench(KUBECONFIG ?? '');
  }, 30_000);
  afterAll(async () => {
    await bench.close();
  }, 30_000);

  test('a VM comes to run and says all that is known of its guest', async () => {
    const {vmi, vm} = await bench.start('a1');
    expect(vm.status).toMatchObject({ready: true, created: true, printableStatus: 'Running'});
    expect(vmi.status).toMatchObject({phase: 'Running', migrationMethod: 'LiveMigration', guestOSInfo: {id: 'debian'}});
    expect(vmi.status?.interfaces).toMatchObject([{name: 'nic0', mac: '52:54:00:00:00:01', ipAddress: '198.51.100.7'}]);
    expect(bench.conditions(vmi)).toMatchObject({
      Ready: 'True',
      LiveMigratable: 'True',
      StorageLiveMigratable: 'True',
      AgentConnected: 'True',
    });
  });

  test('guestosinfo, userlist and filesystemlist answer', async () => {
    expect(await bench.get('a1', 'guestosinfo')).toMatchObject({hostname: 'a1', os: {id: 'debian'}});
    expect(await bench.get('a1', 'userlist')).toMatchObject({items: []});
    expect(await bench.get('a1', 'filesystemlist')).toMatchObject({items: []});
  });

  test('pause and unpause show in the condition as soon as they have answered', async () => {
    await bench.put('a1', 'pause');
    expect(bench.conditions(await bench.vmi('a1'))).toMatchObject({Paused: 'True'});
    await bench.waitForVm('a1', (vm) => vm?.status?.printableStatus === 'Paused');
    await expect(bench.put('a1', 'pause')).rejects.toMatchObject({status: 409});
    await bench.put('a1', 'unpause');
    expect(bench.conditions(await bench.vmi('a1'))).not.toHaveProperty('Paused');
    await bench.waitForVm('a1', (vm) => vm?.status?.printableStatus === 'Running');
  });

  test('softreboot and reset keep the VMI', async () => {
    const before = await bench.vmi('a1');
    await bench.put('a1', 'softreboot');
    await bench.put('a1', 'reset');
    const after = await bench.vmi('a1');
    expect(after).toMatchObject({metadata: {uid: before.metadata.uid}, status: {phase: 'Running'}});
  });

  test('a verb that is not simulated says so', async () => {
    await expect(bench.put('a1', 'freeze')).rejects.toThrow(/freeze is not available for simulated guests/);
  });

  test('two migrations back to back, and back to the first node', async () => {
    const nodes = [(await bench.vmi('a1')).status?.nodeName];
    for (const name of ['m1', 'm2']) {
      await bench.migrate('a1', name);
      const vmi = await bench.waitForVmi('a1', (seen) => seen?.status?.migrationState?.completed === true);
      expect(vmi?.metadata.labels?.['kubevirt.io/nodeName']).toBe(vmi?.status?.nodeName);
      expect(vmi?.status?.migrationState?.failed ?? false).toBe(false);
      nodes.push(vmi?.status?.nodeName);
    }
    expect(nodes[1]).not.toBe(nodes[0]);
    expect(nodes[2]).not.toBe(nodes[1]);
    await bench.waitForPods('a1', (pods) => pods.filter((pod) => pod.status?.phase === 'Running').length === 1);
  }, 60_000);

  test('a cancelled migration leaves the guest where it is', async () => {
    const before = (await bench.vmi('a1')).status?.nodeName;
    await bench.annotate('a1', 'sim.basalt.dev/migration-seconds', '60');
    await bench.createMigration('a1', 'm3');
    await bench.waitForVmi(
      'a1',
      (vmi) => vmi?.status?.migrationState?.startTimestamp !== undefined && vmi.status.migrationState.completed !== true,
    );
    await bench.deleteMigration('m3');
    const vmi = await bench.waitForVmi('a1', (seen) => seen?.status?.migrationState?.completed === true);
    await bench.annotate('a1', 'sim.basalt.dev/migration-seconds', '');
    expect(vmi?.status).toMatchObject({phase: 'Running', nodeName: before, migrationState: {failed: true, abortStatus: 'Succeeded'}});
    await bench.waitForPods('a1', (pods) => pods.filter((pod) => pod.status?.phase === 'Running').length === 1);
  }, 60_000);

  test('the eviction of its pod turns into a migration', async () => {
    const before = await bench.vmi('a1');
    const pod = await bench.launcher('a1');
    await bench.evict(pod.metadata.name);
    const after = await bench.waitForVmi('a1', (vmi) => vmi?.status?.nodeName !== before.status?.nodeName);
    expect(after?.metadata.uid).toBe(before.metadata.uid);
    expect(after?.status?.['evacuationNodeName'] ?? '').toBe('');
  }, 60_000);

  test('Halted ends it by the power button; RerunOnFailure starts it again', async () => {
    const {uid} = (await bench.vmi('a1')).metadata;
    const phases = bench.recordPhases();
    await bench.setRunStrategy('a1', 'Halted');
    await bench.waitForVmi('a1', (vmi) => vmi === undefined);
    await bench.waitForVm('a1', (vm) => vm?.status?.printableStatus === 'Stopped' && vm.status.runStrategy === 'Halted');
    await bench.waitForPods('a1', (pods) => pods.length === 0);
    expect((await phases.stop()).get(uid ?? '')).toContain('Succeeded');
    await bench.setRunStrategy('a1', 'RerunOnFailure');
    const again = await bench.waitForVmi('a1', (vmi) => vmi?.status?.phase === 'Running');
    expect(again?.metadata.uid).not.toBe(uid);
  }, 60_000);

  test('a guest that switches itself off stays off', async () => {
    await bench.annotate('a1', 'sim.basalt.dev/guest-exit', 'Succeeded');
    await bench.waitForVmi('a1', (vmi) => vmi === undefined);
    await bench.waitForVm('a1', (vm) => vm?.status?.printableStatus === 'Stopped');
    await bench.setRunStrategy('a1', 'Halted');
    await bench.waitForVm('a1', (vm) => vm?.status?.runStrategy === 'Halted');
    await bench.setRunStrategy('a1', 'RerunOnFailure');
    await bench.waitForVmi('a1', (vmi) => vmi?.status?.phase === 'Running');
  }, 60_000);

  test('a guest that crashes is started again', async () => {
    const {uid} = (await bench.vmi('a1')).metadata;
    await bench.annotate('a1', 'sim.basalt.dev/guest-exit', 'Failed');
    await bench.waitForVmi('a1', (vmi) => vmi?.status?.phase === 'Running' && vmi.metadata.uid !== uid);
  }, 60_000);

  test('a paused guest ignores the power button and is killed when its grace is cut', async () => {
    await bench.start('a2');
    await bench.put('a2', 'pause');
    await bench.setRunStrategy('a2', 'Halted');
    await bench.waitForVmi('a2', (vmi) => vmi?.metadata.deletionTimestamp !== undefined);
    await bench.stopVm('a2', 0);
    await bench.waitForVmi('a2', (vmi) => vmi === undefined);
    await bench.waitForVm('a2', (vm) => vm?.status?.printableStatus === 'Stopped');
  }, 60_000);

  (state === undefined ? test.skip : test)(
    'killed and restarted, the hypervisor finds its guests again',
    async () => {
      const pid = (): number | undefined => readState(paths.state)?.processes['hypervisor']?.pid;
      const [before, first] = [await bench.vmi('a1'), pid()];
      if (first === undefined) throw new Error('the hypervisor does not run');
      process.kill(first, 'SIGKILL');
      await bench.eventually('a new hypervisor', () => pid() !== undefined && pid() !== first);
      const phases = bench.recordPhases();
      await bench.setRunStrategy('a1', 'Halted');
      await bench.waitForVmi('a1', (vmi) => vmi === undefined);
      expect((await phases.stop()).get(before.metadata.uid ?? '')).toContain('Succeeded');
    },
    60_000,
  );

  test('twenty VMs deleted at once: none ends Failed, nothing is left', async () => {
    const names = Array.from({length: 20}, (_, index) => `many-${index}`);
    await Promise.all(names.map((name) => bench.start(name)));
    const phases = bench.recordPhases();
    await Promise.all(names.map((name) => bench.deleteVm(name)));
    await Promise.all(names.map((name) => bench.waitForVmi(name, (vmi) => vmi === undefined)));
    await Promise.all(names.map((name) => bench.waitForPods(name, (pods) => pods.length === 0)));
    const seen = [...(await phases.stop()).values()];
    expect(seen.filter((list) => list.includes('Failed'))).toEqual([]);
    expect(seen.filter((list) => list.includes('Succeeded')).length).toBeGreaterThanOrEqual(20);
  }, 120_000);

  test('deleting the namespace ends its guests, although pods go first', async () => {
    const other = await createHypervisorBench(KUBECONFIG ?? '');
    try {
      await other.start('b1');
    } finally {
      await other.close();
    }
    await other.waitForNamespaceGone();
  }, 90_000);
});
