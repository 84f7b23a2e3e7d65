import {expect, test} from '@jest/globals';
import {refusalOf} from './subresource.ts';

test.each([
  [
    404,
    '{"kind":"Status","message":"web not found"}',
    '404 web not found (the name is the first column of `kubectl get servers`, and the server must run)',
  ],
  [409, 'the guest is starting\n', '409 the guest is starting'],
  [500, '{"kind":"Other"}', '500 {"kind":"Other"}'],
  [501, '{', '501 {'],
])('%i %s', (status, text, expected) => expect(refusalOf(status, text)).toBe(expected));
