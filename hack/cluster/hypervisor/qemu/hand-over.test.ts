/** What becomes of a guest in the moment in which one qemu hands it to another: it is in one of them, or it is lost and that is said. */
import {beforeEach, describe, expect, test} from '@jest/globals';
import {silentLogger} from '../../../../kube/log.ts';
import {FakeClock, settle} from '../../../../kube/testing/fake-clock.ts';
import type {NicAttachment} from '../net/networks.ts';
import {vmi} from '../testing/objects.ts';
import {QemuGuest} from './guest.ts';
import {planMachine} from './machine.ts';
import {fakeInstance} from './testing.ts';
import type {FakeInstance} from './testing.ts';

const VMI = vmi();
const {plan} = planMachine(VMI, new Map());

let clock: FakeClock;
let source: FakeInstance;
let target: FakeInstance;
let guest: QemuGuest;
/** What the first qemu says of its migration, from the moment in which it is asked to send. */
let outcome: string;
/** What the second one says of itself. */
let arrival: () => string;

beforeEach(async () => {
  clock = new FakeClock();
  outcome = 'completed';
  arrival = () => 'running';
  let sending = false;
  source = fakeInstance('bm-000', plan, (command) => {
    if (command === 'migrate') sending = true;
    if (command === 'query-migrate') return sending ? {status: outcome} : {};
    if (command === 'query-status') return {status: sending && outcome === 'completed' ? 'postmigrate' : 'running'};
    return undefined;
  });
  target = fakeInstance('bm-001', plan, (command) => (command === 'query-status' ? {status: arrival()} : undefined));
  guest = new QemuGuest(
    {vmi: VMI, nodeName: 'bm-000', onChange: () => undefined},
    {
      clock,
      log: silentLogger,
      boot: () => Promise.resolve({instance: source, turn: undefined}),
      target: () => Promise.resolve(target),
      findFile: () => Promise.resolve({unsupported: 'none'}),
      attach: () => Promise.reject(new Error('none')),
      tell: () => undefined,
      forget: () => undefined,
    },
  );
  await guest.start();
});

async function move(ms = 1_000): Promise<void> {
  guest.migrate({uid: 'm1', targetNode: 'bm-001', vmi: VMI});
  await settle();
  guest.migration?.begin();
  for (let passed = 0; passed < ms; passed += 1_000) await clock.advanceAndSettle(1_000);
}

describe('what was handed over', () => {
  test.each(['running', 'paused'] as const)('goes on as it was, %s, and the first qemu ends', async (how) => {
    arrival = () => how;
    await move();
    expect([guest.state.name, guest.nodeName, guest.migration?.state]).toEqual([how, 'bm-001', 'succeeded']);
    expect([source.isGone, target.isGone]).toEqual([true, false]);
  });

  test('goes on also when the second qemu does not answer for a while', async () => {
    let asked = 0;
    arrival = () => {
      if (++asked < 3) throw new Error('no answer in 5000 ms');
      return 'running';
    };
    await move();
    expect([guest.state.name, guest.nodeName, guest.migration?.state]).toEqual(['running', 'bm-001', 'succeeded']);
    expect(source.commands).not.toContain('cont');
  });

  test('is lost when the second qemu never goes on; the first one does not, for its disk may be another by now', async () => {
    arrival = () => 'inmigrate';
    await move(32_000);
    expect(guest.state).toMatchObject({name: 'ended', how: 'crashed', message: expect.stringContaining('bm-001 did not go on')});
    expect(guest.migration).toMatchObject({state: 'failed', failure: expect.stringContaining('did not go on')});
    expect([source.isGone, target.isGone]).toEqual([true, true]);
    expect(source.commands).not.toContain('cont');
  });

  test('is not taken for one that stayed because one answer did not come', async () => {
    const {script} = source;
    let asked = 0;
    source.script = (command, args) => {
      if (command === 'query-migrate' && ++asked === 1) throw new Error('no answer in 10000 ms');
      return script(command, args);
    };
    await move();
    expect([guest.nodeName, guest.migration?.state, source.isGone, target.isGone]).toEqual(['bm-001', 'succeeded', true, false]);
  });

  test.each([
    ['shutdown', 'shutdown'],
    ['guest-panicked', 'crashed'],
  ] as const)('and is %s by then has ended so: the old memory does not come back', async (runState, how) => {
    arrival = () => runState;
    await move();
    expect(guest.state).toMatchObject({name: 'ended', how});
    expect(target.commands).toContain('quit');
    expect([source.isGone, target.isGone]).toEqual([true, true]);
    expect(source.commands).not.toContain('cont');
  });

  test('and is killed on the way does not come to life again', async () => {
    source.nics.set(0, {
      deactivate: () => guest.kill(),
      activate: () => Promise.resolve(),
      release: () => undefined,
    } as Partial<NicAttachment> as NicAttachment);
    await move();
    expect(guest.state).toMatchObject({name: 'ended', how: 'killed'});
    expect([source.isGone, target.isGone, guest.migration?.state]).toEqual([true, true, 'cancelled']);
  });
});

describe('what was not', () => {
  test('stays, and nobody but qemu lets it go on', async () => {
    outcome = 'failed';
    await move();
    expect([guest.state.name, guest.nodeName, guest.migration?.state]).toEqual(['running', 'bm-000', 'failed']);
    expect([source.isGone, target.isGone]).toEqual([false, true]);
    expect(source.commands).not.toContain('cont');
  });

  test('is lost when it was handed over after all, while the second qemu was being ended', async () => {
    outcome = 'failed';
    const {kill} = target;
    target.kill = () => {
      outcome = 'completed';
      return kill();
    };
    await move();
    expect(guest.state).toMatchObject({name: 'ended', how: 'crashed', message: expect.stringContaining('as it took over')});
    expect([source.isGone, target.isGone]).toEqual([true, true]);
    expect(source.commands).not.toContain('cont');
  });
});
