import {describe, expect, test} from '@jest/globals';
import {hashPassword, hashToken, issueToken, listedTokens, passwordFingerprint, readToken, verifyPassword} from './credentials.ts';

describe('passwords', () => {
  test('a password belongs to its hash and to no other', async () => {
    const hash = await hashPassword('correct horse');
    expect(hash).toMatch(/^scrypt\$16384\$8\$1\$[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=$/);
    expect(await verifyPassword('correct horse', hash)).toBe(true);
    expect(await verifyPassword('correct horse', `${hash}\n`)).toBe(true);
    expect(await verifyPassword('Correct horse', hash)).toBe(false);
    expect(await verifyPassword('', hash)).toBe(false);
  });

  test('salts differ', async () => {
    expect(await hashPassword('x')).not.toBe(await hashPassword('x'));
  });

  test('unicode passwords', async () => {
    expect(await verifyPassword('pässwörd 密', await hashPassword('pässwörd 密'))).toBe(true);
  });

  test('a hash made elsewhere: scrypt of RFC 7914 (N 16384, r 8, p 1)', async () => {
    const salt = Buffer.from('SodiumChloride').toString('base64');
    const hash = Buffer.from(
      '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
      'hex',
    ).toString('base64');
    expect(await verifyPassword('pleaseletmein', `scrypt$16384$8$1$${salt}$${hash}`)).toBe(true);
  });

  test.each([
    ['nothing', ''],
    ['a cleartext password', 'x'],
    ['a token hash', hashToken('x')],
    ['a cost that is no power of two', 'scrypt$16383$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='],
    ['a cost that would exhaust memory', 'scrypt$1048576$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='],
    ['an empty hash', 'scrypt$16384$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAA'],
  ])('%s as a hash belongs to no password', async (_title, stored) => {
    expect(await verifyPassword('x', stored)).toBe(false);
  });

  test('a password of megabytes is not looked at', async () => {
    expect(await verifyPassword('x'.repeat(2_000_000), await hashPassword('x'))).toBe(false);
  });
});

describe('tokens at rest', () => {
  test('one a line, with line ends of any kind', () => {
    expect(listedTokens('one\r\n\n two \n')).toEqual(['one', 'two']);
    expect(listedTokens('')).toEqual([]);
  });

  test('the form is the one that the Secret has', () => {
    expect(hashToken('abc')).toBe('sha256$ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});

describe('issued tokens', () => {
  const key = Buffer.alloc(32, 7);
  const passwordKey = passwordFingerprint('scrypt$…');
  const issued = {account: 'demo', expiresAt: 1_000, passwordKey};

  test('says what it was given until it is over', () => {
    const token = issueToken(issued, key);
    expect(readToken(token, key, 999_999)).toEqual(issued);
    expect(readToken(token, key, 1_000_000)).toBeUndefined();
  });

  test.each<readonly [string, (token: string) => string]>([
    [
      'another payload under the signature',
      (token) => `${Buffer.from('{"a":"admin","e":9e9,"k":""}').toString('base64url')}.${token.split('.')[1] ?? ''}`,
    ],
    ['another signature', (token) => `${token.split('.')[0] ?? ''}.${'A'.repeat(43)}`],
    ['no signature', (token) => `${token.split('.')[0] ?? ''}.`],
    ['a third part', (token) => `${token}.x`],
    ['nothing', () => ''],
    ['a text without a point', (token) => token.replace('.', '')],
  ])('%s is refused', (_title, forge) => {
    expect(readToken(forge(issueToken(issued, key)), key, 0)).toBeUndefined();
  });

  test('another key refuses it', () => {
    expect(readToken(issueToken(issued, key), Buffer.alloc(32, 8), 0)).toBeUndefined();
  });

  test('carries no more than account, end and fingerprint', () => {
    const [payload = ''] = issueToken(issued, key).split('.');
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toEqual({a: 'demo', e: 1_000, k: passwordKey});
    expect(passwordKey).toMatch(/^[0-9a-f]{12}$/);
  });
});
