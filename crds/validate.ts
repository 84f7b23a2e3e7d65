/**
 * Validators compiled from the model. For custom resources they are open, as the cluster is (unknown fields are pruned there, not
 * refused); for bodies of the REST APIs they are closed. CEL rules are not run here: the cluster does.
 */
import {Ajv} from 'ajv';
import type {ErrorObject, ValidateFunction} from 'ajv';
import {ALL_KINDS} from './index.ts';
import {objectSchema} from './manifest.ts';
import type {JsonSchema, Schema} from './schema.ts';

/** What is wrong, and where: `spec.nics[0].model`, or `` for the whole. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/** Problems reported at most: a hostile body must not make an answer of megabytes. */
const MAX_PROBLEMS = 20;

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

const KEYWORDS = ['x-kubernetes-validations', 'x-kubernetes-list-type', 'x-kubernetes-preserve-unknown-fields'];

/** Whether no two items agree in all of `keys`. */
function uniqueBy(keys: readonly string[], items: readonly unknown[]): boolean {
  const seen = items.map((item) => JSON.stringify(keys.map((key) => (item as Readonly<Record<string, unknown>> | null)?.[key])));
  return new Set(seen).size === seen.length;
}

function compiler(useDefaults: boolean): Ajv {
  const ajv = new Ajv({strict: true, allErrors: true, useDefaults, formats: {int32: true, int64: true}});
  ajv.addFormat('date-time', (text: string) => DATE_TIME.test(text) && !Number.isNaN(Date.parse(text)));
  ajv.addVocabulary(KEYWORDS);
  ajv.addKeyword({keyword: 'x-kubernetes-list-map-keys', type: 'array', schemaType: 'array', validate: uniqueBy});
  return ajv;
}

/** The schema as ajv takes it: sets with unique items, `nullable` only beside a type, and closed when asked for. */
function forAjv(schema: JsonSchema, close: boolean): object {
  const {properties, items, additionalProperties, nullable, ...rest} = schema;
  return {
    ...rest,
    ...(nullable === undefined || schema.type === undefined ? {} : {nullable}),
    ...(schema['x-kubernetes-list-type'] === 'set' ? {uniqueItems: true} : {}),
    ...(properties === undefined
      ? {}
      : {properties: Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, forAjv(field, close)]))}),
    ...(close && properties !== undefined ? {additionalProperties: false} : {}),
    ...(typeof additionalProperties === 'object' ? {additionalProperties: forAjv(additionalProperties, close)} : {}),
    ...(items === undefined ? {} : {items: forAjv(items, close)}),
  };
}

/** `/spec/nics/0/model` as `spec.nics[0].model`. */
function pathOf(pointer: string, child?: string): string {
  const steps = pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  return [...steps, ...(child === undefined ? [] : [child])].reduce((path, step) => {
    if (/^\d+$/.test(step)) return `${path}[${step}]`;
    return path === '' ? step : `${path}.${step}`;
  }, '');
}

const article = (type: string): string => (/^[aeio]/.test(type) ? `an ${type}` : `a ${type}`);

function problemOf({keyword, instancePath, params, message}: ErrorObject): Problem {
  const given = params as Readonly<Record<string, unknown>>;
  const path = pathOf(instancePath);
  switch (keyword) {
    case 'required':
      return {path: pathOf(instancePath, String(given['missingProperty'])), message: 'is required'};
    case 'additionalProperties':
      return {path: pathOf(instancePath, String(given['additionalProperty'])), message: 'is not a known field'};
    case 'type':
      return {path, message: `must be ${article(String(given['type']))}`};
    case 'enum':
      return {
        path,
        message: `must be one of ${(given['allowedValues'] as readonly string[]).map((value) => JSON.stringify(value)).join(', ')}`,
      };
    case 'minLength':
      return {path, message: given['limit'] === 1 ? 'must not be empty' : `must have at least ${String(given['limit'])} characters`};
    case 'maxLength':
      return {path, message: `must have at most ${String(given['limit'])} characters`};
    case 'minimum':
      return {path, message: `must be at least ${String(given['limit'])}`};
    case 'maximum':
      return {path, message: `must be at most ${String(given['limit'])}`};
    case 'maxItems':
      return {path, message: `must have at most ${String(given['limit'])} items`};
    case 'uniqueItems':
    case 'x-kubernetes-list-map-keys':
      return {path, message: 'must not have duplicates'};
    default:
      return {path, message: message ?? 'is invalid'};
  }
}

const run = (validate: ValidateFunction, value: unknown): readonly Problem[] =>
  validate(value) === true ? [] : (validate.errors ?? []).slice(0, MAX_PROBLEMS).map(problemOf);

/** Compiled on first use and kept: compiling all takes longer than a short command should start. */
const compiled = new Map<string, ValidateFunction>();

/** What is wrong with an object of a kind, as far as its schema says; nothing: `[]`. Throws for a kind that is not ours. */
export function validateResource(kind: string, object: unknown): readonly Problem[] {
  const known = compiled.get(kind);
  if (known !== undefined) return run(known, object);
  const definition = ALL_KINDS.find((candidate) => candidate.kind === kind);
  if (definition === undefined) throw new Error(`${kind} is not a kind of Basalt`);
  const validate = compiler(false).compile(forAjv(objectSchema(definition), false));
  compiled.set(kind, validate);
  return run(validate, object);
}

/** Options of {@link closed}. `useDefaults` (default false) writes the defaults of the schema into the value that is validated. */
export interface ClosedOptions {
  readonly useDefaults?: boolean;
}

/** A validator for REST bodies: what the schema does not know is a problem. Compile once, at start. */
export function closed(schema: Schema<unknown>, {useDefaults = false}: ClosedOptions = {}): (value: unknown) => readonly Problem[] {
  const validate = compiler(useDefaults).compile(forAjv(schema.json, true));
  return (value) => run(validate, value);
}
