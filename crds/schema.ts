/**
 * The schema builder: one node describes a field, and from it come the structural schema of the CRD, the TypeScript type
 * ({@link Infer}), the validators and the reference documentation. A description and a bound are arguments that cannot be left out.
 */

/**
 * A CEL rule of a CRD (`x-kubernetes-validations[]`). `fieldPath` names the child to blame; without it the node itself is. Reason
 * FieldValueDuplicate is left out on purpose: with it the API server answers "Duplicate value" and drops the message.
 */
export interface Rule {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
  readonly reason: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired';
}

/** The subset of JSON schema that a structural schema may use. */
export interface JsonSchema {
  readonly type?: 'object' | 'array' | 'string' | 'integer';
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | false;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: 'date-time' | 'int32' | 'int64';
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly nullable?: boolean;
  readonly default?: unknown;
  readonly 'x-kubernetes-validations'?: readonly Rule[];
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
}

/** A field: its JSON schema, and (at compile time only) the type of its values. */
export interface Schema<T> {
  readonly json: JsonSchema;
  /** Never set: carries the type for inference. */
  readonly __type?: T;
}

/** A field that must be there. */
export type Required<S> = S & {readonly required: true};

/** The fields of an object, by name. */
export type Fields = Readonly<Record<string, Schema<unknown>>>;

type RequiredKeys<F extends Fields> = {[K in keyof F]: F[K] extends {readonly required: true} ? K : never}[keyof F];
type Flat<T> = {[K in keyof T]: T[K]};

/** The TypeScript type of a schema's values. Read-only through and through: objects of a cache are shared. */
export type Infer<S> = S extends Schema<infer T> ? T : never;

/** The type of an object with these fields. */
export type ObjectOf<F extends Fields> = Flat<
  {readonly [K in RequiredKeys<F>]: Infer<F[K]>} & {readonly [K in Exclude<keyof F, RequiredKeys<F>>]?: Infer<F[K]>}
>;

interface Common {
  readonly rules?: readonly Rule[];
}

/** Options of a string. `max` counts characters; `pattern` is RE2 and anchored by its author. */
export interface StringOptions extends Common {
  readonly max: number;
  readonly min?: number;
  readonly pattern?: string;
  readonly default?: string;
}

/** Options of an integer. Above 2^31 the format is int64. */
export interface IntegerOptions extends Common {
  readonly min: number;
  readonly max: number;
  readonly default?: number;
}

/** Options of a list. A `set` refuses duplicates and merges under server-side apply; `atomic` (default) is replaced whole. */
export interface ListOptions extends Common {
  readonly max: number;
  readonly min?: number;
  readonly type?: 'atomic' | 'set';
}

const withRules = (json: JsonSchema, rules: readonly Rule[] | undefined): JsonSchema =>
  rules === undefined || rules.length === 0 ? json : {...json, 'x-kubernetes-validations': rules};

function string(description: string, {max, min, pattern, default: fallback, rules}: StringOptions): Schema<string> {
  const json: JsonSchema = {
    type: 'string',
    description,
    ...(min === undefined ? {} : {minLength: min}),
    maxLength: max,
    ...(pattern === undefined ? {} : {pattern}),
    ...(fallback === undefined ? {} : {default: fallback}),
  };
  return {json: withRules(json, rules)};
}

function oneOf<const V extends readonly string[]>(
  description: string,
  values: V,
  {default: fallback, rules}: Common & {readonly default?: V[number]} = {},
): Schema<V[number]> {
  const json: JsonSchema = {type: 'string', description, enum: values, ...(fallback === undefined ? {} : {default: fallback})};
  return {json: withRules(json, rules)};
}

/** An RFC 3339 time. */
function time(description: string): Schema<string> {
  return {json: {type: 'string', description, format: 'date-time', maxLength: 64}};
}

function integer(description: string, {min, max, default: fallback, rules}: IntegerOptions): Schema<number> {
  const json: JsonSchema = {
    type: 'integer',
    description,
    format: max > 2_147_483_647 ? 'int64' : 'int32',
    minimum: min,
    maximum: max,
    ...(fallback === undefined ? {} : {default: fallback}),
  };
  return {json: withRules(json, rules)};
}

/** An object with these fields. `default` (usually `{}`) lets the defaults of its fields apply when it is left out. */
function object<F extends Fields>(
  description: string,
  fields: F,
  {rules, default: fallback}: Common & {readonly default?: object} = {},
): Schema<ObjectOf<F>> {
  const required = Object.keys(fields).filter((name) => 'required' in (fields[name] ?? {}));
  const json: JsonSchema = {
    type: 'object',
    description,
    properties: Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.json])),
    ...(required.length === 0 ? {} : {required}),
    ...(fallback === undefined ? {} : {default: fallback}),
  };
  return {json: withRules(json, rules)};
}

function list<T>(description: string, item: Schema<T>, {max, min, type = 'atomic', rules}: ListOptions): Schema<readonly T[]> {
  const json: JsonSchema = {
    type: 'array',
    description,
    items: item.json,
    ...(min === undefined ? {} : {minItems: min}),
    maxItems: max,
    'x-kubernetes-list-type': type,
  };
  return {json: withRules(json, rules)};
}

/** A list of objects in which `key` is unique: two writers own two entries. */
function listMap<T extends object>(
  description: string,
  item: Schema<T>,
  {key, max, rules}: Common & {readonly key: keyof T & string; readonly max: number},
): Schema<readonly T[]> {
  const json: JsonSchema = {
    type: 'array',
    description,
    items: item.json,
    maxItems: max,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': [key],
  };
  return {json: withRules(json, rules)};
}

/** Any JSON value per key. The server bounds the number of keys; their bytes are bounded by the REST API (inventory.ts) and by the request size. */
function open(description: string, {max}: {readonly max: number}): Schema<Readonly<Record<string, unknown>>> {
  const any: JsonSchema = {description: 'Any JSON value.', nullable: true, 'x-kubernetes-preserve-unknown-fields': true};
  return {json: {type: 'object', description, additionalProperties: any, maxProperties: max}};
}

/** The builder. */
export const s = {string, oneOf, time, integer, object, list, listMap, open} as const;

/** Marks a field as required. */
export function req<S extends Schema<unknown>>(schema: S): Required<S> {
  return {...schema, required: true};
}

/** `a` is immutable once it is set; written on the parent, because a rule on a field is skipped when the field is removed. */
export function immutableOnceSet(field: string): Rule {
  return {
    rule: `!has(oldSelf.${field}) || (has(self.${field}) && self.${field} == oldSelf.${field})`,
    message: `${field} is immutable once set`,
    fieldPath: `.${field}`,
    reason: 'FieldValueInvalid',
  };
}
