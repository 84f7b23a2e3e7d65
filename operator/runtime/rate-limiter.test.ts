import {describe, expect, test} from '@jest/globals';
import {FakeClock} from '../../kube/testing/fake-clock.ts';
import {createRateLimiter} from './rate-limiter.ts';

const noJitter = {random: () => 0.5};

describe('waits of one key', () => {
  test('double from 5 ms to the cap of 5 min', () => {
    const limiter = createRateLimiter({clock: new FakeClock(), ...noJitter});
    const waits = Array.from({length: 19}, () => limiter.delayMs('a'));
    expect(waits.slice(0, 8)).toEqual([5, 10, 20, 40, 80, 160, 320, 640]);
    expect(waits[15]).toBe(163_840);
    expect(waits.slice(16)).toEqual([300_000, 300_000, 300_000]);
  });

  test('start over after a success', () => {
    const limiter = createRateLimiter({clock: new FakeClock(), ...noJitter});
    limiter.delayMs('a');
    limiter.delayMs('a');
    expect(limiter.failures('a')).toBe(2);
    limiter.forget('a');
    expect(limiter.failures('a')).toBe(0);
    expect(limiter.delayMs('a')).toBe(5);
  });

  test('stay finite after thousands of failures', () => {
    const limiter = createRateLimiter({clock: new FakeClock(), ...noJitter, burst: 100_000});
    for (let index = 0; index < 2000; index++) limiter.delayMs('a');
    expect(limiter.delayMs('a')).toBe(300_000);
  });

  test.each([
    [0, 4.5],
    [0.999999, 5.5],
  ])('are jittered by a tenth: random %d gives %d ms', (random, expected) => {
    expect(createRateLimiter({clock: new FakeClock(), random: () => random}).delayMs('a')).toBeCloseTo(expected, 3);
  });
});

describe('the bucket over all keys', () => {
  test('lets a burst through and then spaces retries evenly', () => {
    const limiter = createRateLimiter({clock: new FakeClock(), ...noJitter, burst: 3, retriesPerSecond: 10});
    const waits = Array.from({length: 6}, (_, index) => limiter.delayMs(`key-${index}`));
    expect(waits).toEqual([5, 5, 5, 100, 200, 300]);
  });

  test('refills with time, and never beyond the burst', () => {
    const clock = new FakeClock();
    const limiter = createRateLimiter({clock, ...noJitter, burst: 2, retriesPerSecond: 10});
    for (let index = 0; index < 4; index++) limiter.delayMs(`key-${index}`);
    clock.advance(60_000);
    const waits = Array.from({length: 3}, (_, index) => limiter.delayMs(`later-${index}`));
    expect(waits).toEqual([5, 5, 100]);
  });
});
