/** The CustomResourceDefinition of a kind. Pure; `hack/codegen/` writes it out as YAML. */
import {DNS_LABEL} from './common.ts';
import {GROUP, VERSION} from './resource.ts';
import type {Column, KindDefinition} from './resource.ts';
import type {JsonSchema} from './schema.ts';

/** A CustomResourceDefinition, as far as we write one. */
export interface CrdManifest {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'CustomResourceDefinition';
  readonly metadata: {readonly name: string; readonly labels: Readonly<Record<string, string>>};
  readonly spec: {
    readonly group: string;
    readonly scope: 'Cluster' | 'Namespaced';
    readonly names: object;
    readonly versions: readonly object[];
  };
}

const column = ({name, type, path, description, priority}: Column): object => ({
  name,
  type,
  jsonPath: path,
  description,
  ...(priority === undefined ? {} : {priority}),
});

/** The schema of whole objects of a kind: what the CRD carries and the validators compile. */
export function objectSchema(kind: KindDefinition): JsonSchema {
  return {
    type: 'object',
    description: kind.description,
    required: ['spec'],
    properties: {
      apiVersion: {type: 'string'},
      kind: {type: 'string'},
      // A structural schema may restrict metadata.name and nothing else of it.
      metadata: {type: 'object', properties: {name: {type: 'string', maxLength: kind.maxNameLength, pattern: DNS_LABEL}}},
      spec: kind.spec,
      status: kind.status,
    },
    ...(kind.rules.length === 0 ? {} : {'x-kubernetes-validations': kind.rules}),
  };
}

/** The CRD of a kind. */
export function customResourceDefinition(kind: KindDefinition): CrdManifest {
  const {plural, singular, shortNames, columns, selectableFields} = kind;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {name: `${plural}.${GROUP}`, labels: {'app.kubernetes.io/part-of': 'basalt'}},
    spec: {
      group: GROUP,
      scope: kind.namespaced ? 'Namespaced' : 'Cluster',
      names: {plural, singular, kind: kind.kind, listKind: `${kind.kind}List`, shortNames, categories: ['basalt']},
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          schema: {openAPIV3Schema: objectSchema(kind)},
          subresources: {status: {}},
          additionalPrinterColumns: columns.map(column),
          ...(selectableFields.length === 0 ? {} : {selectableFields: selectableFields.map((jsonPath) => ({jsonPath}))}),
        },
      ],
    },
  };
}
