import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {POD} from '../../../kube/types.ts';
import type {Pod} from '../../../kube/types.ts';
import {openBench} from './testing/bench.ts';
import type {TestBench} from './testing/bench.ts';
import {launcher, vmi} from './testing/objects.ts';
import {VMI} from './types.ts';
import type {Vmi} from './types.ts';

const REF = {namespace: 'ns', name: 'vm1'};
const FINALIZED = {finalizers: ['kubevirt.io/foregroundDeleteVirtualMachine']};

let bench: TestBench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(async () => {
  await bench.close();
});

const now = (): Vmi | undefined => bench.api.object(VMI, REF);
const phase = (): string | undefined => now()?.status?.phase;
const pods = (): string[] => bench.api.objects(POD, 'ns').map((pod) => `${pod.metadata.name} ${pod.status?.phase ?? ''}`);
const condition = (type: string): string | undefined => now()?.status?.conditions?.find((one) => one.type === type)?.status;
const patch = async (change: object): Promise<void> => {
  await bench.client.mergePatch(VMI, REF, change);
};

/** A guest that runs on bm-000 in pod p1. */
async function running(change: Parameters<typeof vmi>[0] = {}): Promise<void> {
  await bench.lifeCycle();
  bench.api.put(POD, launcher('p1', 'bm-000'));
  bench.api.put(VMI, vmi({...change, metadata: {...FINALIZED, ...change.metadata}}));
  await bench.until('running', () => phase() === 'Running');
}

describe('life of a guest', () => {
  test('Scheduled → Running in one write, and nothing is written afterwards', async () => {
    await running();
    expect(now()?.status).toMatchObject({phase: 'Running', machine: {type: 'pc-q35-rhel9.8.0'}, selinuxContext: 'none'});
    expect(now()?.metadata.labels ?? {}).toEqual({});
    await bench.rest();
    expect(bench.api.writes).toBe(1);
    bench.clock.advance(3_600_000);
    await bench.rest();
    expect(bench.api.writes).toBe(1);
  });

  test('deletion: Succeeded first, then the launcher pod', async () => {
    await running();
    await bench.client.delete(VMI, REF);
    await bench.until('ended', () => phase() === 'Succeeded' && pods().length === 0);
    const writes = bench.api.requests
      .filter((request) => request.method === 'PATCH' || request.method === 'DELETE')
      .map((request) => `${request.method} ${request.path.split('/').at(-1)}`);
    expect(writes.slice(-2)).toEqual(['PATCH vm1', 'DELETE p1']);
  });

  test('one that leaves before it was started has Succeeded, without a guest and without a word', async () => {
    bench.api.put(POD, launcher('p1', 'bm-000'));
    bench.api.put(VMI, vmi({metadata: {...FINALIZED, deletionTimestamp: '2026-01-01T00:00:00Z'}}));
    await bench.lifeCycle();
    await bench.until('ended', () => phase() === 'Succeeded' && pods().length === 0);
    expect(now()?.status?.conditions?.some(({type}) => type === 'Synchronized') ?? false).toBe(false);
    expect(now()?.status).not.toHaveProperty('machine');
  });

  test('a terminating launcher pod ends its guest, for in a namespace that is deleted pods go first', async () => {
    await running();
    const pod = bench.api.object(POD, {namespace: 'ns', name: 'p1'}) as Pod;
    bench.api.put(POD, {...pod, metadata: {...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['x']}});
    await bench.until('ended', () => phase() === 'Succeeded');
  });

  test.each([
    ['Succeeded', 'Succeeded'],
    ['Failed', 'Failed'],
  ])('guest exit %s by annotation', async (how, end) => {
    await running();
    await patch({metadata: {annotations: {'sim.basalt.dev/guest-exit': how}}});
    await bench.until('ended', () => phase() === end && pods().length === 0);
  });

  test('a mode without driver fails with an event and a condition, and does not loop', async () => {
    const {told} = await bench.lifeCycle();
    bench.api.put(VMI, vmi({metadata: {annotations: {'guest.basalt.dev/mode': 'qemu'}}}));
    await bench.until('failed', () => phase() === 'Failed');
    await bench.rest();
    expect(bench.api.writes).toBe(1);
    expect(told).toEqual([expect.stringMatching(/^vm1: GuestNotStarted: no driver for guests of mode "qemu"/)]);
    const conditions = bench.api.object(VMI, REF)?.['status'] as {conditions?: object[]};
    expect(conditions.conditions).toContainEqual(
      expect.objectContaining({type: 'Synchronized', status: 'False', reason: 'GuestNotStarted'}),
    );
  });

  test('a VMI made anew under the same name gets a guest of its own', async () => {
    const {table} = await bench.lifeCycle();
    bench.api.put(VMI, vmi());
    await bench.until('running', () => phase() === 'Running');
    bench.api.remove(VMI, REF);
    bench.api.put(VMI, vmi({metadata: {uid: 'second00'}}));
    await bench.until('running again', () => phase() === 'Running' && now()?.metadata.uid === 'second00');
    expect(table.get('ns/vm1')?.guest.vmiUid).toBe('second00');
    expect(table.size).toBe(1);
  });

  test('a lost write is tried again', async () => {
    await bench.lifeCycle();
    bench.api.faults.serverError({match: ({method}) => method === 'PATCH', times: 2});
    bench.api.put(VMI, vmi());
    await bench.until('running', () => phase() === 'Running');
  });
});

