/** Readers of single members of a request body. Each adds its problem and answers undefined when the member is absent or wrong. */
import {hasControlCharacter} from '../../crds/rules/names.ts';
import type {Problems} from './errors.ts';
import {isObject} from './json.ts';

/** Longest string anywhere but in `data`. */
export const MAX_STRING = 255;

/** A body that is an object. */
export type Body = Readonly<Record<string, unknown>>;

/** A region or cell as named in a body: name, uuid, or id. */
export type Reference = string | number;

const given = (body: Body, member: string): unknown => (Object.hasOwn(body, member) ? (body[member] ?? undefined) : undefined);

/** Says that a required member is missing. */
export const MISSING = 'is required';

/** A string of 1 to 255 characters, none of them a control character. */
export function readString(body: Body, member: string, problems: Problems): string | undefined {
  const value = readFreeString(body, member, problems);
  if (value === undefined || !hasControlCharacter(value)) return value;
  problems.add(member, 'must not have control characters');
  return undefined;
}

function readFreeString(body: Body, member: string, problems: Problems): string | undefined {
  const value = given(body, member);
  if (value === undefined) return undefined;
  if (typeof value !== 'string') problems.add(member, 'must be a string');
  else if (value === '') problems.add(member, 'must not be empty');
  else if (value.length > MAX_STRING) problems.add(member, `must not be longer than ${MAX_STRING} characters`);
  else return value;
  return undefined;
}

/** Prose (`note`): up to 255 characters, of which some may be line breaks. */
export function readText(body: Body, member: string, problems: Problems): string | undefined {
  return given(body, member) === '' ? '' : readFreeString(body, member, problems);
}

/** A UUID, with or without hyphens, in its usual spelling. */
export function readUuid(body: Body, member: string, problems: Problems): string | undefined {
  const value = readString(body, member, problems);
  if (value === undefined) return undefined;
  const hex = /^[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}$/i.test(value)
    ? value.toLowerCase().replaceAll('-', '')
    : '';
  if (hex === '') problems.add(member, `${value} is not a UUID`);
  return hex === '' ? undefined : hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** A list of strings, without repetitions. */
export function readStrings(body: Body, member: string, problems: Problems): string[] | undefined {
  const value = given(body, member);
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((item): item is string => typeof item === 'string' && item !== '' && item.length <= MAX_STRING))
    return [...new Set(value)];
  problems.add(member, 'must be an array of strings');
  return undefined;
}

/** `true` or `false`. */
export function readBoolean(body: Body, member: string, problems: Problems): boolean | undefined {
  const value = given(body, member);
  if (value === undefined || typeof value === 'boolean') return value;
  problems.add(member, 'must be true or false');
  return undefined;
}

/** Name, uuid or id of another object. */
export function readReference(body: Body, member: string, problems: Problems): Reference | undefined {
  const value = given(body, member);
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  if (value === undefined || typeof value === 'string') return readString(body, member, problems);
  problems.add(member, 'must be a name, a UUID or an id');
  return undefined;
}

/** User data: an object of anything. Its size is {@link checkDataSize}'s business, because that is a 413. */
export function readData(body: Body, member: string, problems: Problems): Body | undefined {
  const value = given(body, member);
  if (value === undefined || isObject(value)) return value;
  problems.add(member, 'must be an object');
  return undefined;
}
