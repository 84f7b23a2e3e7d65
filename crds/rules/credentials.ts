/**
 * Credentials at rest and on the wire. Passwords are chosen by people: scrypt. API keys and tokens are random: one SHA-256 is enough.
 * Issued tokens carry their own proof, so no replica has to remember them; a changed password ends them all. Nothing here logs or throws
 * what it was given.
 */
import {createHash, createHmac, randomBytes, scrypt, timingSafeEqual} from 'node:crypto';

/** Cost of a new hash: N, r, p. About 50 ms and 16 MiB each. */
const COST = {N: 16_384, r: 8, p: 1} as const;
/** Costs above these are refused when read: a hash that somebody wrote must not be able to exhaust memory (128 * N * r bytes). */
const MAX_COST = {N: 131_072, r: 16, p: 4} as const;
const KEY_BYTES = 32;
const SALT_BYTES = 16;

/** Longest password that is looked at, in UTF-16 units. */
export const MAX_PASSWORD_LENGTH = 1024;

interface ScryptHash {
  readonly N: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

function derive(password: string, {N, r, p, salt}: Omit<ScryptHash, 'hash'>, bytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, bytes, {N, r, p, maxmem: 256 * N * r}, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

/** The salted hash of a password, `scrypt$N$r$p$<salt>$<hash>`. Two calls give two different texts. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, {...COST, salt}, KEY_BYTES);
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64'), hash.toString('base64')].join('$');
}

function readHash(stored: string): ScryptHash | undefined {
  const match = /^scrypt\$(\d{1,7})\$(\d{1,3})\$(\d{1,3})\$([A-Za-z0-9+/]+=*)\$([A-Za-z0-9+/]+=*)$/.exec(stored.trim());
  if (match === null) return undefined;
  const [N, r, p] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const [salt, hash] = [Buffer.from(match[4] ?? '', 'base64'), Buffer.from(match[5] ?? '', 'base64')];
  const sane = N >= 2 && (N & (N - 1)) === 0 && N <= MAX_COST.N && r >= 1 && r <= MAX_COST.r && p >= 1 && p <= MAX_COST.p;
  return sane && salt.length >= 8 && hash.length >= 16 && hash.length <= 64 ? {N, r, p, salt, hash} : undefined;
}

/** Whether the password belongs to the hash. A hash that cannot be read belongs to no password. */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const known = readHash(stored);
  if (known === undefined || password.length > MAX_PASSWORD_LENGTH) return false;
  return timingSafeEqual(await derive(password, known, known.hash.length), known.hash);
}

/** The hash of an API key or token, `sha256$<hex>`. */
export const hashToken = (token: string): string => `sha256$${createHash('sha256').update(token).digest('hex')}`;

/** The tokens, or the hashes of tokens, that a key of the Secret lists: one a line. */
export const listedTokens = (stored: string): readonly string[] =>
  stored
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** Fingerprint of a stored password, part of issued tokens: another password, other tokens. */
export const passwordFingerprint = (passwordHash: string): string =>
  createHash('sha256').update(passwordHash.trim()).digest('hex').slice(0, 12);

/** What an issued token says. `passwordKey` is {@link passwordFingerprint} of the password that it was issued for. */
export interface IssuedToken {
  /** `metadata.name` of the Account. */
  readonly account: string;
  /** End of its life, epoch seconds. */
  readonly expiresAt: number;
  readonly passwordKey: string;
}

const sign = (payload: string, key: Buffer): Buffer => createHmac('sha256', key).update(payload).digest();

/** An issued token, signed with `key` (at least 32 random bytes). */
export function issueToken({account, expiresAt, passwordKey}: IssuedToken, key: Buffer): string {
  const payload = Buffer.from(JSON.stringify({a: account, e: expiresAt, k: passwordKey})).toString('base64url');
  return `${payload}.${sign(payload, key).toString('base64url')}`;
}

/**
 * What a token says, when its signature is right and it is not over at `nowMs` (epoch milliseconds); else undefined. The caller still
 * compares `passwordKey` with the account's password of today.
 */
export function readToken(token: string, key: Buffer, nowMs: number): IssuedToken | undefined {
  const match = /^([A-Za-z0-9_-]{1,1024})\.([A-Za-z0-9_-]{43})$/.exec(token);
  const [payload, signature] = [match?.[1], match?.[2]];
  if (payload === undefined || signature === undefined) return undefined;
  const given = Buffer.from(signature, 'base64url');
  const known = sign(payload, key);
  if (given.length !== known.length || !timingSafeEqual(given, known)) return undefined;
  const said = parse(payload);
  return said !== undefined && said.expiresAt * 1000 > nowMs ? said : undefined;
}

function parse(payload: string): IssuedToken | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // signed by us, but not a token
    throw error;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const {a, e, k} = value as {readonly a?: unknown; readonly e?: unknown; readonly k?: unknown};
  return typeof a === 'string' && typeof e === 'number' && typeof k === 'string' ? {account: a, expiresAt: e, passwordKey: k} : undefined;
}
