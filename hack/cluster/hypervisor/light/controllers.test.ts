import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {silentLogger} from '../../../../kube/log.ts';
import {NODE, PERSISTENT_VOLUME_CLAIM} from '../../../../kube/types.ts';
import {openBench} from '../testing/bench.ts';
import type {TestBench} from '../testing/bench.ts';
import {vm} from '../testing/objects.ts';
import {DATA_SOURCE, DATA_VOLUME, VM, VMI} from '../types.ts';
import type {DataVolume, VirtualMachine, Vmi} from '../types.ts';
import {startDataVolumeController} from './data-volume-controller.ts';
import {startVmController} from './vm-controller.ts';

let bench: TestBench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(async () => {
  await bench.close();
});

describe('VMs in light mode', () => {
  const REF = {namespace: 'ns', name: 'vm1'};
  const machine = (): VirtualMachine | undefined => bench.api.object(VM, REF);
  const instance = (): Vmi | undefined => bench.api.object(VMI, REF);
  const shows = (status: string) => (): boolean => machine()?.status?.printableStatus === status;
  const set = async (runStrategy: string): Promise<void> => {
    await bench.client.mergePatch(VM, REF, {spec: {runStrategy}});
  };

  async function start(): Promise<void> {
    bench.api.put(NODE, {apiVersion: 'v1', kind: 'Node', metadata: {name: 'bm-000', labels: {region: 'r1'}}});
    const [vms, nodes] = [await bench.informer(VM), await bench.informer(NODE)];
    await bench.lifeCycle();
    const controller = startVmController({
      vms,
      vmis: bench.vmis,
      nodes,
      client: bench.client,
      clock: bench.clock,
      log: silentLogger,
      workers: 4,
    });
    bench.onClose(() => controller.stop());
  }

  test('create: the running VMI, the VM status; two writes and then none', async () => {
    await start();
    const interfaces = [{name: 'nic0', bridge: {}, macAddress: '02:00:00:00:00:01'}];
    bench.api.put(VM, vm({template: {spec: {domain: {devices: {interfaces}}}}}));
    await bench.until('running', shows('Running'));
    expect(instance()?.status).toMatchObject({phase: 'Running', nodeName: 'bm-000'});
    expect(machine()?.status).toMatchObject({created: true, ready: true, runStrategy: 'RerunOnFailure'});
    bench.clock.advance(3_600_000);
    await bench.rest();
    expect(bench.api.writes).toBe(2);
  });

  test('Halted takes the VMI away, RerunOnFailure brings another', async () => {
    await start();
    bench.api.put(VM, vm());
    await bench.until('running', shows('Running'));
    const uid = instance()?.metadata.uid;
    await set('Halted');
    await bench.until('stopped', () => shows('Stopped')() && instance() === undefined);
    expect(machine()?.status).toMatchObject({runStrategy: 'Halted', created: false, ready: false});
    await set('RerunOnFailure');
    await bench.until('running again', shows('Running'));
    expect(instance()?.metadata.uid).not.toBe(uid);
  });

  test('a guest that switches itself off stays off; one that crashes comes back', async () => {
    await start();
    bench.api.put(VM, vm());
    await bench.until('running', shows('Running'));
    const uid = instance()?.metadata.uid;
    await bench.client.mergePatch(VMI, REF, {metadata: {annotations: {'sim.basalt.dev/guest-exit': 'Failed'}}});
    await bench.until('back', () => instance()?.metadata.uid !== uid && instance()?.status?.phase === 'Running' && shows('Running')());
    expect(machine()?.status?.stateChangeRequests).toEqual([]);
    await bench.client.mergePatch(VMI, REF, {metadata: {annotations: {'sim.basalt.dev/guest-exit': 'Succeeded'}}});
    await bench.until('off', () => instance() === undefined && shows('Stopped')());
    bench.clock.advance(60_000);
    await bench.rest();
    expect(instance()).toBeUndefined();
    await set('Halted');
    await bench.until('recorded', () => machine()?.status?.runStrategy === 'Halted');
    await set('RerunOnFailure');
    await bench.until('on', shows('Running'));
  });

  test('deleting the VM takes the VMI away without waiting for the garbage collector', async () => {
    await start();
    bench.api.put(VM, vm());
    await bench.until('running', shows('Running'));
    await bench.client.delete(VM, REF);
    await bench.until('gone', () => instance() === undefined);
  });

  test('no node fits: says so, and starts as soon as one does', async () => {
    await start();
    bench.api.put(VM, vm({template: {spec: {domain: {}, nodeSelector: {region: 'r2'}}}}));
    await bench.until('unschedulable', shows('ErrorUnschedulable'));
    expect(instance()).toBeUndefined();
    bench.api.put(NODE, {apiVersion: 'v1', kind: 'Node', metadata: {name: 'bm-001', labels: {region: 'r2'}}});
    await bench.until('running', shows('Running'));
    expect(instance()?.status?.nodeName).toBe('bm-001');
    expect(machine()?.status?.conditions?.map((condition) => condition.type)).not.toContain('PodScheduled');
  });
});

