/** The reference documentation of the kinds, as Markdown. Pure. */
import {CONDITION_TYPES, REASON_SENTENCES} from '../../crds/conditions.ts';
import type {ConditionedKind} from '../../crds/conditions.ts';
import type {KindDefinition} from '../../crds/resource.ts';
import type {JsonSchema, Rule} from '../../crds/schema.ts';

const cell = (text: string): string => text.replace(/\|/g, '\\|').replace(/\n/g, ' ');
const code = (text: string): string => `\`${text}\``;

function typeOf(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => code(value === '' ? '""' : value)).join(' ');
  if (schema.type === 'array') {
    const keys = schema['x-kubernetes-list-map-keys'];
    const kind =
      keys === undefined ? (schema['x-kubernetes-list-type'] === 'set' ? 'set of ' : 'list of ') : `list by ${code(keys.join(', '))} of `;
    return kind + typeOf(schema.items ?? {});
  }
  if (schema.type === 'object') return schema.additionalProperties === undefined ? 'object' : 'map of any';
  if (schema.format === 'date-time') return 'time';
  return schema.type ?? 'any';
}

function boundsOf(schema: JsonSchema): string {
  const range = (low: number | undefined, high: number | undefined, unit: string): string =>
    high === undefined ? '' : `${low === undefined || low === 0 ? 'at most ' : `${low} to `}${high}${unit}`;
  if (schema.type === 'array') return range(schema.minItems, schema.maxItems, ' items');
  if (schema.type === 'integer') return schema.maximum === Number.MAX_SAFE_INTEGER ? '' : `${schema.minimum} to ${schema.maximum}`;
  if (schema.type === 'string' && schema.enum === undefined && schema.format === undefined)
    return range(schema.minLength, schema.maxLength, ' characters');
  return schema.maxProperties === undefined ? '' : `at most ${schema.maxProperties} keys`;
}

function* rows(schema: JsonSchema, prefix: string): Generator<string> {
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const path = `${prefix}.${name}`;
    const required = schema.required?.includes(name) === true ? 'yes' : '';
    const fallback = field.default === undefined ? '' : code(JSON.stringify(field.default));
    yield `| ${code(path)} | ${cell(typeOf(field))} | ${required} | ${fallback} | ${boundsOf(field)} | ${cell(field.description ?? '')} |`;
    if (path === 'status.conditions') continue; // the same for every kind, explained once
    if (field.type === 'object') yield* rows(field, path);
    if (field.items?.type === 'object') yield* rows(field.items, `${path}[]`);
  }
}

function* rulesOf(schema: JsonSchema, path: string): Generator<string> {
  for (const {message, fieldPath} of schema['x-kubernetes-validations'] ?? []) yield `- ${code(path + (fieldPath ?? ''))}: ${message}.`;
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    yield* rulesOf(field, `${path}.${name}`);
    if (field.items !== undefined) yield* rulesOf(field.items, `${path}.${name}[]`);
  }
}

const HEADER = ['| Field | Type | Required | Default | Bounds | |', '|---|---|---|---|---|---|'];

function kindSection(kind: KindDefinition): readonly string[] {
  const conditions = CONDITION_TYPES[kind.kind as ConditionedKind];
  const rules = [
    ...kind.rules.map(({message, fieldPath}: Rule) => `- ${code((fieldPath ?? '').slice(1))}: ${message}.`),
    ...rulesOf(kind.spec, 'spec'),
    ...rulesOf(kind.status, 'status'),
  ];
  return [
    `## ${kind.kind}`,
    '',
    kind.description,
    '',
    `${kind.namespaced ? 'Namespaced' : 'Cluster-scoped'} · ${code(kind.plural)}, short ${code(kind.shortNames.join(', '))}` +
      ` · names: DNS labels of at most ${kind.maxNameLength} characters` +
      (kind.selectableFields.length === 0
        ? ''
        : ` · field selectors: ${kind.selectableFields.map((path) => code(path.slice(1))).join(', ')}`),
    '',
    `Conditions: ${conditions.map(code).join(', ')}.`,
    '',
    ...HEADER,
    ...rows(kind.spec, 'spec'),
    ...rows(kind.status, 'status'),
    '',
    ...(rules.length === 0 ? [] : ['Rules that the cluster checks at each write:', '', ...new Set(rules), '']),
  ];
}

/** The whole document. */
export function kindsReference(kinds: readonly KindDefinition[]): string {
  const lines = [
    '# Kinds',
    '',
    'Every kind of `basalt.dev/v1alpha1`. All are in category `basalt` (`kubectl get basalt -A`). What is not said to be required may be left out.',
    'Lists marked `list by key` are merged entry by entry under server-side apply; the others are replaced whole.',
    '',
    kinds.map(({kind}) => `[${kind}](#${kind.toLowerCase()})`).join(' · '),
    '',
    ...kinds.flatMap(kindSection),
    '## Conditions',
    '',
    'Every condition of a kind is there from the first reconcile, `Unknown` while not yet judged. Each has `type`, `status` (`True`, `False`,',
    '`Unknown`), `observedGeneration`, `lastTransitionTime` (moves only with `status`), `reason` and `message` (at most 1024 characters).',
    '',
    '## Reasons',
    '',
    'Reasons of conditions and events. They are stable: alerts and scripts may match on them.',
    '',
    '| Reason | |',
    '|---|---|',
    ...Object.entries(REASON_SENTENCES).map(([reason, sentence]) => `| ${code(reason)} | ${sentence} |`),
    '',
  ];
  return lines.join('\n');
}
