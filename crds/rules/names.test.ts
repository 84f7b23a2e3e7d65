import {describe, expect, test} from '@jest/globals';
import fc from 'fast-check';
import {accountNamespace, accountOfNamespace} from '../wellknown.ts';
import {credentialsSecretOf, inventoryName, isUuid, slug} from './names.ts';

const UUID = '5f0c9d0e-6f5a-4f7e-9a3b-0a1b2c3d4e5f';

describe('names', () => {
  test('a name has a readable part and a hash of the whole key', () => {
    expect(inventoryName('1', 'Zürich Süd / 2')).toMatch(/^zurich-sud-2-[0-9a-f]{8}$/);
    expect(inventoryName('北')).toMatch(/^x-[0-9a-f]{8}$/);
  });

  test('equal keys agree; keys that differ in any part, in order or in where parts end do not', () => {
    expect(inventoryName('1', 'north')).toBe(inventoryName('1', 'north'));
    const names = [['1', 'north'], ['2', 'north'], ['1', 'North'], ['north', '1'], ['1north'], ['', '1north'], ['1', 'north', '']].map(
      (parts) => inventoryName(...parts),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  test('whatever the key, the name is a DNS label of at most 63 characters', () => {
    fc.assert(
      fc.property(fc.array(fc.string({unit: 'grapheme', maxLength: 300}), {maxLength: 4}), (parts) => {
        expect(inventoryName(...parts)).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
      }),
    );
  });

  test('slug cuts without leaving a hyphen', () => {
    expect(slug('ab cd', 3)).toBe('ab');
  });

  test.each([
    [UUID, true],
    [UUID.toUpperCase(), false],
    [UUID.replaceAll('-', ''), false],
    [`${UUID}\n`, false],
  ])('isUuid(%j) is %s', (text, expected) => {
    expect(isUuid(text)).toBe(expected);
  });

  test('the Secret of an account has its name, or the one that was chosen', () => {
    const metadata = {name: 'demo'};
    expect(credentialsSecretOf({metadata, spec: {email: 'demo@example.org'}})).toBe('demo-credentials');
    expect(credentialsSecretOf({metadata, spec: {email: 'demo@example.org', credentialsSecret: {name: 'mine'}}})).toBe('mine');
  });

  test.each(['demo', 'acct-x'])('the namespace of account %s tells its account', (name) => {
    expect(accountOfNamespace(accountNamespace(name))).toBe(name);
  });

  test('other namespaces are no account’s', () => {
    expect(accountOfNamespace('basalt-system')).toBeUndefined();
  });
});
