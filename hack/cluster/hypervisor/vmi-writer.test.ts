import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {isConflict} from '../../../kube/errors.ts';
import {endedPatch, pausedPatch} from './status.ts';
import {openBench} from './testing/bench.ts';
import type {TestBench} from './testing/bench.ts';
import {vmi} from './testing/objects.ts';
import {VMI} from './types.ts';
import type {Vmi} from './types.ts';
import {createVmiWriter} from './vmi-writer.ts';
import type {VmiWriter} from './vmi-writer.ts';

const CRASH = {reason: 'GuestCrashed', message: 'no memory'};

const REF = {namespace: 'ns', name: 'vm1'};
const signal = new AbortController().signal;
let bench: TestBench;
let writer: VmiWriter;
beforeEach(async () => {
  bench = await openBench();
  writer = createVmiWriter({client: bench.client, informer: bench.vmis, clock: bench.clock});
});
afterEach(async () => {
  await bench.close();
});

describe('vmi writer', () => {
  test('a lost race is rebuilt from the newest state: the condition that the other wrote is kept', async () => {
    const stale = bench.api.put(VMI, vmi());
    bench.api.put(VMI, {...stale, status: {...stale.status, conditions: [{type: 'Synchronized', status: 'True'}]}});
    const written = await writer.write(stale, (seen) => pausedPatch(seen, true, bench.clock.now()), signal);
    expect(written?.status?.conditions?.map((condition) => condition.type)).toEqual(['Synchronized', 'Paused']);
  });

  test('what was written is in the cache at once', async () => {
    await writer.write(bench.api.put(VMI, vmi()), (seen) => endedPatch(seen, CRASH, bench.clock.now()), signal);
    expect(bench.vmis.get('ns/vm1')?.status?.phase).toBe('Failed');
  });

  test('nothing to write after all: no request', async () => {
    const live = bench.api.put(VMI, vmi());
    expect(await writer.write(live, () => undefined, signal)).toBe(live);
    expect(bench.api.writes).toBe(0);
  });

  test.each<[string, (live: Vmi) => void]>([
    ['gone', () => bench.api.remove(VMI, REF)],
    [
      'replaced by another of its name',
      () => {
        bench.api.remove(VMI, REF);
        bench.api.put(VMI, vmi({metadata: {uid: 'other'}}));
      },
    ],
  ])('a VMI that is %s is left alone', async (_name, happen) => {
    const live = bench.api.put(VMI, vmi());
    happen(live);
    expect(await writer.write(live, (seen) => endedPatch(seen, CRASH, bench.clock.now()), signal)).toBeUndefined();
    expect(bench.api.writes).toBe(0);
  });

  test('a race lost for ever ends with the conflict', async () => {
    const live = bench.api.put(VMI, vmi());
    bench.api.faults.status(409, 'Conflict', {times: Infinity, match: ({method}) => method === 'PATCH'});
    let failure: unknown;
    void writer.write(live, (seen) => endedPatch(seen, CRASH, bench.clock.now()), signal).catch((error: unknown) => (failure = error));
    await bench.until('given up', () => failure !== undefined);
    expect(isConflict(failure)).toBe(true);
  });
});
