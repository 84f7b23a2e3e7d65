import {describe, expect, test} from '@jest/globals';
import {hashPassword, hashToken, verifyPassword} from '../../../crds/rules/credentials.ts';
import type {Secret} from '../../../kube/types.ts';
import {accountOf, metadata} from '../../testing/objects.ts';
import {hashedData, mayHoldCredentials} from './credentials.ts';

const encode = (text: string): string => Buffer.from(text).toString('base64');
const decode = (text: string | null | undefined): string => Buffer.from(text ?? '', 'base64').toString('utf8');
const secretOf = (data: Record<string, string>): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: metadata('demo-credentials', {namespace: 'basalt-system'}),
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, encode(value)])),
});

test('hashes alone are left alone', async () => {
  expect(await hashedData(secretOf({'password.hash': 'scrypt$…', 'token.hash': 'sha256$…', note: 'mine'}))).toBeUndefined();
});

test('every cleartext key becomes a hash, and goes', async () => {
  const patch = await hashedData(secretOf({password: 'correct horse\n', 'api-key': 'k1', token: 't1\n\n t2 \n'}));
  expect([patch?.['password'], patch?.['api-key'], patch?.['token']]).toEqual([null, null, null]);
  expect(await verifyPassword('correct horse', decode(patch?.['password.hash']))).toBe(true);
  expect(decode(patch?.['api-key.hash'])).toBe(hashToken('k1'));
  expect(decode(patch?.['token.hash'])).toBe(`${hashToken('t1')}\n${hashToken('t2')}`);
  expect(JSON.stringify(patch)).not.toContain(encode('correct horse'));
});

describe('a password written again', () => {
  test('keeps the hash that admits it, so that sessions survive', async () => {
    const hash = await hashPassword('same');
    expect(await hashedData(secretOf({password: 'same', 'password.hash': hash}))).toEqual({password: null});
  });
  test('replaces the hash when it is another', async () => {
    const hash = await hashPassword('old');
    const patch = await hashedData(secretOf({password: 'new', 'password.hash': hash}));
    expect(await verifyPassword('new', decode(patch?.['password.hash']))).toBe(true);
  });
});

describe('a Secret is the account’s own', () => {
  const labelled = (account: string): Secret => {
    const secret = secretOf({note: 'x'});
    return {...secret, metadata: {...secret.metadata, labels: {'basalt.dev/account': account}}};
  };
  test.each([
    ['with its label', labelled('demo'), true],
    ['with cleartext and no label', secretOf({password: 'x'}), true],
    ['with hashes and no label', secretOf({'token.hash': 'x'}), true],
    ['not with another account’s label', labelled('other'), false],
    ['not when it holds something else', secretOf({key: 'x'}), false],
  ])('%s', (_row, secret, expected) => {
    expect(mayHoldCredentials(secret, accountOf('demo'))).toBe(expected);
  });
});
