import {expect, test} from '@jest/globals';
import {FakeClock} from '../../kube/testing/fake-clock.ts';
import {isFineAdminPass} from './create-input.ts';
import {createAdminPassSupply, randomAdminPass} from './password.ts';
import {sha512Crypt} from './sha512-crypt.ts';

test('a password that was made up satisfies the rule', () => {
  for (let at = 0; at < 200; at += 1) expect(isFineAdminPass(randomAdminPass())).toBe(true);
});

test('the supply hands out each password once, with its hash, and refills itself later', () => {
  const clock = new FakeClock();
  const supply = createAdminPassSupply(clock);
  const first = supply.take();
  clock.advance(1000);
  expect(clock.pending).toBe(0);
  const next = Array.from({length: 20}, () => supply.take());
  expect(new Set([first, ...next].map(({password}) => password)).size).toBe(21);
  for (const {password, hash} of [first, ...next.slice(0, 2)]) {
    const setting = hash.split('$').slice(2, 4).join('$');
    expect(sha512Crypt(password, setting)).toBe(hash);
  }
  expect(clock.pending).toBe(1);
});
