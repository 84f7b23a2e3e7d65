/** What every kind of ours has in common: its address in the API, its metadata, and the definition that a CRD is generated from. */
import type {JsonSchema, Rule, Schema} from './schema.ts';

export const GROUP = 'basalt.dev';
export const VERSION = 'v1alpha1';
/** The `apiVersion` of every object of ours. */
export const API_VERSION = `${GROUP}/${VERSION}`;

/** `metadata.ownerReferences[]`. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** `metadata` as on the wire; the same shape as in kube/objects.ts, which this folder may not import. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly generateName?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
}

/** An object of ours. `status` is absent until the operator has seen the object. */
export interface Resource<Kind extends string, Spec, Status> {
  readonly apiVersion: string;
  readonly kind: Kind;
  readonly metadata: ObjectMeta;
  readonly spec: Spec;
  readonly status?: Status;
}

/** The address of a kind; structurally kube's `ResourceType`. */
export interface KindType<T> {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Never set: carries the object's type for inference. */
  readonly __shape?: T;
}

/** A column of `kubectl get`. `priority: 1` shows it with `-o wide` only. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly path: string;
  readonly description: string;
  readonly priority?: 1;
}

/** Everything that a CRD says about a kind. */
export interface KindDefinition extends KindType<Resource<string, object, object>> {
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly description: string;
  /** Longest `metadata.name`; names are DNS labels, because they become label values, namespaces and names of generated objects. */
  readonly maxNameLength: number;
  readonly columns: readonly Column[];
  /** At most 8 paths that field selectors understand. */
  readonly selectableFields: readonly string[];
  readonly spec: JsonSchema;
  readonly status: JsonSchema;
  /** Rules over spec and status together. */
  readonly rules: readonly Rule[];
}

/** The address of a kind with a plural formed by a simple `s`. */
export function kindType<T extends {readonly kind: string}>(kind: T['kind'], scope: 'Cluster' | 'Namespaced'): KindType<T> {
  return {group: GROUP, version: VERSION, plural: `${kind.toLowerCase()}s`, kind, namespaced: scope === 'Namespaced'};
}

/** Assembles a definition. */
export function defineKind(
  type: KindType<unknown>,
  definition: {
    readonly shortName: string;
    readonly description: string;
    readonly maxNameLength?: number;
    readonly columns: readonly Column[];
    readonly selectableFields?: readonly string[];
    readonly spec: Schema<object>;
    readonly status: Schema<object>;
    readonly rules?: readonly Rule[];
  },
): KindDefinition {
  const {shortName, description, maxNameLength = 63, columns, selectableFields = [], spec, status, rules = []} = definition;
  const {group, version, plural, kind, namespaced} = type;
  return {
    group,
    version,
    plural,
    kind,
    namespaced,
    singular: kind.toLowerCase(),
    shortNames: [shortName],
    description,
    maxNameLength,
    columns,
    selectableFields,
    spec: spec.json,
    status: status.json,
    rules,
  };
}

/** The column with the status of one condition. */
export const conditionColumn = (condition: string): Column => ({
  name: condition,
  type: 'string',
  path: `.status.conditions[?(@.type=="${condition}")].status`,
  description: `Status of condition ${condition}`,
});

/** The column after the name: what people call it. What the REST APIs make is named by its uuid. */
export const DISPLAY: Column = {name: 'Display', type: 'string', path: '.spec.name', description: 'Display name'};

/** The last column of every kind. */
export const AGE: Column = {name: 'Age', type: 'date', path: '.metadata.creationTimestamp', description: 'Time since creation'};
