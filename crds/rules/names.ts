/** Names: how `metadata.name` is made from what people call things. */
import {createHash} from 'node:crypto';
import type {Account} from '../account.ts';
import {credentialsSecretName} from '../wellknown.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const HASH_LENGTH = 8;

// oxlint-disable-next-line no-control-regex -- they are what it looks for
const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * Whether the text has a control character (U+0000 to U+001F, U+007F), line breaks and tabs included. Names may not: they are shown on
 * terminals and in line-based formats.
 */
export const hasControlCharacter = (text: string): boolean => CONTROL.test(text);

/** Whether the text is a UUID in the usual form, lower case. */
export const isUuid = (text: string): boolean => UUID.test(text);

/** A readable part for a name: lower-case letters, digits and single hyphens, at most `max` characters; '' when nothing is left. */
export function slug(text: string, max: number): string {
  const words = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, '') // accents, split off by NFKD
    .replace(/[^a-z0-9]+/g, '-');
  return words.replace(/^-/, '').slice(0, max).replace(/-$/, '');
}

/**
 * The name of an inventory object from its whole unique key (of a region: project and name): the last part as a slug, and a hash of all
 * parts. The same key gives the same name, so the cluster itself refuses a duplicate; different keys give different names, also when the
 * slugs agree. Always a DNS label of at most 63 characters.
 */
export function inventoryName(...keyParts: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(keyParts)).digest('hex').slice(0, HASH_LENGTH);
  const readable = slug(keyParts.at(-1) ?? '', 63 - HASH_LENGTH - 1);
  return `${readable === '' ? 'x' : readable}-${hash}`;
}

/** The name of the root drive that the operator makes for a server. */
export const rootDriveName = (serverName: string): string => `${serverName}-root`;
/** The name of the Secret with a server's cloud-init data. */
export const cloudInitSecretName = (serverName: string): string => `${serverName}-cloudinit`;
/** The name of the Secret with an account's credentials, in the system namespace. */
export const credentialsSecretOf = ({metadata, spec}: Pick<Account, 'metadata' | 'spec'>): string =>
  spec.credentialsSecret?.name ?? credentialsSecretName(metadata.name);