describe('DataVolumes in light mode', () => {
  const phase = (name: string): string | undefined => bench.api.object(DATA_VOLUME, {namespace: 'ns', name})?.status?.phase;
  const put = (name: string, spec: DataVolume['spec']): DataVolume =>
    bench.api.put(DATA_VOLUME, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataVolume',
      metadata: {name, namespace: 'ns', uid: `uid-${name}`},
      spec,
    });

  beforeEach(async () => {
    const volumes = await bench.informer(DATA_VOLUME);
    const controller = startDataVolumeController({volumes, client: bench.client, clock: bench.clock, log: silentLogger, workers: 4});
    bench.onClose(() => controller.stop());
  });

  test('blank: claim and Succeeded, two writes', async () => {
    put('d1', {source: {blank: {}}, storage: {resources: {requests: {storage: '2Gi'}}}});
    await bench.until('done', () => phase('d1') === 'Succeeded');
    await bench.rest();
    expect(bench.api.writes).toBe(2);
    const claim = bench.api.object(PERSISTENT_VOLUME_CLAIM, {namespace: 'ns', name: 'd1'});
    expect(claim?.spec?.resources?.requests).toEqual({storage: '2Gi'});
    expect(claim?.metadata.ownerReferences).toMatchObject([{kind: 'DataVolume', uid: 'uid-d1'}]);
  });

  test('an import is seen to be in progress', async () => {
    put('d1', {source: {http: {url: 'http://127.0.0.1/x.raw'}}});
    await bench.rest();
    expect(bench.api.object(DATA_VOLUME, {namespace: 'ns', name: 'd1'})?.status).toMatchObject({
      phase: 'ImportInProgress',
      progress: '50.0%',
    });
    await bench.until('done', () => phase('d1') === 'Succeeded');
    expect(bench.clock.monotonicMs()).toBe(300);
  });

  test('a URL marked fail fails', async () => {
    put('d1', {source: {http: {url: 'http://127.0.0.1/fail/x.raw'}}});
    await bench.until('failed', () => phase('d1') === 'Failed');
  });

  test('an upload waits for its bytes', async () => {
    put('d1', {source: {upload: {}}});
    await bench.until('ready', () => phase('d1') === 'UploadReady');
  });

  test('a clone waits for its source and says so', async () => {
    put('copy', {source: {pvc: {namespace: 'ns', name: 'golden'}}});
    put('by-ref', {sourceRef: {kind: 'DataSource', name: 'golden'}});
    await bench.until('waiting', () => phase('copy') === 'Pending' && phase('by-ref') === 'Pending');
    bench.api.put(DATA_SOURCE, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataSource',
      metadata: {name: 'golden', namespace: 'ns'},
      spec: {source: {pvc: {namespace: 'ns', name: 'golden'}}},
    });
    put('golden', {source: {http: {url: 'http://127.0.0.1/x.raw'}}});
    await bench.until('cloned', () => phase('copy') === 'Succeeded' && phase('by-ref') === 'Succeeded');
    expect(phase('golden')).toBe('Succeeded');
  });
});
