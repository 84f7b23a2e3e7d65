import {describe, expect, test} from '@jest/globals';
import type {Caller} from '../http/types.ts';
import {cratonTime} from './document.ts';
import {normalProject, projectOf} from './view.ts';

const UUID = 'b9f10eca-66ac-4c27-9c13-9d01e65f96b4';
const OWN = 'f2e19d5c-eaa1-44e5-94aa-dc194594bd7b';

describe('projects', () => {
  test.each([
    ['7', '7'],
    ['007', '7'],
    [UUID, UUID],
    [UUID.toUpperCase(), UUID],
    [UUID.replaceAll('-', ''), UUID],
    ['', undefined],
    ['demo', undefined],
    ['-1', undefined],
    [`${UUID}0`, undefined],
  ])('%j', (text, project) => {
    expect(normalProject(text)).toBe(project);
  });

  const caller = (roles: Caller['roles'], wanted: string | undefined, own: string | undefined): Caller => ({
    name: 'demo',
    uuid: OWN,
    email: 'demo@example.com',
    roles,
    namespace: 'acct-demo',
    projectId: wanted,
    scheme: 'triple',
    account: {
      apiVersion: 'basalt.dev/v1alpha1',
      kind: 'Account',
      metadata: {name: 'demo'},
      spec: {email: 'demo@example.com', roles: [...roles], ...(own === undefined ? {} : {projectId: own})},
    },
  });

  test.each([
    ['the one that the account has', undefined, '7', '7'],
    ['the one named, in another spelling', UUID.replaceAll('-', ''), UUID, UUID],
    ['the account itself, when it has none', undefined, undefined, OWN],
  ])('acts in %s', (_name, wanted, own, project) => {
    expect(projectOf(caller(['inventory'], wanted, own))).toBe(project);
  });

  test.each([
    ['somebody else’s', '8', '7'],
    ['a foreign UUID', UUID, undefined],
    ['a word', 'demo', '7'],
  ])('%s is 401, and named', (_name, wanted, own) => {
    expect(() => projectOf(caller(['inventory'], wanted, own))).toThrow(
      expect.objectContaining({status: 401, message: expect.stringContaining(wanted)}),
    );
  });

  test('an admin may act in any project, but it must be one', () => {
    expect(projectOf(caller(['admin'], '8', '7'))).toBe('8');
    expect(() => projectOf(caller(['admin'], 'demo', '7'))).toThrow(expect.objectContaining({status: 401}));
  });
});

test.each([
  ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000000'],
  ['2026-01-02T03:04:05.678Z', '2026-01-02T03:04:05.678000'],
  ['2026-01-02T03:04:05.123456789Z', '2026-01-02T03:04:05.123456'],
])('time %s', (rfc3339, text) => {
  expect(cratonTime(rfc3339)).toBe(text);
});
