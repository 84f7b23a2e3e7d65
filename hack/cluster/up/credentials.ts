/** Secrets of the two demo accounts: made up once per cluster, kept in a file that only its owner reads, and used again at the next `up`. */
import {createHash, randomBytes} from 'node:crypto';
import type {AnyObject} from '../../../kube/objects.ts';
import {readJson, writeAtomic} from '../files.ts';
import {NAMESPACE} from '../processes/programs.ts';

/** Secrets of one account, in cleartext. */
export interface AccountSecrets {
  readonly password: string;
  readonly apiKey: string;
  /** A token that does not expire. */
  readonly token: string;
}

/** The accounts of the demo cloud (cloud/accounts.yaml). */
export const ACCOUNT_NAMES = ['demo', 'other'] as const;

/** Account -> secrets. */
export type Credentials = Readonly<Record<(typeof ACCOUNT_NAMES)[number], AccountSecrets>>;

/** Digest of the secrets a Secret was written from; the secrets have 128 bits and more, so nothing is learnt from it. */
export const DIGEST_ANNOTATION = 'basalt.dev/local-cluster-digest';

/** New secrets. `random` gives so many random bytes. */
export function makeCredentials(random: (bytes: number) => Buffer = randomBytes): Credentials {
  const one = (): AccountSecrets => ({
    password: random(18).toString('base64url'),
    apiKey: random(24).toString('hex'),
    token: random(24).toString('hex'),
  });
  return {demo: one(), other: one()};
}

/** The secrets of the file, made and written if there is none; `made` tells which. */
export function ensureCredentials(path: string): {readonly credentials: Credentials; readonly made: boolean} {
  const there = readJson(path) as Credentials | undefined;
  if (there !== undefined) return {credentials: there, made: false};
  const credentials = makeCredentials();
  writeAtomic(path, `${JSON.stringify(credentials, undefined, 2)}\n`, 0o600);
  return {credentials, made: true};
}

/** Tells one set of secrets from another. */
export function digestOf(secrets: AccountSecrets): string {
  return createHash('sha256')
    .update(JSON.stringify([secrets.password, secrets.apiKey, secrets.token]))
    .digest('hex')
    .slice(0, 16);
}

/** The Secret that an account's controller reads, hashes and clears. */
export function credentialsSecret(account: string, secrets: AccountSecrets): AnyObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: `${account}-credentials`,
      namespace: NAMESPACE,
      labels: {'basalt.dev/account': account},
      annotations: {[DIGEST_ANNOTATION]: digestOf(secrets)},
    },
    type: 'Opaque',
    stringData: {password: secrets.password, 'api-key': secrets.apiKey, token: secrets.token},
  };
}
