import {expect, test} from '@jest/globals';
import {fingerprintOf} from './fingerprint.ts';

const ED25519 = 'AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ';

test('the fingerprint is the MD5 of the bytes, as ssh-keygen -E md5 -l shows it', () => {
  const shown = '46:5d:0f:4b:7b:74:b6:5f:ce:80:b0:33:70:9e:33:96';
  expect(fingerprintOf(`ssh-ed25519 ${ED25519} me@example.org`)).toBe(shown);
  expect(fingerprintOf(`  ssh-ed25519 ${ED25519}\n`)).toBe(shown);
});

test.each([
  ['nothing', ''],
  ['no key', 'hello world'],
  ['another type than the bytes say', `ssh-rsa ${ED25519}`],
  ['a private key', '-----BEGIN OPENSSH PRIVATE KEY-----'],
  ['bytes cut off', 'ssh-ed25519 AAAA'],
])('%s has none', (_row, text) => {
  expect(fingerprintOf(text)).toBeUndefined();
});
