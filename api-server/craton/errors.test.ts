import {describe, expect, test} from '@jest/globals';
import {Failure} from '../http/failure.ts';
import type {FailedRequest} from '../http/types.ts';
import {duplicate, notFound, Problems, writeError} from './errors.ts';

const request: FailedRequest = {method: 'POST', mount: '/v1', path: '/hosts', query: new URLSearchParams(), headers: {}, requestId: 'r'};

function failureOf(fill: (problems: Problems) => void): Failure {
  const problems = new Problems();
  fill(problems);
  try {
    problems.throwIfAny();
  } catch (error) {
    if (error instanceof Failure) return error;
  }
  throw new Error('nothing was thrown');
}

describe('Craton errors', () => {
  test('all problems, sorted, one line each, and the members in fields', () => {
    const failure = failureOf((problems) => {
      problems.add('status', 'is required');
      problems.add('hostname', 'is required');
      problems.add('hostname', 'must be a string');
    });
    const message = 'The request has these problems:\n- hostname: is required\n- hostname: must be a string\n- status: is required';
    const answer = writeError(failure, request);
    expect(answer.status).toBe(400);
    expect(answer.body).toBe(`${JSON.stringify({code: 400, fields: 'hostname, status', message, status: 400})}\n`);
  });

  test.each([
    ['not found', notFound('Host', '7'), 404, ''],
    ['duplicate', duplicate('Region', 'name', 'DFW'), 409, 'name'],
    ['unknown path', new Failure('unknown-path'), 404, ''],
    ['wrong verb', new Failure('method-not-allowed', undefined, {allow: ['GET', 'POST']}), 405, ''],
    ['no credentials', new Failure('unauthenticated'), 401, ''],
    ['not JSON', new Failure('bad-body'), 400, ''],
    ['not there yet', new Failure('not-implemented'), 501, ''],
  ])('%s', (_name, failure, status, fields) => {
    const body: unknown = JSON.parse(writeError(failure, request).body as string);
    expect(body).toEqual({code: status, status, message: expect.stringMatching(/./), fields});
  });

  test('nothing wrong, nothing thrown', () => {
    expect(() => new Problems().throwIfAny()).not.toThrow();
  });
});
