/**
 * SHA-512 crypt (`$6$…`), the password hash of /etc/shadow: Ulrich Drepper's "Unix crypt using SHA-256 and SHA-512", version 0.6. Guests
 * set it with `chpasswd -e`, so the password itself never leaves the request. Pure.
 */
import {hash, randomBytes} from 'node:crypto';

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Rounds when the salt names none; such a hash carries no `rounds=`. */
const DEFAULT_ROUNDS = 5000;
const MIN_ROUNDS = 1000;
const MAX_ROUNDS = 999_999_999;
const MAX_SALT = 16;
const DIGEST = 64;

/**
 * Hashes a password. `setting` is what follows `$6$` up to the hash: a salt of at most 16 characters, optionally preceded by
 * `rounds=N$` (clamped to 1,000…999,999,999).
 */
export function sha512Crypt(password: string, setting: string): string {
  const {salt, rounds, explicit} = parseSetting(setting);
  const key = Buffer.from(password, 'utf8');
  const saltBytes = Buffer.from(salt, 'utf8');

  const alternate = sha512(key, saltBytes, key);
  const parts: Buffer[] = [key, saltBytes, repeat(alternate, key.length)];
  for (let bits = key.length; bits > 0; bits >>= 1) parts.push((bits & 1) === 1 ? alternate : key);
  let digest = sha512(...parts);

  const keyBytes = repeat(sha512(...Array.from({length: key.length}, () => key)), key.length);
  const saltRepeats = 16 + (digest[0] ?? 0);
  const saltSequence = repeat(sha512(...Array.from({length: saltRepeats}, () => saltBytes)), saltBytes.length);

  // One scratch buffer for all rounds: this loop is most of what a create over REST costs in CPU.
  const scratch = Buffer.alloc(DIGEST + saltSequence.length + 2 * keyBytes.length);
  for (let round = 0; round < rounds; round += 1) {
    const odd = (round & 1) === 1;
    let length = (odd ? keyBytes : digest).copy(scratch);
    if (round % 3 !== 0) length += saltSequence.copy(scratch, length);
    if (round % 7 !== 0) length += keyBytes.copy(scratch, length);
    length += (odd ? digest : keyBytes).copy(scratch, length);
    digest = hash('sha512', scratch.subarray(0, length), 'buffer');
  }
  return `$6$${explicit ? `rounds=${rounds}$` : ''}${salt}$${encode(digest)}`;
}

/**
 * Hashes with a fresh random salt of 16 characters. `guessable` (default true): a password that a person chose takes the default 5,000
 * rounds; ten random characters need no stretching and take the fewest that the format allows.
 */
export function hashForShadow(password: string, {guessable = true}: {readonly guessable?: boolean} = {}): string {
  const salt = [...randomBytes(MAX_SALT)].map((byte) => ALPHABET[byte & 63]).join('');
  return sha512Crypt(password, guessable ? salt : `rounds=${MIN_ROUNDS}$${salt}`);
}

function parseSetting(setting: string): {readonly salt: string; readonly rounds: number; readonly explicit: boolean} {
  const named = /^rounds=(\d{1,10})\$/.exec(setting);
  const salt = (named === null ? setting : setting.slice(named[0].length)).split('$', 1)[0] ?? '';
  const rounds = named === null ? DEFAULT_ROUNDS : Math.min(MAX_ROUNDS, Math.max(MIN_ROUNDS, Number(named[1])));
  return {salt: salt.slice(0, MAX_SALT), rounds, explicit: named !== null};
}

const sha512 = (...parts: Buffer[]): Buffer => hash('sha512', Buffer.concat(parts), 'buffer');

function repeat(block: Buffer, length: number): Buffer {
  const out = Buffer.alloc(length);
  for (let at = 0; at < length; at += block.length) block.copy(out, at);
  return out;
}

/** The order in which the digest's bytes are taken, three at a time; then byte 63 alone. */
function encode(digest: Buffer): string {
  let out = '';
  let [a, b, c] = [0, 21, 42];
  for (let group = 0; group < 21; group += 1) {
    out += base64((byte(digest, a) << 16) | (byte(digest, b) << 8) | byte(digest, c), 4);
    [a, b, c] = [b + 1, c + 1, a + 1];
  }
  return out + base64(byte(digest, DIGEST - 1), 2);
}

const byte = (digest: Buffer, at: number): number => digest[at] ?? 0;

function base64(value: number, characters: number): string {
  let [rest, out] = [value, ''];
  for (let at = 0; at < characters; at += 1) {
    out += ALPHABET[rest & 63];
    rest >>= 6;
  }
  return out;
}