describe('pause', () => {
  test('the condition is there when the call has ended, and gone when unpause has', async () => {
    const {lifeCycle} = await bench.lifeCycle();
    bench.api.put(VMI, vmi());
    await bench.until('running', () => phase() === 'Running');
    await lifeCycle.setPaused('ns/vm1', true, AbortSignal.timeout(5_000));
    expect(condition('Paused')).toBe('True');
    await bench.rest();
    expect(condition('Paused')).toBe('True');
    await lifeCycle.setPaused('ns/vm1', false, AbortSignal.timeout(5_000));
    expect(condition('Paused')).toBeUndefined();
  });

  test('a paused guest ignores the button: killed, hence Failed, exactly when its grace is over', async () => {
    const {lifeCycle} = await bench.lifeCycle();
    bench.api.put(VMI, vmi({metadata: FINALIZED, spec: {terminationGracePeriodSeconds: 7}}));
    await bench.until('running', () => phase() === 'Running');
    await lifeCycle.setPaused('ns/vm1', true, AbortSignal.timeout(5_000));
    await bench.client.delete(VMI, REF);
    await bench.rest();
    const deletedAt = bench.clock.monotonicMs();
    await bench.until('ended', () => phase() === 'Failed');
    expect(bench.clock.monotonicMs() - deletedAt).toBe(7_000);
  });

  test('and a grace that is cut on the way counts at once', async () => {
    const {lifeCycle} = await bench.lifeCycle();
    bench.api.put(VMI, vmi({metadata: FINALIZED, spec: {terminationGracePeriodSeconds: 300}}));
    await bench.until('running', () => phase() === 'Running');
    await lifeCycle.setPaused('ns/vm1', true, AbortSignal.timeout(5_000));
    await bench.client.delete(VMI, REF);
    await bench.rest();
    await patch({spec: {terminationGracePeriodSeconds: 0}});
    await bench.rest();
    expect(phase()).toBe('Failed');
  });
});

describe('migration', () => {
  const ask = (uid: string, from: string, to: string): object => ({
    status: {
      migrationState: {
        migrationUid: uid,
        sourceNode: from,
        targetNode: to,
        sourcePod: `p-${from}`,
        targetPod: `p-${to}`,
        completed: null,
        failed: null,
        endTimestamp: null,
        startTimestamp: null,
      },
    },
  });

  async function onTwoNodes(): Promise<void> {
    await bench.lifeCycle();
    bench.api.put(POD, launcher('p-bm-000', 'bm-000'));
    bench.api.put(POD, launcher('p-bm-001', 'bm-001'));
    bench.api.put(VMI, vmi({metadata: FINALIZED}));
    await bench.until('running', () => phase() === 'Running');
  }

  test('there in two writes, the source pod is complete, and back again', async () => {
    await onTwoNodes();
    const before = bench.api.writes;
    await patch(ask('m1', 'bm-000', 'bm-001'));
    await bench.until('moved', () => now()?.status?.migrationState?.completed === true);
    await bench.rest();
    expect(now()?.status).toMatchObject({
      nodeName: 'bm-001',
      migrationState: {targetNodeAddress: '10.245.0.20', targetNodeDomainDetected: true},
    });
    expect(now()?.metadata.labels?.['kubevirt.io/nodeName']).toBe('bm-001');
    expect(pods()).toEqual(['p-bm-000 Succeeded', 'p-bm-001 Running']);
    expect(bench.api.writes - before).toBe(4); // the request itself, start, end, the pod
    bench.api.put(POD, launcher('p2-bm-000', 'bm-000'));
    await patch({
      status: {
        migrationState: {
          migrationUid: 'm2',
          sourceNode: 'bm-001',
          targetNode: 'bm-000',
          sourcePod: 'p-bm-001',
          targetPod: 'p2-bm-000',
          completed: null,
          endTimestamp: null,
          startTimestamp: null,
        },
      },
    });
    await bench.until('moved back', () => now()?.status?.nodeName === 'bm-000');
    await bench.rest();
    expect(pods()).toEqual(['p-bm-000 Succeeded', 'p-bm-001 Succeeded', 'p2-bm-000 Running']);
  });

  test('abort: failed with abortStatus, the target pod goes, the guest stays', async () => {
    await onTwoNodes();
    await patch(ask('m1', 'bm-000', 'bm-001'));
    await bench.until('started', () => now()?.status?.migrationState?.startTimestamp !== undefined);
    await patch({status: {migrationState: {abortRequested: true}}});
    await bench.until('aborted', () => now()?.status?.migrationState?.completed === true && pods().length === 1);
    expect(now()?.status).toMatchObject({phase: 'Running', nodeName: 'bm-000', migrationState: {failed: true, abortStatus: 'Succeeded'}});
    expect(pods()).toEqual(['p-bm-000 Running']);
  });

  test('deletion while the guest is copied ends guest and both pods', async () => {
    await onTwoNodes();
    await patch(ask('m1', 'bm-000', 'bm-001'));
    await bench.until('started', () => now()?.status?.migrationState?.startTimestamp !== undefined);
    await bench.client.delete(VMI, REF);
    await bench.until('ended', () => phase() === 'Succeeded' && pods().length === 0);
  });
});

describe('restart of the program', () => {
  test('running guests are found again, those told to go meanwhile go, dying pods wait for them', async () => {
    bench.api.put(POD, launcher('p1', 'bm-000', {terminating: true}));
    bench.api.put(VMI, vmi({metadata: {...FINALIZED, deletionTimestamp: '2026-01-01T00:00:00Z'}, status: {phase: 'Running'}}));
    bench.api.put(VMI, vmi({metadata: {name: 'vm2', uid: 'second00'}, status: {phase: 'Running'}}));
    await bench.until('seen', () => bench.vmis.size === 2);
    const {table} = await bench.lifeCycle();
    await bench.until('ended', () => phase() === 'Succeeded' && pods().length === 0);
    expect(table.get('ns/vm2')?.guest.state.name).toBe('running');
    expect(bench.api.object(VMI, {namespace: 'ns', name: 'vm2'})?.status?.phase).toBe('Running');
  });
});
