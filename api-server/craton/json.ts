/** JSON of the Craton API: read without silent rounding, written with sorted keys and a final newline. Pure. */
import {Failure} from '../http/failure.ts';

/** Context that the engine hands to a reviver: the digits as they were written. */
interface ReviverContext {
  readonly source?: string;
}

/** `JSON.parse` with the reviver's third argument, which the library's types do not have yet. */
const parse = JSON.parse as (
  text: string,
  reviver: (this: unknown, key: string, value: unknown, context: ReviverContext) => unknown,
) => unknown;

/** Deepest nesting of a body: far from where the recursion of parsing and writing would run out of stack. */
const MAX_DEPTH = 1000;

/** Whether arrays and objects lie in one another more than {@link MAX_DEPTH} deep. Of text that is not JSON the answer means nothing. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"') quoted = !quoted;
    else if (quoted && char === '\\') at += 1;
    else if (!quoted && (char === '[' || char === '{')) depth += 1;
    else if (!quoted && (char === ']' || char === '}')) depth -= 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

const isInteger = (source: string): boolean => /^-?\d+$/.test(source);

/** Stands, while a body is parsed, for a number that would come back changed. */
const INEXACT = Symbol('inexact');

/** Path of the first such number: `data.big`, `value.0`. */
function findInexact(value: unknown, path: readonly string[] = []): string | undefined {
  if (value === INEXACT) return path.join('.');
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const found = findInexact(item, [...path, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Parses a body. An integer beyond ±(2^53−1), or a number beyond the range of a double, would come back changed: it is refused, and the
 * key is named. Throws `bad-body` for text that is not JSON or nested too deeply.
 */
export function parseExactJson(text: string): unknown {
  if (isTooDeep(text)) throw new Failure('bad-body', `The request body is nested too deeply: at most ${MAX_DEPTH} levels are read`);
  let exact = true;
  let value: unknown;
  try {
    value = parse(text, (_key, item, {source}) => {
      if (typeof item !== 'number' || source === undefined) return item;
      if (Number.isFinite(item) && (!isInteger(source) || Number.isSafeInteger(item))) return item;
      exact = false;
      return INEXACT;
    });
  } catch (cause) {
    throw new Failure('bad-body', 'The request body is not valid JSON', {cause});
  }
  if (exact) return value;
  const message = `is a number that cannot be kept exactly: integers go from ${Number.MIN_SAFE_INTEGER} to ${Number.MAX_SAFE_INTEGER}`;
  throw new Failure('invalid', undefined, {fields: [{path: findInexact(value) ?? '', message}]});
}

/** Whether a JSON value is an object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  // fromEntries defines members, so that a key called `__proto__` stays an ordinary one.
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((key) => [key, sorted(value[key])]),
  );
}

/** Text of an answer. */
export function formatJson(value: unknown): string {
  return `${JSON.stringify(sorted(value))}\n`;
}
