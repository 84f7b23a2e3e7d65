/** Walks schemas, for tests. */
import type {KindDefinition} from '../resource.ts';
import type {JsonSchema, Rule} from '../schema.ts';

/** A node of a schema and where it is: `spec.nics[].model`. */
export interface Place {
  readonly path: string;
  readonly node: JsonSchema;
}

/** Every node below and including this one. */
export function* nodesOf(node: JsonSchema, path: string): Generator<Place> {
  yield {path, node};
  for (const [name, field] of Object.entries(node.properties ?? {})) yield* nodesOf(field, `${path}.${name}`);
  if (node.items !== undefined) yield* nodesOf(node.items, `${path}[]`);
  if (typeof node.additionalProperties === 'object') yield* nodesOf(node.additionalProperties, `${path}{}`);
}

/** Every node of a kind's spec and status. */
export const nodesOfKind = (kind: KindDefinition): readonly Place[] => [...nodesOf(kind.spec, 'spec'), ...nodesOf(kind.status, 'status')];

/** Every CEL rule of a kind with the field that it blames. */
export const rulesOfKind = (
  kind: KindDefinition,
): readonly {readonly field: string; readonly rule: Rule; readonly node: JsonSchema | undefined}[] => [
  ...kind.rules.map((rule) => ({field: (rule.fieldPath ?? '').slice(1), rule, node: undefined})),
  ...nodesOfKind(kind).flatMap(({path, node}) =>
    (node['x-kubernetes-validations'] ?? []).map((rule) => ({field: path + (rule.fieldPath ?? ''), rule, node})),
  ),
];
