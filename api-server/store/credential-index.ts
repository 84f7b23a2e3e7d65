/**
 * Which credentials belong to which account, from the Secrets in the system namespace. Secrets normally hold hashes only; until the
 * operator has hashed a freshly written one, its cleartext keys count too, so that a new account can be used at once.
 */
import {LABELS, type Account} from '../../crds/index.ts';
import {hashToken, listedTokens} from '../../crds/rules/credentials.ts';
import {credentialsSecretOf} from '../../crds/rules/names.ts';
import type {Informer, IndexFunction} from '../../kube/informer.ts';
import type {Secret} from '../../kube/types.ts';
import type {Collection} from './types.ts';
import {isDeleting} from '../../kube/objects.ts';

/** High-entropy credentials that are found by their digest. */
export type DigestKind = 'token' | 'api-key';

/** A password as stored. `hash` is what `verifyPassword` reads; `clear` exists only until the operator has hashed it. */
export type StoredPassword = {readonly hash: string} | {readonly clear: string};

/** Look-ups of credentials. All are map accesses. */
export interface CredentialIndex {
  /** By `metadata.name` or e-mail address (any case). */
  accountOf(user: string): Account | undefined;
  passwordOf(account: Account): StoredPassword | undefined;
  /** The account that has a token or api key with this hash, as `hashToken` makes it. */
  byDigest(kind: DigestKind, hash: string): Account | undefined;
}

/** Indexes of the informer of credential Secrets. */
export const credentialIndexes: Record<string, IndexFunction<Secret>> = {
  token: (secret) => digests(secret, 'token'),
  'api-key': (secret) => digests(secret, 'api-key'),
};

/** Collaborators of {@link createCredentialIndex}. */
export interface CredentialIndexDeps {
  readonly accounts: Collection<Account>;
  readonly secrets: Informer<Secret>;
  readonly systemNamespace: string;
}

/** Creates the look-ups over the caches. */
export function createCredentialIndex({accounts, secrets, systemNamespace}: CredentialIndexDeps): CredentialIndex {
  let emails: {readonly revision: number; readonly byEmail: ReadonlyMap<string, Account>} | undefined;

  const byEmail = (email: string): Account | undefined => {
    if (emails?.revision !== accounts.revision) {
      const {revision} = accounts;
      // Of two accounts with one address the older one keeps it: later ones come first here and are overwritten.
      const entries = [...accounts.list()].reverse().map((account) => [account.spec.email.toLowerCase(), account] as const);
      emails = {revision, byEmail: new Map(entries)};
    }
    return emails.byEmail.get(email.toLowerCase());
  };

  const alive = (account: Account | undefined): Account | undefined => (account === undefined || isDeleting(account) ? undefined : account);

  return {
    accountOf: (user) => alive(user.includes('@') ? byEmail(user) : (accounts.get({name: user}) ?? byEmail(user))),

    passwordOf(account) {
      const secret = secrets.get(`${systemNamespace}/${credentialsSecretOf(account)}`);
      if (secret === undefined || secret.metadata.labels?.[LABELS.account] !== account.metadata.name) return undefined;
      const hash = text(secret, 'password.hash')?.trim();
      const clear = text(secret, 'password');
      // A cleartext one beside a hash is newer: it replaces the hash at the operator's next pass.
      if (clear !== undefined) return {clear};
      return hash === undefined ? undefined : {hash};
    },

    byDigest(kind, digest) {
      for (const secret of secrets.byIndex(kind, digest)) {
        const account = alive(accounts.get({name: secret.metadata.labels?.[LABELS.account] ?? ''}));
        // A Secret that merely carries the label of an account is not yet its credentials.
        if (account !== undefined && credentialsSecretOf(account) === secret.metadata.name) return account;
      }
      return undefined;
    },
  };
}

function text(secret: Secret, key: string): string | undefined {
  const value = secret.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
}

const digests = (secret: Secret, kind: DigestKind): string[] => [
  ...listedTokens(text(secret, `${kind}.hash`) ?? ''),
  ...listedTokens(text(secret, kind) ?? '').map(hashToken),
];
