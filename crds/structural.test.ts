import {describe, expect, test} from '@jest/globals';
import {ALL_KINDS, CONDITION_TYPES} from './index.ts';
import {MAX_DATA_BYTES} from './inventory.ts';
import {customResourceDefinition, objectSchema} from './manifest.ts';
import type {KindDefinition} from './resource.ts';
import type {JsonSchema} from './schema.ts';
import {nodesOf, nodesOfKind, rulesOfKind} from './testing/walk.ts';

/** Where a kind breaks a rule of the house: one line per node, so that a failure names the field. */
const breaches = (kind: KindDefinition, breach: (node: JsonSchema, path: string) => boolean): readonly string[] =>
  nodesOfKind(kind)
    .filter(({node, path}) => breach(node, path))
    .map(({path}) => path);

const isOpen = (node: JsonSchema): boolean => node['x-kubernetes-preserve-unknown-fields'] === true;

describe.each(ALL_KINDS.map((kind) => [kind.kind, kind] as const))('%s', (_name, kind) => {
  test('every node has a type, but the values of open maps', () => {
    expect(breaches(kind, (node) => node.type === undefined && !isOpen(node))).toEqual([]);
  });

  test('every node has a description', () => {
    expect(breaches(kind, (node) => (node.description ?? '').length < 3)).toEqual([]);
  });

  test('every string, list, map and integer is bounded', () => {
    const bounded = (node: JsonSchema): boolean => {
      if (node.type === 'string') return node.maxLength !== undefined || node.enum !== undefined;
      if (node.type === 'array') return node.maxItems !== undefined;
      if (node.type === 'integer') return node.minimum !== undefined && node.maximum !== undefined && Number.isSafeInteger(node.maximum);
      if (node.type === 'object') return node.properties !== undefined || node.maxProperties !== undefined;
      return true;
    };
    expect(breaches(kind, (node) => !bounded(node))).toEqual([]);
  });

  test('an object has properties or additionalProperties, never both', () => {
    expect(
      breaches(
        kind,
        (node) => (node.type === 'object') !== ((node.properties === undefined) !== (node.additionalProperties === undefined)),
      ),
    ).toEqual([]);
  });

  test('only words that structural schemas know', () => {
    const known = new Set([
      ...['type', 'description', 'properties', 'required', 'additionalProperties', 'maxProperties', 'items', 'minItems', 'maxItems'],
      ...['minLength', 'maxLength', 'pattern', 'format', 'enum', 'minimum', 'maximum', 'nullable', 'default'],
      ...['x-kubernetes-validations', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys', 'x-kubernetes-preserve-unknown-fields'],
    ]);
    expect(breaches(kind, (node) => Object.keys(node).some((word) => !known.has(word)))).toEqual([]);
  });

  test('no booleans, floats or maps of structs; integers say their width', () => {
    expect(breaches(kind, (node) => !['object', 'array', 'string', 'integer', undefined].includes(node.type))).toEqual([]);
    expect(breaches(kind, (node) => node.type === 'integer' && node.format === undefined)).toEqual([]);
    expect(breaches(kind, (node) => typeof node.additionalProperties === 'object' && !isOpen(node.additionalProperties))).toEqual([]);
  });

  test('every list says its type, and a list of objects merges by required keys or is atomic', () => {
    expect(breaches(kind, (node) => node.type === 'array' && node['x-kubernetes-list-type'] === undefined)).toEqual([]);
    const keyed = (node: JsonSchema): boolean =>
      (node['x-kubernetes-list-map-keys'] ?? []).every(
        (key) => node.items?.required?.includes(key) === true || node.items?.properties?.[key]?.default !== undefined,
      );
    expect(
      breaches(kind, (node) => (node['x-kubernetes-list-type'] === 'map') !== (node['x-kubernetes-list-map-keys'] !== undefined)),
    ).toEqual([]);
    expect(breaches(kind, (node) => !keyed(node))).toEqual([]);
    expect(breaches(kind, (node) => node['x-kubernetes-list-type'] === 'set' && node.items?.type === 'object')).toEqual([]);
  });

  test('names are camelCase and enum values are words', () => {
    // Initialisms of the domain keep their usual form (MiB, MHz, GiB).
    const names = nodesOfKind(kind).flatMap(({node}) => Object.keys(node.properties ?? {}));
    expect(names.filter((name) => !/^[a-z][A-Za-z0-9]*$/.test(name))).toEqual([]);
    const specValues = [...nodesOf(kind.spec, 'spec')].flatMap(({node}) => node.enum ?? []);
    expect(specValues.filter((value) => !/^[A-Za-z0-9]+$/.test(value))).toEqual([]);
  });

  test('a field that is required has no default, and a default is a value that the field takes', () => {
    expect(breaches(kind, (node) => (node.required ?? []).some((name) => node.properties?.[name]?.default !== undefined))).toEqual([]);
    expect(
      breaches(kind, (node) => node.enum !== undefined && node.default !== undefined && !node.enum.includes(node.default as string)),
    ).toEqual([]);
  });

  test('every rule has a message, a reason, and a fieldPath where an object could blame a field', () => {
    for (const {rule, node, field} of rulesOfKind(kind)) {
      expect({field, message: rule.message.length > 5, oneLine: !rule.message.includes('\n')}).toEqual({
        field,
        message: true,
        oneLine: true,
      });
      expect(rule.reason).toMatch(/^FieldValue(Invalid|Forbidden|Required)$/);
      const isWhole =
        rule.rule.startsWith('self == oldSelf') || rule.message.includes('must be set') || rule.message === 'cpu needs cores or mhz';
      if (node === undefined || (node.type === 'object' && !isWhole))
        expect({field, path: rule.fieldPath}).toEqual({field, path: expect.stringMatching(/^\./)});
    }
  });

  test('a fieldPath leads to a field', () => {
    const paths = new Set(nodesOfKind(kind).map(({path}) => path));
    expect(rulesOfKind(kind).map(({field}) => field)).toEqual(
      rulesOfKind(kind).map(({field}) => (paths.has(field) ? field : `${field} is no field`)),
    );
  });

  test('status has what every kind has, and is a subresource', () => {
    expect(Object.keys(kind.status.properties ?? {})).toEqual(expect.arrayContaining(['observedGeneration', 'uuid', 'conditions']));
    expect(customResourceDefinition(kind).spec.versions).toMatchObject([{subresources: {status: {}}, served: true, storage: true}]);
  });

  test('columns lead to fields, Age is the last, and selectable fields are scalar fields outside lists', () => {
    const places = new Map(nodesOfKind(kind).map(({path, node}) => [path, node]));
    const plain = kind.columns.filter(({path}) => !path.includes('[?') && !path.startsWith('.metadata'));
    expect(plain.map(({path}) => path).filter((path) => !places.has(path.slice(1)))).toEqual([]);
    expect(kind.columns.at(-1)?.name).toBe('Age');
    const conditions = kind.columns.flatMap(({path}) => /@\.type=="(\w+)"/.exec(path)?.[1] ?? []);
    expect(Object.entries(CONDITION_TYPES).find(([name]) => name === kind.kind)?.[1]).toEqual(expect.arrayContaining(conditions));
    expect(kind.selectableFields.length).toBeLessThanOrEqual(8);
    for (const path of kind.selectableFields) expect(['string', 'integer']).toContain(places.get(path.slice(1))?.type);
  });

  test('the CRD is in category basalt, with a short name of 2 to 5 letters', () => {
    const {names, scope} = customResourceDefinition(kind).spec;
    expect(names).toMatchObject({categories: ['basalt'], plural: kind.plural, kind: kind.kind});
    expect(scope).toBe(kind.namespaced ? 'Namespaced' : 'Cluster');
    for (const name of kind.shortNames) expect(name).toMatch(/^[a-z]{2,5}$/);
  });

  test('an object with every list full stays under 1.5 MB', () => {
    expect(sizeOf(objectSchema(kind))).toBeLessThan(1_500_000);
  });
});

/** Bytes of an object with every list as long as it may be and every text of a usual length. */
function sizeOf(node: JsonSchema): number {
  const text = Math.min(node.maxLength ?? 40, 40) + 3;
  if (node.type === 'array') return 2 + (node.maxItems ?? 0) * (1 + sizeOf(node.items ?? {}));
  if (node.type === 'object' && node.properties !== undefined)
    return 2 + Object.entries(node.properties).reduce((sum, [name, field]) => sum + name.length + 4 + sizeOf(field), 0);
  if (isOpen(node)) return 0;
  if (node.additionalProperties !== undefined) return MAX_DATA_BYTES;
  return node.type === 'integer' ? 10 : text;
}

test('no two kinds share a plural or a short name, and none takes one of Kubernetes, KubeVirt or CDI', () => {
  const taken = [
    'po',
    'no',
    'ns',
    'svc',
    'cm',
    'pv',
    'pvc',
    'sa',
    'ev',
    'sc',
    'vm',
    'vmi',
    'vmim',
    'dv',
    'das',
    'dic',
    'bmh',
    'ma',
    'crd',
    'ds',
    'rs',
    'sts',
    'cj',
    'ing',
    'ep',
  ];
  const names = [...taken, ...ALL_KINDS.flatMap(({plural, shortNames}) => [plural, ...shortNames])];
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});
