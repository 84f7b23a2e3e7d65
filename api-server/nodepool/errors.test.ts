import {describe, expect, test} from '@jest/globals';
import {Failure} from '../http/failure.ts';
import type {FailedRequest} from '../http/types.ts';
import {acceptsJson, errorFormat, writeError} from './errors.ts';

const request = (accept?: string): FailedRequest => ({
  method: 'GET',
  mount: '/v1',
  path: '/nodes/7',
  query: new URLSearchParams(),
  headers: accept === undefined ? {} : {accept},
  requestId: 'r1',
});

describe('error bodies follow Accept', () => {
  test.each([
    [undefined, 'text'],
    ['', 'text'],
    ['*/*', 'text'],
    ['application/json', 'json'],
    ['application/json, */*;q=0.1', 'json'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'html'],
    ['text/*', 'text'],
    ['text/html;q=0.2, application/json;q=0.7', 'json'],
    ['application/xml', 'text'],
    ['application/json;q=0', 'text'],
  ])('%j', (accept, format) => {
    expect(errorFormat(accept)).toBe(format);
  });

  test('JSON has code, title and description', () => {
    const answer = writeError(new Failure('not-found', 'Node id not found'), request('application/json'));
    expect(answer).toEqual({
      status: 404,
      headers: {'content-type': 'application/json'},
      body: {code: 404, title: 'Not Found', description: 'Node id not found'},
    });
  });

  test('plain text has the status line and the message', () => {
    const answer = writeError(new Failure('not-found', 'Node id not found'), request());
    expect(answer.body).toBe('404 Not Found\n\nNode id not found\n');
  });

  test('HTML does not run what a client sent', () => {
    expect(writeError(new Failure('not-found', '<script>'), request('text/html')).body).not.toContain('<script>');
  });

  test('401 challenges', () => {
    expect(writeError(new Failure('unauthenticated'), request()).headers?.['www-authenticate']).toMatch(/^Basic /);
  });

  test.each([
    [undefined, true],
    ['*/*', true],
    ['application/*', true],
    ['application/xml', false],
    ['text/html', false],
  ])('a read with Accept %j: JSON taken is %j', (accept, taken) => {
    expect(acceptsJson(accept)).toBe(taken);
  });
});
