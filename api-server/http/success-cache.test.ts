import {expect, test} from '@jest/globals';
import {FakeClock} from '../../kube/testing/fake-clock.ts';
import {SuccessCache} from './success-cache.ts';

const cacheWith = (clock: FakeClock) => new SuccessCache(clock, {ttlMs: 1000, maxEntries: 2});

test('holds for the stored hash that it was checked against, and for a while', () => {
  const clock = new FakeClock();
  const cache = cacheWith(clock);
  const key = cache.keyOf('user', 'password');
  cache.add(key, 'hash1');
  expect(cache.has(key, 'hash1')).toBe(true);
  clock.advance(1000);
  expect(cache.has(key, 'hash1')).toBe(false);
  cache.add(key, 'hash1');
  expect(cache.has(key, 'hash2')).toBe(false);
});

test('user and password are told apart', () => {
  const cache = cacheWith(new FakeClock());
  expect(cache.keyOf('ab', 'c')).not.toBe(cache.keyOf('a', 'bc'));
  expect(cache.keyOf('ab', 'c')).not.toContain('ab');
});

test('drops the least recently used', () => {
  const cache = cacheWith(new FakeClock());
  cache.add('1', 'h');
  cache.add('2', 'h');
  expect(cache.has('1', 'h')).toBe(true);
  cache.add('3', 'h');
  expect([cache.has('1', 'h'), cache.has('2', 'h'), cache.has('3', 'h'), cache.size]).toEqual([true, false, true, 2]);
});
