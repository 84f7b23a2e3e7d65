/** Label and field selectors for the fake API server, as far as this project sends them. */
import type {FakeObject} from './fake-objects.ts';

/** Whether an object is selected. */
export type Selector = (object: FakeObject) => boolean;

/** Compiles `labelSelector` and `fieldSelector`. Throws an Error on syntax it does not know, so that a test never passes by accident. */
export function compileSelectors(labelSelector: string | null, fieldSelector: string | null): Selector {
  const tests = [...terms(labelSelector).map(labelTest), ...terms(fieldSelector).map(fieldTest)];
  return (object) => tests.every((test) => test(object));
}

/** Splits at commas that are not inside parentheses. */
function terms(selector: string | null): string[] {
  if (selector === null || selector.trim() === '') return [];
  return selector.split(/,(?![^(]*\))/).map((term) => term.trim());
}

function labelTest(term: string): Selector {
  const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(term);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    return (object) => {
      const value = object.metadata.labels?.[key];
      const inside = value !== undefined && values.includes(value);
      return operator === 'in' ? inside : !inside;
    };
  }
  const equality = /^([^!=\s]+)\s*(==|=|!=)\s*(\S*)$/.exec(term);
  if (equality !== null) {
    const [, key = '', operator, wanted = ''] = equality;
    return (object) => (object.metadata.labels?.[key] === wanted) === (operator !== '!=');
  }
  if (/^![\w./-]+$/.test(term)) return (object) => object.metadata.labels?.[term.slice(1)] === undefined;
  if (/^[\w./-]+$/.test(term)) return (object) => object.metadata.labels?.[term] !== undefined;
  throw new Error(`label selector not understood: ${term}`);
}

function fieldTest(term: string): Selector {
  const match = /^([\w.]+)(==|=|!=)(.*)$/.exec(term);
  if (match === null) throw new Error(`field selector not understood: ${term}`);
  const [, path = '', operator, wanted = ''] = match;
  return (object) => (valueAt(object, path.split('.').filter(Boolean)) === wanted) === (operator !== '!=');
}

function valueAt(value: unknown, path: readonly string[]): string {
  let at = value;
  for (const step of path) at = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[step] : undefined;
  return typeof at === 'string' || typeof at === 'number' || typeof at === 'boolean' ? String(at) : '';
}
