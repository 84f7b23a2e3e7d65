/** Hashes and comparisons of JSON values, whatever the order of their keys. Pure. */
import {createHash} from 'node:crypto';

/** SHA-256 (hex) of the canonical form: keys sorted, what is undefined left out. */
export function hashJson(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** JSON text with sorted keys. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((each) => (each === undefined ? 'null' : canonicalJson(each))).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, each]) => each !== undefined);
    return `{${fields
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => `${JSON.stringify(key)}:${canonicalJson(each)}`)
      .join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** Whether `whole` has every key of `part` with an equal value. Nothing is part of anything. */
export function containsRecord(
  whole: Readonly<Record<string, unknown>> | undefined,
  part: Readonly<Record<string, unknown>> | undefined,
): boolean {
  return Object.entries(part ?? {}).every(([key, value]) => canonicalJson(whole?.[key]) === canonicalJson(value));
}
