/** The body of POST /os-keypairs. Pure. */
import {isObject} from '../http/body.ts';
import {Failure} from '../http/failure.ts';
import {codePoints} from './create-input.ts';

/** What a client asks for. */
export interface KeyPairRequest {
  readonly name: string;
  /** As it was sent. Undefined: a pair is to be made. */
  readonly publicKey: string | undefined;
}

/** The bounds of KeyPair's `spec`, which counts characters. */
const LIMITS = {name: 255, publicKey: 16_384} as const;

/** Characters that cannot be seen: control, format, unassigned; and every separator but the blank. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

const bad = (message: string): Failure => new Failure('bad-request', message);

/** Throws `bad-request`, and `over-limit` for a public key that is too long. */
export function readKeyPair(body: Readonly<Record<string, unknown>>): KeyPairRequest {
  const {keypair} = body;
  if (!isObject(keypair)) throw bad('Malformed request: "keypair" is missing or not an object');
  // OpenStack clients send the type of newer API versions; certificates are of no use to the guests of this cloud.
  if ((keypair['type'] ?? 'ssh') !== 'ssh') throw bad('Invalid "type": only ssh key pairs are offered');
  return {name: readName(keypair['name']), publicKey: readPublicKey(keypair['public_key'] ?? undefined)};
}

function readName(name: unknown): string {
  if (typeof name !== 'string' || name.trim() === '') throw bad('Malformed request: "name" is missing or empty');
  if (codePoints(name) > LIMITS.name) throw bad(`"name" is longer than ${LIMITS.name} characters`);
  if (UNPRINTABLE.test(name)) throw bad('Invalid name format: "name" has a character that cannot be printed');
  return name;
}

/** Any text is taken: what is no key is stored with an unknown fingerprint, and guests skip it. */
function readPublicKey(key: unknown): string | undefined {
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || key.trim() === '') throw bad('Malformed request: "public_key" is not a string, or empty');
  if (codePoints(key) > LIMITS.publicKey) throw new Failure('over-limit', `"public_key" is longer than ${LIMITS.publicKey} characters`);
  // A mistake that would keep somebody's secret where everybody in the account may read it.
  if (key.includes('PRIVATE KEY-----')) throw bad('"public_key" is a private key');
  return key;
}
