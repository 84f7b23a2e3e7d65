/**
 * Proves who calls, against Accounts. Order of work: what is known to be right costs a map access and is never limited; what is wrong
 * counts against user and address; a password is hashed only when neither cache nor limit has spoken.
 */
import {createHash, timingSafeEqual} from 'node:crypto';
import {accountNamespace, type Account} from '../../crds/index.ts';
import {hashPassword, hashToken, verifyPassword} from '../../crds/rules/credentials.ts';
import {uuidOf} from '../../crds/rules/ids.ts';
import type {Clock} from '../../kube/clock.ts';
import type {CredentialIndex, StoredPassword} from '../store/credential-index.ts';
import {readCredentials, type CredentialSource, type Credentials} from './credentials.ts';
import {Failure} from './failure.ts';
import {FailureLimiter, type FailureLimits} from './failure-limiter.ts';
import type {AuthResult} from './metrics.ts';
import {SuccessCache, type SuccessCacheLimits} from './success-cache.ts';
import type {IssuedToken, TokenService} from './tokens.ts';
import type {AuthScheme, Caller, Role} from './types.ts';

/** Where a request comes from and what it shows. */
export interface AuthRequest extends CredentialSource {
  /** Remote address: with the user name, what failures are counted by. */
  readonly address: string;
}

/** Proves callers. All methods throw `unauthenticated` or `too-many-failures`. */
export interface Authenticator {
  /** By the first of the schemes for which the request has credentials. */
  authenticate(request: AuthRequest, schemes: readonly AuthScheme[], signal: AbortSignal): Promise<Caller>;
  /** By user name and password in a body (identity). */
  login(user: string, password: string, address: string): Promise<Caller>;
  /** By token, issued or static; `expiresAtMs` is undefined for a static one. */
  token(token: string, address: string): Promise<{readonly caller: Caller; readonly expiresAtMs: number | undefined}>;
  /** A new token of a caller. */
  issue(caller: Caller): IssuedToken;
}

/** Bounds; the defaults are {@link DEFAULT_AUTH_LIMITS}. */
export interface AuthLimits {
  readonly failures: FailureLimits;
  /** Over all users of one address: bounds the CPU that guessing of names can cost. */
  readonly addressFailures: FailureLimits;
  readonly successes: SuccessCacheLimits;
  /** Passwords hashed at the same time; more wait their turn. */
  readonly concurrentHashes: number;
  /** Waiting for a turn; more are refused. */
  readonly waitingHashes: number;
}

/**
 * Twenty wrong passwords per user and address in half a minute: some 58,000 a day, against a hash that costs 50 ms. Tokens and api keys
 * are long random texts, so they are counted by address alone. A right password is remembered for five minutes.
 */
export const DEFAULT_AUTH_LIMITS: AuthLimits = {
  failures: {failures: 20, windowMs: 30_000, maxKeys: 10_000},
  addressFailures: {failures: 200, windowMs: 60_000, maxKeys: 10_000},
  successes: {ttlMs: 300_000, maxEntries: 10_000},
  concurrentHashes: 2,
  waitingHashes: 64,
};

/** Collaborators. */
export interface AuthenticatorDeps {
  readonly credentials: CredentialIndex;
  readonly tokens: TokenService;
  readonly clock: Clock;
  readonly limits?: AuthLimits;
  readonly record?: (scheme: string, result: AuthResult) => void;
}

