/** Makes RSA key pairs on the thread pool, few at a time: one takes up to a second of CPU, which others need as well. */
import {generateKeyPair, type KeyObject} from 'node:crypto';
import {Semaphore} from '../../kube/semaphore.ts';
import {Failure} from '../http/failure.ts';

/** A key pair that was made for a client. The private half is answered once, and neither stored nor logged. */
export interface MadeKeyPair {
  /** OpenSSH form: `ssh-rsa AAAA…`, without a comment. */
  readonly publicKey: string;
  /** PKCS #1 in PEM, as ssh-keygen and the document's example write it. */
  readonly privateKey: string;
}

/** Makes key pairs. */
export interface KeyPairMaker {
  /** A new RSA pair of 2048 bits. Throws `unavailable` when too many wait already, and the signal's reason. */
  make(signal: AbortSignal): Promise<MadeKeyPair>;
}

const MODULUS_BITS = 2048;
/** Of the four threads of the pool, which file and name look-ups share. */
const AT_ONCE = 2;
const LONGEST_LINE = 32;

/** Creates a maker with a line of its own. */
export function createKeyPairMaker(): KeyPairMaker {
  const places = new Semaphore(AT_ONCE, LONGEST_LINE);
  return {
    async make(signal) {
      await places.acquire(signal).catch((error: unknown) => {
        if (!(error instanceof RangeError)) throw error;
        throw new Failure('unavailable', 'Too many key pairs are being made.', {retryAfterSeconds: 5, cause: error});
      });
      try {
        const {publicKey, privateKey} = await generateRsa();
        return {publicKey: openSshOf(publicKey), privateKey: privateKey.export({type: 'pkcs1', format: 'pem'}).toString().trimEnd()};
      } finally {
        places.release();
      }
    },
  };
}

function generateRsa(): Promise<{readonly publicKey: KeyObject; readonly privateKey: KeyObject}> {
  return new Promise((resolve, reject) => {
    generateKeyPair('rsa', {modulusLength: MODULUS_BITS}, (error, publicKey, privateKey) => {
      if (error === null) resolve({publicKey, privateKey});
      else reject(error);
    });
  });
}

/** An RSA key in OpenSSH form (RFC 4253, 6.6): the type, the exponent and the modulus, each with its length before it. */
function openSshOf(key: KeyObject): string {
  const {e = '', n = ''} = key.export({format: 'jwk'});
  const parts = [Buffer.from('ssh-rsa'), positive(Buffer.from(e, 'base64url')), positive(Buffer.from(n, 'base64url'))];
  const bytes = Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
  return `ssh-rsa ${bytes.toString('base64')}`;
}

/** An `mpint` is signed: a zero byte goes before a number whose highest bit is set. */
function positive(number: Buffer): Buffer {
  return ((number[0] ?? 0) & 0x80) === 0 ? number : Buffer.concat([Buffer.alloc(1), number]);
}
