import {expect, test} from '@jest/globals';
import {EVERYONE, mayRead} from './readers.ts';

const ADA = {name: 'ada', uuid: '5f0c9d0e-6f5a-4f7e-9a3b-0a1b2c3d4e5f'};
const drive = (readers?: string[]) => ({spec: {name: 'd', sizeBytes: 1_048_576, ...(readers === undefined ? {} : {readers})}});

test.each([
  ['none', undefined, ADA, false],
  ['another', ['bob'], ADA, false],
  ['the account by name', ['bob', ADA.name], ADA, true],
  ['the account by uuid', [ADA.uuid], ADA, true],
  ['everyone', [EVERYONE], ADA, true],
  ['everyone, and who asks has no account', [EVERYONE], undefined, true],
  ['someone, and who asks has no account', ['ada'], undefined, false],
] as const)('readers name %s', (_title, readers, account, expected) => {
  expect(mayRead(drive(readers === undefined ? undefined : [...readers]), account)).toBe(expected);
});
