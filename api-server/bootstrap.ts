/** What must exist before the first request: the key that signs tokens. */
import {randomBytes} from 'node:crypto';
import type {KubeClient} from '../kube/client.ts';
import {isAlreadyExists, isNotFound} from '../kube/errors.ts';
import {SECRET, type Secret} from '../kube/types.ts';

/** Secret with the key, in the system namespace; shared by all replicas. */
export const TOKEN_KEY_SECRET = 'basalt-token-key';
const KEY_BYTES = 32;

/** Options of {@link ensureTokenKey}. */
export interface TokenKeyOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly signal: AbortSignal;
}

/**
 * Reads the key, making one when there is none. Of two replicas that start at once, one creates and the other reads that. Throws when
 * the Secret holds something shorter than 32 bytes: signing with it would be worth nothing.
 */
export async function ensureTokenKey({client, namespace, signal}: TokenKeyOptions): Promise<Buffer> {
  const ref = {namespace, name: TOKEN_KEY_SECRET};
  try {
    return keyOf(await client.get(SECRET, ref, {signal}));
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  const key = randomBytes(KEY_BYTES).toString('base64');
  const secret: Secret = {apiVersion: 'v1', kind: 'Secret', metadata: ref, type: 'Opaque', data: {key}};
  try {
    return keyOf(await client.create(SECRET, secret, {signal}));
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    return keyOf(await client.get(SECRET, ref, {signal}));
  }
}

function keyOf({data}: Secret): Buffer {
  const key = Buffer.from(data?.['key'] ?? '', 'base64');
  if (key.length < KEY_BYTES) throw new Error(`Secret ${TOKEN_KEY_SECRET}: key has ${key.length} bytes, at least ${KEY_BYTES} are needed`);
  return key;
}
