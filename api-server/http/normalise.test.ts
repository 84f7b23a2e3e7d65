import {describe, expect, test} from '@jest/globals';
import {ApiError} from '../../kube/errors.ts';
import {failureOf} from './normalise.ts';

const refusal = (status: number, reason: string, message: string): ApiError =>
  new ApiError({status, reason, message, verb: 'create', resource: 'servers'});

describe('a failed call to the cluster', () => {
  test.each([
    {
      name: 'a right that we lack: a cluster that has just started has not read its roles yet',
      error: refusal(
        403,
        'Forbidden',
        'servers.basalt.dev is forbidden: User "system:serviceaccount:basalt-system:basalt-api-server" cannot create resource "servers" in API group "basalt.dev" in the namespace "acct-demo"',
      ),
      code: 'unavailable',
    },
    {
      name: 'the refusal of an admission policy',
      error: refusal(403, 'Forbidden', 'servers.basalt.dev "s" is forbidden: ValidatingAdmissionPolicy \'small\' denied request: too big'),
      code: 'forbidden',
    },
    {
      name: 'a full quota',
      error: refusal(403, 'Forbidden', 'servers.basalt.dev "s" is forbidden: exceeded quota: servers, requested: 1, used: 5, limited: 5'),
      code: 'forbidden',
    },
    {name: 'a lost connection', error: refusal(0, 'ConnectionError', 'read ECONNRESET'), code: 'unavailable'},
    {name: 'a lost race', error: refusal(409, 'Conflict', 'the object has been modified'), code: 'conflict'},
  ])('$name: $code', ({error, code}) => {
    expect(failureOf(error)).toMatchObject({code, cause: error});
  });

  test('names nothing of ours to a client', () => {
    expect(
      failureOf(refusal(403, 'Forbidden', 'servers "s" is forbidden: User "u" cannot create resource "servers"')).message,
    ).not.toContain('User');
  });
});
