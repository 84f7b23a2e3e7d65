import {expect, test} from '@jest/globals';
import {FakeClock} from '../../kube/testing/fake-clock.ts';
import {FailureLimiter} from './failure-limiter.ts';

const LIMITS = {failures: 2, windowMs: 10_000, maxKeys: 2};

test('blocks a key after its failures until the window ends, and no other key', () => {
  const clock = new FakeClock();
  const limiter = new FailureLimiter(clock, LIMITS);
  limiter.record('a');
  expect(limiter.blockedForSeconds('a')).toBeUndefined();
  clock.advance(4000);
  limiter.record('a');
  expect(limiter.blockedForSeconds('a')).toBe(6);
  expect(limiter.blockedForSeconds('b')).toBeUndefined();
  clock.advance(6000);
  expect(limiter.blockedForSeconds('a')).toBeUndefined();
  limiter.record('a');
  expect(limiter.blockedForSeconds('a')).toBeUndefined();
});

test('remembers a bounded number of keys and forgets ended windows', () => {
  const clock = new FakeClock();
  const limiter = new FailureLimiter(clock, LIMITS);
  for (const key of ['a', 'b', 'c']) limiter.record(key);
  expect(limiter.size).toBe(2);
  clock.advance(10_000);
  limiter.record('d');
  expect(limiter.size).toBe(1);
});
