/** From the body of a drive command to the fields of a Drive. Pure: every problem is collected and named by its key. */
import {valueOf, wordsOf, type Properties} from './codec.ts';
import {Problems} from './errors.ts';
import {parseSize} from './units.ts';

/** Bounds of a drive, as the Drive kind has them: 1 MiB and 64 TiB. */
export const MIN_DRIVE_BYTES = 1024 ** 2;
const MAX_DRIVE_BYTES = 64 * 1024 ** 4;

/** Reader that stands for every user. */
export const EVERYONE = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether the text is a uuid in the usual form. */
export const isUuid = (text: string): boolean => UUID.test(text);

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
}

function nameOf(body: Properties, problems: Problems): string {
  const name = valueOf(body, 'name');
  if (name === undefined) problems.add('name', 'This field is required.');
  else if (name.length > 255) problems.add('name', 'must not be longer than 255 characters');
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

const distinctWords = (body: Properties, key: string): string[] => [...new Set(wordsOf(body, key))];

function sizeOf(body: Properties, problems: Problems): number | undefined {
  const text = valueOf(body, 'size');
  if (text === undefined) return undefined;
  const bytes = parseSize(text);
  if (bytes === undefined) problems.add('size', `${text} is not a size in bytes (with k, M, G or T behind it, or not)`);
  else if (bytes > MAX_DRIVE_BYTES) problems.add('size', `must not be more than ${MAX_DRIVE_BYTES} bytes`);
  return bytes ?? MIN_DRIVE_BYTES;
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
  };
  problems.throwIfAny(body);
  return fields;
}

/** `drives/create`: name and size are required. Throws the 400 that lists every problem. */
export function readDriveCreate(body: Properties, offer: DriveOffer): DriveFields {
  const problems = new Problems();
  const size = sizeOf(body, problems);
  if (size === undefined) problems.add('size', 'This field is required.');
  else if (size < MIN_DRIVE_BYTES) problems.add('size', `must be at least ${MIN_DRIVE_BYTES} bytes`);
  return fieldsOf(body, size ?? MIN_DRIVE_BYTES, offer, problems);
}

/** `drives/U/clone`: name is required; without a size, or with size 0, the clone is as large as its source, and never smaller. */
export function readDriveClone(body: Properties, sourceBytes: number, offer: DriveOffer): DriveFields {
  const problems = new Problems();
  const size = sizeOf(body, problems);
  const wanted = size === undefined || size === 0 ? sourceBytes : size;
  if (size !== undefined && wanted < sourceBytes) problems.add('size', `must not be less than the ${sourceBytes} bytes of the original`);
  return fieldsOf(body, Math.max(wanted, MIN_DRIVE_BYTES), offer, problems);
}
