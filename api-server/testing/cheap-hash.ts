/** Password hashes for tests. */
import {scryptSync} from 'node:crypto';

/** The scrypt hash of a test's password, at a small cost. */
export function cheapHash(password: string): string {
  const salt = Buffer.alloc(16, 7);
  return `scrypt$64$1$1$${salt.toString('base64')}$${scryptSync(password, salt, 32, {N: 64, r: 1, p: 1}).toString('base64')}`;
}
