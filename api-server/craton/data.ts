/** The body of `/data`, read tolerantly: the documented pair, the mapping of the servers that existed, and the lists of names. Pure. */
import {MAX_DATA_BYTES} from '../../crds/inventory.ts';
import {Failure} from '../http/failure.ts';
import {MAX_STRING, type Body} from './fields.ts';
import {isObject} from './json.ts';

/** Throws the 413 when the data, as JSON, is larger than one object may have. */
export function checkDataSize(data: Body): void {
  const bytes = Buffer.byteLength(JSON.stringify(data), 'utf8');
  if (bytes > MAX_DATA_BYTES) {
    const message = `data has ${bytes} bytes, at most ${MAX_DATA_BYTES} are kept per object`;
    throw new Failure('payload-too-large', message, {fields: [{path: 'data', message}]});
  }
}

function checkKey(key: unknown): string {
  if (typeof key === 'string' && key !== '' && key.length <= MAX_STRING) return key;
  throw new Failure('invalid', undefined, {fields: [{path: 'key', message: `must be a string of 1 to ${MAX_STRING} characters`}]});
}

/** What a PUT sets: `{"key","value"}` (a pair; without `value` it is null) or a mapping. */
export function readDataChanges(body: unknown): ReadonlyMap<string, unknown> {
  if (!isObject(body)) throw new Failure('bad-body', 'The request body must be a JSON object');
  const members = Object.keys(body);
  const isPair = Object.hasOwn(body, 'key') && members.every((member) => member === 'key' || member === 'value');
  if (isPair) return new Map([[checkKey(body['key']), body['value'] ?? null]]);
  return new Map(members.map((member) => [checkKey(member), body[member]]));
}

/** The names that a DELETE takes away: an array, `{"key"}`, a mapping whose values are the names, or the argument `key`. */
export function readDataNames(body: unknown, argument: string | null): readonly string[] {
  if (body === undefined) return argument === null ? missingNames() : [checkKey(argument)];
  if (Array.isArray(body)) return body.map(checkKey);
  if (!isObject(body)) throw new Failure('bad-body', 'The request body must be a JSON object or an array of names');
  if (Object.hasOwn(body, 'key')) return [checkKey(body['key'])];
  return Object.values(body).map(checkKey);
}

function missingNames(): never {
  throw new Failure('invalid', undefined, {fields: [{path: 'key', message: 'is required: in the body or as an argument'}]});
}

/** `data` with the changes merged in; other keys stay. */
export function mergeData(data: Body, changes: ReadonlyMap<string, unknown>): Body {
  return Object.fromEntries([...new Map(Object.entries(data)), ...changes]);
}

/** `data` without the names. */
export function withoutData(data: Body, names: readonly string[]): Body {
  return Object.fromEntries(Object.entries(data).filter(([key]) => !names.includes(key)));
}
