/** Merge patch, JSON patch and a simple server-side apply, for the fake API server. Pure: arguments are not changed. */
import {FakeStatusError, sameJson} from './fake-objects.ts';

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Json = isObject(target) ? {...target} : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

/** RFC 6902: add, remove, replace, test. A `test` that fails is answered 422 Invalid, as kube-apiserver does. */
export function jsonPatch(target: unknown, operations: unknown): unknown {
  if (!Array.isArray(operations)) throw new FakeStatusError(400, 'BadRequest', 'a JSON patch is a list of operations');
  const root = {value: structuredClone(target)};
  for (const {op, path, value} of operations as {op: string; path: string; value?: unknown}[]) {
    const steps = [
      'value',
      ...path
        .split('/')
        .slice(1)
        .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~')),
    ];
    const last = steps.pop() ?? '';
    const parent = steps.reduce<unknown>((at, step) => (at as Json | undefined)?.[step], root);
    if (typeof parent !== 'object' || parent === null) throw unprocessable(`${op} ${path}: no such parent`);
    operate(parent as Json | unknown[], last, op, path, value);
  }
  return root.value;
}

function operate(parent: Json | unknown[], key: string, op: string, path: string, value: unknown): void {
  const present = Array.isArray(parent) ? Number(key) < parent.length : key in parent;
  const at = (parent as Json)[key];
  switch (op) {
    case 'test':
      if (!sameJson(at, value)) throw unprocessable(`testing value ${path} failed`);
      return;
    case 'add':
      if (Array.isArray(parent)) parent.splice(key === '-' ? parent.length : Number(key), 0, value);
      else parent[key] = value;
      return;
    case 'replace':
      if (!present) throw unprocessable(`replace ${path}: missing`);
      (parent as Json)[key] = value;
      return;
    case 'remove':
      if (!present) throw unprocessable(`remove ${path}: missing`);
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete parent[key];
      return;
    default:
      throw new FakeStatusError(400, 'BadRequest', `unknown operation ${op}`);
  }
}

const unprocessable = (message: string): FakeStatusError =>
  new FakeStatusError(422, 'Invalid', `the server rejected our request due to an error in our request: ${message}`);

/**
 * Server-side apply without schemas: maps are merged, lists are atomic, and what this manager applied last time and does not now goes
 * away. A value that another manager applied and that differs is a conflict unless forced.
 */
export function applyPatch(
  live: unknown,
  desired: Json,
  last: Json | undefined,
  others: ReadonlyMap<string, Json>,
  force: boolean,
): unknown {
  if (!force) {
    for (const [manager, theirs] of others) {
      const path = collision(theirs, desired, '');
      if (path !== undefined)
        throw new FakeStatusError(409, 'Conflict', `Apply failed with 1 conflict: conflict with "${manager}": ${path}`);
    }
  }
  return merged(isObject(live) ? live : {}, desired, last);
}

function merged(live: Json, desired: Json, last: Json | undefined): Json {
  const result: Json = {...live};
  for (const key of Object.keys(last ?? {})) {
    if (!(key in desired)) delete result[key];
  }
  for (const [key, value] of Object.entries(desired)) {
    const before = result[key];
    const mine = last?.[key];
    result[key] = isObject(value)
      ? merged(isObject(before) ? before : {}, value, isObject(mine) ? mine : undefined)
      : structuredClone(value);
  }
  return result;
}

function collision(theirs: Json, mine: Json, path: string): string | undefined {
  for (const [key, value] of Object.entries(mine)) {
    if (!(key in theirs) || ['apiVersion', 'kind'].includes(key)) continue;
    const other = theirs[key];
    if (isObject(value) && isObject(other)) {
      if (path === '' && key === 'metadata') {
        const {labels, annotations} = value;
        const inner = collision(
          other,
          {...(labels === undefined ? {} : {labels}), ...(annotations === undefined ? {} : {annotations})},
          '.metadata',
        );
        if (inner !== undefined) return inner;
        continue;
      }
      const inner = collision(other, value, `${path}.${key}`);
      if (inner !== undefined) return inner;
    } else if (!sameJson(value, other)) {
      return `${path}.${key}`;
    }
  }
  return undefined;
}
