/** From the body of a drive command to the fields of a Drive. Pure: every problem is collected and named by its key. */
import {MAX_DRIVE_BYTES, MIB_BYTES} from '../../crds/common.ts';
import {isUuid} from '../../crds/rules/names.ts';
import {hasForbiddenCharacter, valueOf, wordsOf, type Properties} from './codec.ts';
import {Problems} from './errors.ts';
import {parseSize} from './units.ts';

const MAX_DESCRIPTION = 4096;

/** What the installation offers. */
export interface DriveOffer {
  /** Whether a storage tier encrypts at rest; without one `aes-xts-plain` is refused rather than claimed. */
  readonly encryption: boolean;
}

/** The fields of `Drive.spec` that a body decides, in the words of the kind. */
export interface DriveFields {
  readonly name: string;
  readonly sizeBytes: number;
  readonly claimType: 'Exclusive' | 'Shared';
  readonly encryptionCipher: 'None' | 'AesXtsPlain';
  readonly readers: readonly string[];
  readonly tags: readonly string[];
  readonly use: readonly string[];
  readonly description: string | undefined;
}

function nameOf(body: Properties, problems: Problems): string {
  const name = valueOf(body, 'name');
  if (name === undefined) problems.add('name', 'This field is required.');
  else if (name.length > 255) problems.add('name', 'must not be longer than 255 characters');
  else if (hasForbiddenCharacter(name)) problems.add('name', 'must not have control characters');
  return name ?? '';
}

function claimTypeOf(body: Properties, problems: Problems): DriveFields['claimType'] {
  const text = valueOf(body, 'claim:type') ?? 'exclusive';
  if (text !== 'exclusive' && text !== 'shared') problems.add('claim:type', 'must be exclusive or shared');
  return text === 'shared' ? 'Shared' : 'Exclusive';
}

function cipherOf(body: Properties, offer: DriveOffer, problems: Problems): DriveFields['encryptionCipher'] {
  const text = valueOf(body, 'encryption:cipher') ?? (offer.encryption ? 'aes-xts-plain' : 'none');
  if (text !== 'none' && text !== 'aes-xts-plain') problems.add('encryption:cipher', 'must be none or aes-xts-plain');
  else if (text === 'aes-xts-plain' && !offer.encryption)
    problems.add('encryption:cipher', 'aes-xts-plain is not offered here: no storage tier encrypts');
  return text === 'aes-xts-plain' ? 'AesXtsPlain' : 'None';
}

function readersOf(body: Properties, problems: Problems): string[] {
  const readers = [...new Set(wordsOf(body, 'readers').map((word) => word.toLowerCase()))];
  for (const reader of readers) if (!isUuid(reader)) problems.add('readers', `${reader} is not a uuid`);
  return readers;
}

function descriptionOf(body: Properties, problems: Problems): string | undefined {
  const text = valueOf(body, 'description');
  if (text !== undefined && text.length > MAX_DESCRIPTION)
    problems.add('description', `must not be longer than ${MAX_DESCRIPTION} characters`);
  return text;
}

const distinctWords = (body: Properties, key: string): string[] => [...new Set(wordsOf(body, key))];

function sizeOf(body: Properties, problems: Problems): number | undefined {
  const text = valueOf(body, 'size');
  if (text === undefined) return undefined;
  const bytes = parseSize(text);
  if (bytes === undefined) problems.add('size', `${text} is not a size in bytes (with k, M, G or T behind it, or not)`);
  else if (bytes > MAX_DRIVE_BYTES) problems.add('size', `must not be more than ${MAX_DRIVE_BYTES} bytes`);
  return bytes ?? MIB_BYTES;
}

function fieldsOf(body: Properties, sizeBytes: number, offer: DriveOffer, problems: Problems): DriveFields {
  const fields: DriveFields = {
    name: nameOf(body, problems),
    sizeBytes,
    claimType: claimTypeOf(body, problems),
    encryptionCipher: cipherOf(body, offer, problems),
    readers: readersOf(body, problems),
    tags: distinctWords(body, 'tags'),
    use: distinctWords(body, 'use'),
    description: descriptionOf(body, problems),
  };
  problems.throwIfAny(body);
  return fields;
}

/** `drives/create`: name and size are required. Throws the 400 that lists every problem. */
export function readDriveCreate(body: Properties, offer: DriveOffer): DriveFields {
  const problems = new Problems();
  const size = sizeOf(body, problems);
  if (size === undefined) problems.add('size', 'This field is required.');
  else if (size < MIB_BYTES) problems.add('size', `must be at least ${MIB_BYTES} bytes`);
  return fieldsOf(body, size ?? MIB_BYTES, offer, problems);
}

/** `drives/U/clone`: name is required; without a size, or with size 0, the clone is as large as its source, and never smaller. */
export function readDriveClone(body: Properties, sourceBytes: number, offer: DriveOffer): DriveFields {
  const problems = new Problems();
  const size = sizeOf(body, problems);
  const wanted = size === undefined || size === 0 ? sourceBytes : size;
  if (size !== undefined && wanted < sourceBytes) problems.add('size', `must not be less than the ${sourceBytes} bytes of the original`);
  return fieldsOf(body, Math.max(wanted, MIB_BYTES), offer, problems);
}

/** Keys of `drives/U/set` that only replace a value, with the field of `DriveFields` behind each. */
const SETTABLE = [
  ['name', 'name'],
  ['readers', 'readers'],
  ['tags', 'tags'],
  ['use', 'use'],
  ['description', 'description'],
] as const;

function grownSize(body: Properties, currentBytes: number, problems: Problems): number {
  const size = sizeOf(body, problems);
  // jclouds sends 0 whenever no size was set.
  if (size === undefined || size === 0) return currentBytes;
  if (size < currentBytes)
    problems.add('size', `must not be less than the ${currentBytes} bytes that the drive has: a drive can only grow`);
  return size;
}

/**
 * `drives/U/set`: the fields that change; keys that are not sent keep their value, a bare key empties it. What the storage was made for
 * cannot be changed afterwards: a drive of one server never becomes one of several (a clone can), nor does its encryption change.
 */
export function readDriveSet(
  body: Properties,
  current: Pick<DriveFields, 'sizeBytes' | 'claimType' | 'encryptionCipher'>,
): Partial<DriveFields> {
  const problems = new Problems();
  const sizeBytes = grownSize(body, current.sizeBytes, problems);
  const claimType = body.has('claim:type') ? claimTypeOf(body, problems) : current.claimType;
  if (claimType === 'Shared' && current.claimType !== 'Shared')
    problems.add('claim:type', 'the storage of this drive was made for one server; clone it with claim:type shared');
  const cipher = valueOf(body, 'encryption:cipher');
  if (cipher !== undefined && cipher !== (current.encryptionCipher === 'AesXtsPlain' ? 'aes-xts-plain' : 'none'))
    problems.add('encryption:cipher', 'cannot be changed; a clone can have another one');
  const sent = {
    ...(body.has('name') ? {name: nameOf(body, problems)} : {}),
    readers: readersOf(body, problems),
    tags: distinctWords(body, 'tags'),
    use: distinctWords(body, 'use'),
    description: descriptionOf(body, problems),
  };
  problems.throwIfAny(body);
  return {...Object.fromEntries(SETTABLE.filter(([key]) => body.has(key)).map(([, field]) => [field, sent[field]])), sizeBytes, claimType};
}
