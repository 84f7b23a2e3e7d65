import {describe, expect, test} from '@jest/globals';
import {readCredentials} from './credentials.ts';
import type {AuthScheme} from './types.ts';

const basic = (pair: string): Record<string, string> => ({authorization: `Basic ${Buffer.from(pair).toString('base64')}`});
const read = (headers: Record<string, string>, schemes: readonly AuthScheme[], query = '') =>
  readCredentials({headers, query: new URLSearchParams(query)}, schemes);

describe('readCredentials', () => {
  test('a password may contain colons', () => {
    expect(read(basic('a@b:c:d'), ['basic'])).toEqual({scheme: 'basic', user: 'a@b', password: 'c:d'});
  });

  test.each([['Bearer x'], ['Basic'], [`Basic ${Buffer.from('nocolon').toString('base64')}`]])('%s shows nothing', (authorization) => {
    expect(read({authorization}, ['basic'])).toBeUndefined();
  });

  test('a token comes as header or as query argument, and not as an empty one', () => {
    expect(read({'x-auth-token': 't'}, ['token'])).toEqual({scheme: 'token', token: 't'});
    expect(read({}, ['token'], 'X-Auth-Token=t')).toEqual({scheme: 'token', token: 't'});
    expect(read({'x-auth-token': ''}, ['token'])).toBeUndefined();
  });

  test('the triple needs all three, and the order of schemes decides', () => {
    const all = {api_key: 'k', 'x-auth-user': 'u', 'x-auth-project': 'p', 'x-auth-token': 's'};
    expect(read(all, ['api-key', 'triple'])).toMatchObject({scheme: 'api-key'});
    expect(read(all, ['triple', 'api-key'])).toEqual({scheme: 'triple', user: 'u', project: 'p', secret: 's'});
    expect(read({'x-auth-user': 'u', 'x-auth-token': 's'}, ['triple'])).toBeUndefined();
  });

  test('a scheme that the API does not take is not read', () => {
    expect(read({'x-auth-token': 't'}, ['basic'])).toBeUndefined();
  });
});
