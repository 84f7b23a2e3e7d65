/** The fingerprint of an SSH public key as the APIs show it: MD5 of the key's bytes, in colon-separated hex. Pure. */
import {createHash} from 'node:crypto';

/** Names of key types, as the first word of a public key line and as the first string inside its bytes. */
const KEY_LINE = /^\s*(ssh-[a-z0-9-]+|ecdsa-sha2-[a-z0-9-]+|sk-[a-z0-9@.-]+)\s+([A-Za-z0-9+/]+={0,2})(?:\s.*)?$/s;

/** The fingerprint, or `undefined` when the text is not an OpenSSH public key (type, base64 bytes that repeat the type, comment). */
export function fingerprintOf(publicKey: string): string | undefined {
  const [, type, base64] = KEY_LINE.exec(publicKey) ?? [];
  if (type === undefined || base64 === undefined) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length < 4) return undefined;
  const length = bytes.readUInt32BE(0);
  if (bytes.subarray(4, 4 + length).toString('latin1') !== type) return undefined;
  const digest = createHash('md5').update(bytes).digest('hex');
  return digest.match(/../g)?.join(':');
}
