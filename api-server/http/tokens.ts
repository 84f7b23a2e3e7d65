/** Issues and reads tokens of accounts. Stateless: the key is shared by all replicas, nothing is stored per token. */
import {hashToken, issueToken, passwordFingerprint, readToken} from '../../crds/rules/credentials.ts';
import type {Clock} from '../../kube/clock.ts';
import type {StoredPassword} from '../store/credential-index.ts';

/** A token to hand out. */
export interface IssuedToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

/** What a valid token says; its password mark must still be compared with the account's. */
export interface ReadToken {
  readonly account: string;
  readonly passwordMark: string;
  readonly expiresAtMs: number;
}

/** Issues and reads tokens. */
export interface TokenService {
  issue(account: string, password: StoredPassword | undefined): IssuedToken;
  /** Undefined when it is not a token of ours, or over. */
  read(token: string): ReadToken | undefined;
  /** What ties a token to the password it was issued for: a changed password ends it. */
  passwordMark(password: StoredPassword | undefined): string;
}

/** Options of {@link createTokenService}. */
export interface TokenServiceOptions {
  /** At least 32 random bytes. */
  readonly key: Buffer;
  readonly clock: Clock;
  /** How long a token lives. */
  readonly lifetimeMs: number;
}

/** Creates the service. */
export function createTokenService({key, clock, lifetimeMs}: TokenServiceOptions): TokenService {
  const passwordMark = (password: StoredPassword | undefined): string => {
    if (password === undefined) return 'none';
    // Hashing a fresh cleartext password ends the tokens issued in the seconds before; the client logs in again.
    return passwordFingerprint('hash' in password ? password.hash : `clear$${hashToken(password.clear)}`);
  };
  return {
    issue(account, password) {
      const expiresAt = Math.floor((clock.now() + lifetimeMs) / 1000);
      return {token: issueToken({account, expiresAt, passwordKey: passwordMark(password)}, key), expiresAtMs: expiresAt * 1000};
    },
    read(token) {
      const read = readToken(token, key, clock.now());
      return read === undefined ? undefined : {account: read.account, passwordMark: read.passwordKey, expiresAtMs: read.expiresAt * 1000};
    },
    passwordMark,
  };
}
