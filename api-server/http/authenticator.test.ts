import {beforeEach, describe, expect, test} from '@jest/globals';
import type {Account} from '../../crds/index.ts';
import {hashToken} from '../../crds/rules/credentials.ts';
import {FakeClock} from '../../kube/testing/fake-clock.ts';
import type {CredentialIndex, StoredPassword} from '../store/credential-index.ts';
import {cheapHash} from '../testing/cheap-hash.ts';
import {createAuthenticator, DEFAULT_AUTH_LIMITS, type Authenticator} from './authenticator.ts';
import {Failure} from './failure.ts';
import {createTokenService} from './tokens.ts';
import type {AuthScheme} from './types.ts';

const account = (name: string, spec: object): Account =>
  ({
    apiVersion: 'basalt.dev/v1alpha1',
    kind: 'Account',
    metadata: {name, uid: `uid-${name}`},
    spec: {email: `${name}@example.org`, ...spec},
  }) as Account;
const ANN = account('ann', {roles: ['tenant'], projectId: '7'});
const BOB = account('bob', {roles: ['admin'], projectId: '8'});

const HOUR_MS = 3_600_000;
let clock: FakeClock;
let passwords: Map<string, StoredPassword>;
let checks: string[];
let authenticator: Authenticator;

beforeEach(() => {
  clock = new FakeClock();
  passwords = new Map<string, StoredPassword>([
    ['ann', {hash: cheapHash('right')}],
    ['bob', {clear: 'fresh\n'}],
  ]);
  checks = [];
  const digests: Readonly<Record<string, Account>> = {[`api-key ${hashToken('annkey')}`]: ANN, [`token ${hashToken('bobtoken')}`]: BOB};
  const credentials: CredentialIndex = {
    accountOf: (user) => [ANN, BOB].find(({metadata, spec}) => user === metadata.name || user === spec.email),
    passwordOf: ({metadata}) => passwords.get(metadata.name),
    byDigest: (kind, digest) => digests[`${kind} ${digest}`],
  };
  const tokens = createTokenService({key: Buffer.alloc(32, 1), clock, lifetimeMs: HOUR_MS});
  authenticator = createAuthenticator({
    credentials,
    tokens,
    clock,
    limits: {...DEFAULT_AUTH_LIMITS, failures: {failures: 3, windowMs: 60_000, maxKeys: 100}},
    record: (scheme, result) => checks.push(`${scheme} ${result}`),
  });
});

const SCHEMES: readonly AuthScheme[] = ['api-key', 'triple', 'basic', 'token'];
const basic = (pair: string): Record<string, string> => ({authorization: `Basic ${Buffer.from(pair).toString('base64')}`});
const authenticate = (headers: Record<string, string>, address = '127.0.0.1') =>
  authenticator.authenticate({headers, query: new URLSearchParams(), address}, SCHEMES, new AbortController().signal);
const outcome = async (headers: Record<string, string>, address?: string): Promise<string> => {
  try {
    return (await authenticate(headers, address)).name;
  } catch (error) {
    return error instanceof Failure ? error.code : String(error);
  }
};
const triple = (user: string, project: string, secret: string): Record<string, string> => ({
  'x-auth-user': user,
  'x-auth-project': project,
  'x-auth-token': secret,
});

describe('who calls', () => {
  test.each<[string, Record<string, string>, string]>([
    ['basic, by name', basic('ann:right'), 'ann'],
    ['basic, by e-mail', basic('ann@example.org:right'), 'ann'],
    ['a password that the operator has not hashed yet', basic('bob:fresh'), 'bob'],
    ['a wrong password', basic('ann:wrong'), 'unauthenticated'],
    ['an unknown user', basic('eve:right'), 'unauthenticated'],
    ['an api key', {api_key: 'annkey'}, 'ann'],
    ['a wrong api key', {api_key: 'bobtoken'}, 'unauthenticated'],
    ['a static token', {'x-auth-token': 'bobtoken'}, 'bob'],
    ['an api key as token', {'x-auth-token': 'annkey'}, 'unauthenticated'],
    ['a triple with the api key', triple('ann', '7', 'annkey'), 'ann'],
    ['a triple with the password', triple('ann', '7', 'right'), 'ann'],
    ['a triple with somebody else’s key', triple('bob', '8', 'annkey'), 'unauthenticated'],
    ['a triple in a foreign project', triple('ann', '9', 'annkey'), 'unauthenticated'],
    ['an admin in any project', triple('bob', '9', 'bobtoken'), 'bob'],
    ['a project that is no project', triple('ann', 'x', 'annkey'), 'unauthenticated'],
    ['nothing', {}, 'unauthenticated'],
  ])('%s', async (_name, headers, expected) => {
    expect(await outcome(headers)).toBe(expected);
  });

  test('the project of a triple is the caller’s, a UUID with its hyphens', async () => {
    const caller = await authenticate(triple('bob', '0123456789abcdef0123456789ABCDEF', 'bobtoken'));
    expect(caller.projectId).toBe('01234567-89ab-cdef-0123-456789abcdef');
    await expect(authenticate(triple('ann', 'x', 'annkey'))).rejects.toThrow(/"x"/);
  });
});

describe('issued tokens', () => {
  const issue = async (): Promise<string> => authenticator.issue(await authenticator.login('ann', 'right', '::1')).token;

  test('prove the account until they are over', async () => {
    const token = await issue();
    expect(await outcome({'x-auth-token': token})).toBe('ann');
    expect((await authenticator.token(token, '::1')).expiresAtMs).toBe(clock.now() + HOUR_MS);
    clock.advance(HOUR_MS);
    expect(await outcome({'x-auth-token': token})).toBe('unauthenticated');
  });

  test('end with the password, and cannot be altered', async () => {
    const token = await issue();
    expect(await outcome({'x-auth-token': `${token.slice(0, -2)}AA`})).toBe('unauthenticated');
    passwords.set('ann', {hash: cheapHash('changed')});
    expect(await outcome({'x-auth-token': token})).toBe('unauthenticated');
  });
});

describe('guessing', () => {
  test('is slowed down per user and address, and what is known to be right is not', async () => {
    expect(await outcome(basic('ann:right'))).toBe('ann');
    for (let attempt = 0; attempt < 3; attempt += 1) expect(await outcome(basic('ann:wrong'))).toBe('unauthenticated');
    expect(await outcome(basic('ann:wrong'))).toBe('too-many-failures');
    expect(await outcome(basic('ann:right'))).toBe('ann');
    expect(await outcome(basic('ann:wrong'), '10.0.0.1')).toBe('unauthenticated');
    clock.advance(60_000);
    expect(await outcome(basic('ann:wrong'))).toBe('unauthenticated');
  });

  test('tells when to come back', async () => {
    for (let attempt = 0; attempt < 3; attempt += 1) await outcome(basic('eve:x'));
    await expect(authenticate(basic('eve:x'))).rejects.toMatchObject({code: 'too-many-failures', retryAfterSeconds: 60});
  });

  test('missing credentials are not guesses', async () => {
    for (let attempt = 0; attempt < 5; attempt += 1) expect(await outcome({})).toBe('unauthenticated');
  });

  test('a right password is hashed once, then remembered, and forgotten when it is changed', async () => {
    await outcome(basic('ann:right'));
    await outcome(basic('ann:right'));
    passwords.set('ann', {hash: cheapHash('changed')});
    expect(await outcome(basic('ann:right'))).toBe('unauthenticated');
    expect(checks).toEqual(['basic ok', 'basic cached', 'basic wrong']);
  });
});
