import {describe, expect, test} from '@jest/globals';
import {Failure} from '../http/failure.ts';
import type {FailedRequest} from '../http/types.ts';
import {parseProperties} from './codec.ts';
import {inUse, invalid, notFound, writeError} from './errors.ts';

const request: FailedRequest = {
  method: 'GET',
  mount: '',
  path: '/drives/create',
  query: new URLSearchParams(),
  headers: {accept: 'application/json'},
  requestId: 'r1',
};
const sent = parseProperties('name x\nsize big\nvnc:password s3cret\nboot');

describe('errors as text', () => {
  test.each([
    ['unknown drive', notFound('Drive', 'u1'), 404, 'errors:system Drive u1 could not be found\n'],
    ['not found without our phrase', new Failure('not-found', 'Gone'), 404, 'errors:system Gone: could not be found\n'],
    ['unknown command', new Failure('unknown-path'), 404, 'errors:system Command /drives/create could not be found\n'],
    ['busy', inUse('Drive', 'u1'), 409, 'errors:system Drive u1 is currently in use\n'],
    ['busy, from the store', new Failure('in-use'), 409, 'errors:system currently in use\n'],
    [
      'wrong verb',
      new Failure('method-not-allowed', undefined, {allow: ['POST']}),
      405,
      'errors:system GET used on a command that expects POST\n',
    ],
    ['not there yet', new Failure('not-implemented'), 501, 'errors:system GET /drives/create is not implemented\n'],
    [
      'wrong keys, echoed without secrets',
      invalid([{path: 'size', message: 'is not a size'}], sent),
      400,
      'name x\nsize big\nerrors:size is not a size\n',
    ],
    ['busy key', inUse('Drive', 'u1', {field: 'ide:0:0'}), 409, 'errors:ide:0:0 Drive u1 is currently in use\n'],
  ])('%s', (_name, failure, status, body) => {
    const answer = writeError(failure, request);
    expect({status: answer.status, body: answer.body}).toEqual({status, body});
    expect(answer.headers?.['content-type']).toBe('text/plain; charset=utf-8');
  });

  test('401 challenges, 405 says what is allowed', () => {
    expect(writeError(new Failure('unauthenticated'), request).headers?.['www-authenticate']).toMatch(/^Basic /);
    expect(writeError(new Failure('method-not-allowed', undefined, {allow: ['POST']}), request).headers?.['allow']).toBe('POST');
  });
});
