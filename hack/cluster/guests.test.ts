import {expect, test} from '@jest/globals';
import {canBoot, chooseGuests} from './guests.ts';

test.each([
  ['nothing asked, all there', undefined, false, [], 'qemu', 'qemu is installed'],
  ['an empty setting asks nothing', '', false, [], 'qemu', 'qemu is installed'],
  [
    'nothing asked, something missing',
    undefined,
    false,
    ['bubblewrap', 'lz4'],
    'simulated',
    'apt-get install --no-install-recommends bubblewrap lz4',
  ],
  ['a light cluster', undefined, true, [], 'simulated', 'light'],
  ['simulated asked', 'simulated', false, [], 'simulated', 'as GUESTS says'],
  ['qemu asked', 'qemu', false, [], 'qemu', 'as GUESTS says'],
] as const)('%s', (_what, asked, light, missing, mode, why) => {
  const choice = chooseGuests(asked, light, missing);
  expect(choice.mode).toBe(mode);
  expect(choice.why).toContain(why);
});

test.each([
  ['all there', false, [], true],
  ['a light cluster', true, [], false],
  ['something missing', false, ['lz4'], false],
])('single servers that boot: %s', (_what, light, missing, expected) => expect(canBoot(light, missing)).toBe(expected));

test.each([
  ['another word', 'real', false, [], 'GUESTS must be qemu or simulated, not real'],
  ['qemu on a light cluster', 'qemu', true, [], 'without --light'],
  ['qemu without its packages', 'qemu', false, ['qemu-utils'], 'apt-get install --no-install-recommends qemu-utils'],
] as const)('%s is an error', (_what, asked, light, missing, message) =>
  expect(() => chooseGuests(asked, light, missing)).toThrow(message),
);
