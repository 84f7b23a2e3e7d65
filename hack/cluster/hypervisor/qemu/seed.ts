/** The NoCloud seed of a guest as virt-launcher makes it: an ISO 9660 image labelled `cidata`. */
import {execFile} from 'node:child_process';
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import type {Vmi} from '../types.ts';

const TIMEOUT_MS = 20_000;

/** A seed in a VMI's volumes: text, base64, or a Secret, which wins. */
export interface CloudInit {
  readonly userData?: string;
  readonly userDataBase64?: string;
  readonly secretRef?: {readonly name: string};
  readonly networkData?: string;
  readonly networkDataBase64?: string;
  readonly networkDataSecretRef?: {readonly name: string};
}

/** Entries of a Secret of the VMI's namespace, decoded. Rejects when there is no such Secret. */
export type ReadSecret = (name: string) => Promise<Readonly<Record<string, Buffer>>>;

/** The files of the seed. KubeVirt spells the keys of Secrets in two ways. */
export async function seedFiles(vmi: Vmi, seed: CloudInit, readSecret: ReadSecret): Promise<Readonly<Record<string, Buffer>>> {
  const pick = async (
    secret: {readonly name: string} | undefined,
    keys: readonly string[],
    base64: string | undefined,
    text: string | undefined,
  ): Promise<Buffer | undefined> => {
    if (secret !== undefined) {
      const entries = await readSecret(secret.name);
      return keys.map((key) => entries[key]).find((entry) => entry !== undefined);
    }
    if (base64 !== undefined) return Buffer.from(base64, 'base64');
    return text === undefined ? undefined : Buffer.from(text);
  };
  const userData = await pick(seed.secretRef, ['userdata', 'userData'], seed.userDataBase64, seed.userData);
  const networkData = await pick(seed.networkDataSecretRef, ['networkdata', 'networkData'], seed.networkDataBase64, seed.networkData);
  const firmware = vmi.spec.domain['firmware'] as {readonly uuid?: string} | undefined;
  const metaData = {
    'instance-id': firmware?.uuid ?? vmi.metadata.uid ?? '',
    'local-hostname': vmi.spec.hostname ?? vmi.metadata.name,
  };
  return {
    'user-data': userData ?? Buffer.alloc(0),
    'meta-data': Buffer.from(JSON.stringify(metaData)),
    ...(networkData === undefined ? {} : {'network-config': networkData}),
  };
}

/** Writes the image and removes what it was made from: there are passwords in it. Rejects with what genisoimage says. */
export async function writeSeed(image: string, files: Readonly<Record<string, Buffer>>): Promise<void> {
  const folder = `${image}.files`;
  mkdirSync(folder, {recursive: true, mode: 0o700});
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, {mode: 0o600});
    await promisify(execFile)('genisoimage', ['-quiet', '-o', image, '-V', 'cidata', '-r', '-J', folder], {timeout: TIMEOUT_MS});
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}