/** Creates an authenticator. */
export function createAuthenticator({
  credentials,
  tokens,
  clock,
  limits = DEFAULT_AUTH_LIMITS,
  record = () => {},
}: AuthenticatorDeps): Authenticator {
  const perUser = new FailureLimiter(clock, limits.failures);
  const perAddress = new FailureLimiter(clock, limits.addressFailures);
  const successes = new SuccessCache(clock, limits.successes);
  const running = new Map<string, Promise<boolean>>();
  const turns = createTurns(limits.concurrentHashes, limits.waitingHashes);
  // Checked in place of an unknown user's password, so that unknown and wrong take the same time. Made when first needed.
  let decoy: Promise<string> | undefined;

  /** Without a user (a token, an api key) only the address counts. */
  const refuse = (scheme: string, user: string | undefined, address: string): never => {
    if (user !== undefined) perUser.record(`${user}\n${address}`);
    perAddress.record(address);
    record(scheme, 'wrong');
    throw new Failure('unauthenticated');
  };

  const guard = (scheme: string, user: string | undefined, address: string): void => {
    const byUser = user === undefined ? undefined : perUser.blockedForSeconds(`${user}\n${address}`);
    const seconds = byUser ?? perAddress.blockedForSeconds(address);
    if (seconds === undefined) return;
    record(scheme, 'limited');
    throw new Failure('too-many-failures', undefined, {retryAfterSeconds: seconds});
  };

  /** Several requests with the same password share one computation. */
  const matches = (key: string, password: string, hash: string): Promise<boolean> => {
    const flight = `${key}\n${hash}`;
    let check = running.get(flight);
    if (check === undefined) {
      check = turns(async () => verifyPassword(password, hash)).finally(() => running.delete(flight));
      running.set(flight, check);
    }
    return check;
  };

  async function byPassword(scheme: AuthScheme, user: string, password: string, address: string): Promise<Account> {
    const account = credentials.accountOf(user);
    const stored = account === undefined ? undefined : credentials.passwordOf(account);
    const key = successes.keyOf(user, password);
    if (account !== undefined && stored !== undefined && 'hash' in stored && successes.has(key, stored.hash)) {
      record(scheme, 'cached');
      return account;
    }
    guard(scheme, user, address);
    if (account === undefined || stored === undefined) {
      decoy ??= hashPassword('no such user');
      await matches(key, password, await decoy);
      return refuse(scheme, user, address);
    }
    if (!(await isRight(stored, key, password))) return refuse(scheme, user, address);
    if ('hash' in stored) successes.add(key, stored.hash);
    record(scheme, 'ok');
    return account;
  }

  const isRight = async (stored: StoredPassword, key: string, password: string): Promise<boolean> =>
    'hash' in stored ? matches(key, password, stored.hash) : equalText(stored.clear.replace(/\r?\n$/, ''), password);

  function byToken(token: string): {readonly account: Account; readonly expiresAtMs: number | undefined} | undefined {
    const fixed = credentials.byDigest('token', hashToken(token));
    if (fixed !== undefined) return {account: fixed, expiresAtMs: undefined};
    const read = tokens.read(token);
    if (read === undefined) return undefined;
    const account = credentials.accountOf(read.account);
    // A changed password ends the tokens that were issued for the old one.
    if (account === undefined || tokens.passwordMark(credentials.passwordOf(account)) !== read.passwordMark) return undefined;
    return {account, expiresAtMs: read.expiresAtMs};
  }

  async function prove(shown: Credentials, address: string): Promise<Caller> {
    switch (shown.scheme) {
      case 'basic':
        return callerOf(await byPassword('basic', shown.user, shown.password, address), 'basic');
      case 'token': {
        const found = byToken(shown.token);
        if (found !== undefined) return ok(callerOf(found.account, 'token'));
        guard('token', undefined, address);
        return refuse('token', undefined, address);
      }
      case 'api-key': {
        const account = credentials.byDigest('api-key', hashToken(shown.key));
        if (account !== undefined) return ok(callerOf(account, 'api-key'));
        guard('api-key', undefined, address);
        return refuse('api-key', undefined, address);
      }
      case 'triple': {
        const project = projectOf(shown.project);
        const account = credentials.accountOf(shown.user);
        const digest = hashToken(shown.secret);
        const byKey = credentials.byDigest('api-key', digest) ?? byToken(shown.secret)?.account;
        if (byKey !== undefined && byKey === account) return ok(inProject(callerOf(byKey, 'triple'), project));
        return inProject(callerOf(await byPassword('triple', shown.user, shown.secret, address), 'triple'), project);
      }
      default:
        return shown satisfies never;
    }
  }

  const ok = (caller: Caller): Caller => {
    record(caller.scheme, 'ok');
    return caller;
  };

  return {
    async authenticate(request, schemes) {
      const shown = readCredentials(request, schemes);
      if (shown === undefined) {
        record('none', 'missing');
        throw new Failure('unauthenticated', undefined, {extra: {missing: true}});
      }
      return prove(shown, request.address);
    },
    login: async (user, password, address) => callerOf(await byPassword('basic', user, password, address), 'basic'),
    async token(token, address) {
      const found = byToken(token);
      if (found === undefined) {
        guard('token', undefined, address);
        return refuse('token', undefined, address);
      }
      return {caller: ok(callerOf(found.account, 'token')), expiresAtMs: found.expiresAtMs};
    },
    issue: (caller) => tokens.issue(caller.name, credentials.passwordOf(caller.account)),
  };
}

/** The caller of an account. */
function callerOf(account: Account, scheme: AuthScheme): Caller {
  const {name} = account.metadata;
  return {
    name,
    uuid: uuidOf(account),
    email: account.spec.email,
    roles: (account.spec.roles ?? []) as readonly Role[],
    namespace: account.status?.namespace ?? accountNamespace(name),
    projectId: account.spec.projectId === undefined ? undefined : String(account.spec.projectId),
    scheme,
    account,
  };
}

const UUID_OR_HEX = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

/** The project of a triple: an integer, or a UUID with or without hyphens (answered with them). */
function projectOf(project: string): string {
  if (/^\d{1,15}$/.test(project)) return String(Number(project));
  if (!UUID_OR_HEX.test(project))
    throw new Failure('unauthenticated', `Project "${project.slice(0, 64)}" is neither an integer nor a UUID`);
  return withHyphens(project);
}

function withHyphens(project: string): string {
  const hex = project.replaceAll('-', '').toLowerCase();
  return hex.length !== 32 ? project : `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** An account works in its own project; an admin, or an account without one, in the project it names. */
function inProject(caller: Caller, project: string): Caller {
  if (caller.projectId !== undefined && withHyphens(caller.projectId) !== project && !caller.roles.includes('admin')) {
    throw new Failure('unauthenticated', `Not a member of project "${project}"`);
  }
  return {...caller, projectId: project};
}

/** Compares in constant time, whatever the lengths. */
function equalText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** At most `concurrent` at a time, at most `waiting` in line. */
function createTurns(concurrent: number, waiting: number): <T>(work: () => Promise<T>) => Promise<T> {
  let active = 0;
  const line: (() => void)[] = [];
  return async (work) => {
    if (active >= concurrent) {
      if (line.length >= waiting) throw new Failure('unavailable', 'Too many logins at the same time', {retryAfterSeconds: 1});
      await new Promise<void>((resolve) => line.push(resolve));
    } else active += 1;
    try {
      return await work();
    } finally {
      const next = line.shift();
      if (next === undefined) active -= 1;
      else next();
    }
  };
}
