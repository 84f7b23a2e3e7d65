import {describe, expect, test} from '@jest/globals';
import {FakeClock} from '../../../kube/testing/fake-clock.ts';
import {GuestVerbError} from './guest.ts';
import type {Guest} from './guest.ts';
import {createSimulatedDriver} from './simulated-guest.ts';
import {vmi} from './testing/objects.ts';

function started(): {guest: Guest; clock: FakeClock; moves: string[]} {
  const clock = new FakeClock();
  const moves: string[] = [];
  const driver = createSimulatedDriver({clock, times: {startMs: 100, shutdownMs: 50, copyMs: 500}});
  const guest: Guest = driver.start({
    vmi: vmi(),
    nodeName: 'bm-000',
    onChange: () => moves.push(guest.migration === undefined ? guest.state.name : guest.migration.state),
  });
  return {guest, clock, moves};
}
function running(): ReturnType<typeof started> {
  const all = started();
  all.clock.advance(100);
  all.moves.length = 0;
  return all;
}

describe('simulated guest', () => {
  test('takes its time to start and tells', () => {
    const {guest, clock, moves} = started();
    clock.advance(99);
    expect([guest.state.name, moves]).toEqual(['starting', []]);
    clock.advance(1);
    expect([guest.state.name, moves]).toEqual(['running', ['running']]);
  });

  test('can be killed while it starts, and does not come to life afterwards', async () => {
    const {guest, clock} = started();
    await guest.kill();
    clock.advance(1000);
    expect(guest.state).toMatchObject({name: 'ended', how: 'killed'});
  });

  test('obeys the power button after a while', async () => {
    const {guest, clock} = running();
    await guest.shutdown();
    await guest.shutdown();
    expect(guest.state.name).toBe('running');
    clock.advance(50);
    expect(guest.state).toMatchObject({name: 'ended', how: 'shutdown'});
  });

  test('does not see the button while it starts or is paused', async () => {
    const starting = started();
    await starting.guest.shutdown();
    starting.clock.advance(1000);
    expect(starting.guest.state.name).toBe('running');
    const paused = running();
    await paused.guest.pause();
    await paused.guest.shutdown();
    paused.clock.advance(1000);
    expect(paused.guest.state.name).toBe('paused');
  });

  test.each([
    ['Succeeded', 'shutdown'],
    ['Failed', 'crashed'],
  ])('ends itself by annotation %s', (value, how) => {
    const {guest} = running();
    guest.observe(vmi({metadata: {annotations: {'sim.basalt.dev/guest-exit': value}}}));
    expect(guest.state).toMatchObject({name: 'ended', how});
  });

  test('any other annotation value leaves it alone', () => {
    const {guest} = running();
    guest.observe(vmi({metadata: {annotations: {'sim.basalt.dev/guest-exit': 'maybe'}}}));
    expect(guest.state.name).toBe('running');
  });

  test('pause and resume; both are idempotent', async () => {
    const {guest, moves} = running();
    await guest.pause();
    await guest.pause();
    await expect(guest.softReboot()).rejects.toThrow(GuestVerbError);
    await guest.resume();
    await guest.resume();
    await guest.softReboot();
    expect(moves).toEqual(['paused', 'running']);
  });

  test('verbs on an ended guest are refused', async () => {
    const {guest} = running();
    await guest.kill();
    await expect(guest.pause()).rejects.toThrow('ended');
    await expect(guest.reset()).rejects.toThrow('ended');
    await expect(guest.softReboot()).rejects.toThrow('ended');
    await guest.kill();
  });

  test('migrates: ready at once, copies when begun, and is on the other node then', () => {
    const {guest, clock, moves} = running();
    const migration = guest.migrate({uid: 'm1', targetNode: 'bm-001', vmi: vmi()});
    expect(migration.state).toBe('ready');
    migration.begin();
    migration.begin();
    clock.advance(499);
    expect([migration.state, guest.nodeName]).toEqual(['copying', 'bm-000']);
    clock.advance(1);
    expect([migration.state, guest.nodeName, moves]).toEqual(['succeeded', 'bm-001', ['succeeded']]);
    migration.cancel();
    expect(migration.state).toBe('succeeded');
  });

  test.each([
    ['20', 20_000],
    ['soon', 500],
    ['-1', 500],
  ])('an annotation says how long the copy takes: %s', (text, ms) => {
    const {guest, clock} = running();
    const migration = guest.migrate({
      uid: 'm1',
      targetNode: 'bm-001',
      vmi: vmi({metadata: {annotations: {'sim.basalt.dev/migration-seconds': text}}}),
    });
    migration.begin();
    clock.advance(ms - 1);
    expect(migration.state).toBe('copying');
    clock.advance(1);
    expect(migration.state).toBe('succeeded');
  });

  test('a cancelled migration leaves it where it is', () => {
    const {guest, clock} = running();
    const migration = guest.migrate({uid: 'm1', targetNode: 'bm-001', vmi: vmi()});
    migration.begin();
    migration.cancel();
    clock.advance(1000);
    expect([migration.state, guest.nodeName]).toEqual(['cancelled', 'bm-000']);
  });

  test('a guest that ends on the way does not arrive', async () => {
    const {guest, clock} = running();
    const migration = guest.migrate({uid: 'm1', targetNode: 'bm-001', vmi: vmi()});
    migration.begin();
    await guest.kill();
    clock.advance(1000);
    expect([migration.state, migration.failure]).toEqual(['failed', 'the guest ended while it was copied']);
  });
});

test.each([
  ['running', [], 'running'],
  ['paused', [{type: 'Paused', status: 'True'} as const], 'paused'],
])('after a restart of the program a %s guest is found as it was', async (_name, conditions, state) => {
  const driver = createSimulatedDriver({clock: new FakeClock()});
  const guest = await driver.adopt({vmi: vmi({status: {phase: 'Running', conditions}}), nodeName: 'bm-000', onChange: () => undefined});
  expect(guest?.state.name).toBe(state);
});
