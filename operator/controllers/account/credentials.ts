/**
 * Credentials at rest. A person writes cleartext keys into the account's Secret; here each becomes a hash and the cleartext goes. A
 * password that its hash already admits keeps that hash: a new salt would end every session, and a manifest applied twice is no change.
 */
import type {Account} from '../../../crds/index.ts';
import {hashPassword, hashToken, listedTokens, verifyPassword} from '../../../crds/rules/credentials.ts';
import {LABELS} from '../../../crds/wellknown.ts';
import type {Secret} from '../../../kube/types.ts';

/** Cleartext keys that are lists of random tokens, one a line. */
const TOKEN_KEYS = ['api-key', 'token'] as const;

const decode = (value: string): string => Buffer.from(value, 'base64').toString('utf8');
const encode = (value: string): string => Buffer.from(value, 'utf8').toString('base64');

/**
 * Whether the Secret is this account's to change, and to delete with it: it holds credentials and is not another account's. The name in
 * `spec.credentialsSecret` is somebody's input, and the system namespace has Secrets of other kinds.
 */
export function mayHoldCredentials(secret: Secret, account: Account): boolean {
  const holder = secret.metadata.labels?.[LABELS.account];
  if (holder !== undefined) return holder === account.metadata.name;
  return ['password', ...TOKEN_KEYS].some((key) => secret.data?.[key] !== undefined || secret.data?.[`${key}.hash`] !== undefined);
}

/** Whether the Secret holds a key that must not stay as it is. */
const hasCleartext = (secret: Secret): boolean => ['password', ...TOKEN_KEYS].some((key) => secret.data?.[key] !== undefined);

/** The merge patch of `data` that replaces every cleartext key by its hash (`null` removes), or `undefined` when there is none. */
export async function hashedData(secret: Secret): Promise<Readonly<Record<string, string | null>> | undefined> {
  if (!hasCleartext(secret)) return undefined;
  const patch: Record<string, string | null> = {};
  const password = secret.data?.['password'];
  if (password !== undefined) {
    const cleartext = decode(password).replace(/\r?\n$/, '');
    const present = secret.data?.['password.hash'];
    const admitted = present !== undefined && (await verifyPassword(cleartext, decode(present)));
    patch['password'] = null;
    if (!admitted) patch['password.hash'] = encode(await hashPassword(cleartext));
  }
  for (const key of TOKEN_KEYS) {
    const value = secret.data?.[key];
    if (value === undefined) continue;
    patch[key] = null;
    patch[`${key}.hash`] = encode(listedTokens(decode(value)).map(hashToken).join('\n'));
  }
  return patch;
}
