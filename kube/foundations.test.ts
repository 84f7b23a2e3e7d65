/** Clock, deadline, semaphore, waiters and log: what everything else stands on. */
import {describe, expect, test} from '@jest/globals';
import {systemClock} from './clock.ts';
import {startDeadline} from './deadline.ts';
import {createLogger} from './log.ts';
import {Semaphore} from './semaphore.ts';
import {FakeClock} from './testing/fake-clock.ts';
import {Waiters} from './waiters.ts';

describe('clocks', () => {
  test('the fake one fires in order of time, what callbacks set included', () => {
    const clock = new FakeClock();
    const fired: string[] = [];
    clock.setTimer(20, () => fired.push(`b@${clock.monotonicMs()}`));
    clock.setTimer(10, () => {
      fired.push(`a@${clock.monotonicMs()}`);
      clock.setTimer(5, () => fired.push(`c@${clock.monotonicMs()}`));
    });
    const cancel = clock.setTimer(12, () => fired.push('never'));
    cancel();
    clock.advance(19);
    expect(fired).toEqual(['a@10', 'c@15']);
    clock.advance(1);
    expect([fired.at(-1), clock.pending, clock.monotonicMs()]).toEqual(['b@20', 0, 20]);
  });

  test.each([
    ['fake', new FakeClock()],
    ['system', systemClock],
  ])('a sleep of the %s clock ends with its signal', async (_name, clock) => {
    const abort = new AbortController();
    const reason = new Error('enough');
    const sleeping = clock.sleep(60_000, abort.signal);
    abort.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    await expect(clock.sleep(60_000, abort.signal)).rejects.toBe(reason);
  });

  test('the system clock sleeps, and cancels timers', async () => {
    let fired = false;
    systemClock.setTimer(1, () => {
      fired = true;
    })();
    await systemClock.sleep(3);
    expect(fired).toBe(false);
    systemClock.setTimer(1e12, () => undefined)(); // longer than setTimeout takes: must not fire at once, nor warn
  });
});

describe('deadline', () => {
  test('aborts with its own reason in time, or with the caller’s', () => {
    const clock = new FakeClock();
    const late = new Error('late');
    const timed = startDeadline(clock, 100, undefined, () => late);
    clock.advance(100);
    expect(timed.signal.reason).toBe(late);

    const abort = new AbortController();
    const called = startDeadline(clock, 100, abort.signal, () => late);
    const reason = new Error('enough');
    abort.abort(reason);
    expect(called.signal.reason).toBe(reason);
    called.done();

    const done = startDeadline(clock, 100, new AbortController().signal, () => late);
    done.done();
    expect([clock.pending, done.signal.aborted]).toEqual([0, false]);
  });
});

describe('semaphore', () => {
  test('serves in order, skips who left, and bounds its line', async () => {
    const places = new Semaphore(1, 2);
    const free = new AbortController().signal;
    await places.acquire(free);
    const order: string[] = [];
    const leaving = new AbortController();
    const left = places.acquire(leaving.signal);
    const served = places.acquire(free).then(() => order.push('served'));
    await expect(places.acquire(free)).rejects.toThrow(RangeError);
    const reason = new Error('left');
    leaving.abort(reason);
    await expect(left).rejects.toBe(reason);
    places.release();
    await served;
    expect(places.waiting).toBe(0);
    places.release();
    await places.acquire(free); // the place came back
    await expect(places.acquire(leaving.signal)).rejects.toBe(reason);
  });
});

describe('waiters', () => {
  test('resolve when the probe has a result, reject when it throws, and forget those who gave up', async () => {
    const waiters = new Waiters();
    let value: number | undefined;
    const probe = (): {result: number} | undefined => (value === undefined ? undefined : {result: value});
    const waiting = waiters.wait(probe, undefined);
    const abort = new AbortController();
    const given = waiters.wait(probe, abort.signal);
    abort.abort(new Error('gave up'));
    await expect(given).rejects.toThrow('gave up');
    waiters.check();
    value = 4;
    waiters.check();
    expect([await waiting, waiters.size]).toEqual([4, 0]);
    const broken = waiters.wait(() => {
      throw new Error('broken');
    }, undefined);
    await expect(broken).rejects.toThrow('broken');
  });
});

describe('log', () => {
  test('writes JSON lines, and no credential in them', () => {
    const lines: string[] = [];
    const log = createLogger({name: 'test', level: 'info', stream: {write: (line: string) => void lines.push(line)}});
    log.debug({}, 'not at this level');
    log.child({controller: 'server'}).warn(
      {
        headers: {authorization: 'Basic c2VjcmV0', 'x-auth-token': 'tok'},
        body: {server: {adminPass: 'p4ss'}},
        token: 't0k',
        err: new Error('boom', {cause: new Error('root')}),
      },
      'hello',
    );
    expect(lines).toHaveLength(1);
    const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    expect(line).toMatchObject({level: 'warn', name: 'test', controller: 'server', msg: 'hello', token: '[redacted]'});
    expect(lines[0]).not.toMatch(/c2VjcmV0|"tok"|p4ss|t0k/);
    expect(lines[0]).toMatch(/boom.*root/);
  });
});
