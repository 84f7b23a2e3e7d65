import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {silentLogger} from '../../../kube/log.ts';
import {NODE, POD} from '../../../kube/types.ts';
import {startHeartbeats} from './heartbeats.ts';
import {createHostPower} from './host-power.ts';
import {openBench} from './testing/bench.ts';
import type {TestBench} from './testing/bench.ts';
import {launcher, vmi} from './testing/objects.ts';
import {VMI} from './types.ts';

const POWER = 'local.basalt.dev/power';
const REF = {namespace: 'ns', name: 'vm1'};

let bench: TestBench;
beforeEach(async () => {
  bench = await openBench();
  bench.api.put(NODE, {apiVersion: 'v1', kind: 'Node', metadata: {name: 'bm-000', labels: {'kubevirt.io/schedulable': 'false'}}});
});
afterEach(async () => {
  await bench.close();
});

const power = async (on: boolean): Promise<void> => {
  const back = new Date(bench.clock.now()).toISOString();
  const metadata = on ? {labels: {[POWER]: null}, annotations: {'local.basalt.dev/powered-on-at': back}} : {labels: {[POWER]: 'off'}};
  await bench.client.mergePatch(NODE, {name: 'bm-000'}, {metadata});
};
const phase = (): string | undefined => bench.api.object(VMI, REF)?.status?.phase;

test('a host that loses its power takes its guest with it and says nothing; when it is back, the guest has failed', async () => {
  const {table} = await bench.lifeCycle();
  bench.api.put(POD, launcher('p1', 'bm-000'));
  bench.api.put(VMI, vmi({metadata: {finalizers: ['x']}}));
  await bench.until('running', () => phase() === 'Running');
  await power(false);
  await bench.until('cut', () => table.size === 0);
  await bench.client.delete(POD, {namespace: 'ns', name: 'p1'}, {gracePeriodSeconds: 30});
  await bench.rest();
  const before = bench.api.writes;
  bench.clock.advance(600_000);
  await bench.rest();
  expect([phase(), bench.api.writes]).toEqual(['Running', before]);
  await power(true);
  await bench.until('told', () => phase() === 'Failed' && bench.api.objects(POD, 'ns').length === 0);
  const verdict = bench.api.object(VMI, REF)?.status?.conditions?.find(({type}) => type === 'Synchronized');
  expect(verdict).toMatchObject({status: 'False', reason: 'HostPowerLost'});
});

test('signs of life come once a minute, not from a host without power, and at once when it is back', async () => {
  const nodes = await bench.informer(NODE);
  const heartbeats = startHeartbeats({
    client: bench.client,
    nodes,
    power: createHostPower(nodes),
    clock: bench.clock,
    log: silentLogger,
  });
  bench.onClose(() => heartbeats.stop());
  const beat = (): string | undefined => bench.api.object(NODE, {name: 'bm-000'})?.metadata.annotations?.['kubevirt.io/heartbeat'];
  await bench.until('the first', () => beat() !== undefined);
  expect(bench.api.object(NODE, {name: 'bm-000'})?.metadata.labels).toEqual({'kubevirt.io/schedulable': 'true'});
  const first = beat();
  await bench.until('the second', () => beat() !== first, 60_000);
  await power(false);
  const last = beat();
  await bench.rest();
  bench.clock.advance(300_000);
  await bench.rest();
  expect(beat()).toBe(last);
  await power(true);
  await bench.until('the next', () => beat() !== last, 0);
});

test('a guest that came by a migration after the power was back is not lost', async () => {
  const nodes = await bench.informer(NODE);
  const hostPower = createHostPower(nodes);
  const started = [{phase: 'Running', phaseTransitionTimestamp: '2026-01-01T00:00:00Z'}] as const;
  await bench.client.mergePatch(
    NODE,
    {name: 'bm-000'},
    {metadata: {annotations: {'local.basalt.dev/powered-on-at': '2026-01-02T00:00:00Z'}}},
  );
  await bench.rest();
  const moved = (endTimestamp: string, failed: boolean) =>
    vmi({
      status: {phaseTransitionTimestamps: started, migrationState: {targetNode: 'bm-000', completed: true, failed, endTimestamp}},
    });
  expect(hostPower.hasOutlived(vmi({status: {phaseTransitionTimestamps: started}}))).toBe(true);
  expect(hostPower.hasOutlived(moved('2026-01-03T00:00:00Z', false))).toBe(false);
  expect(hostPower.hasOutlived(moved('2026-01-03T00:00:00Z', true))).toBe(true);
  expect(hostPower.hasOutlived(moved('2026-01-01T12:00:00Z', false))).toBe(true);
  expect(hostPower.hasOutlived(vmi({status: {nodeName: 'elsewhere', phaseTransitionTimestamps: started}}))).toBe(false);
});
