import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import type {AnyObject} from '../../../kube/objects.ts';
import {HERE} from '../paths.ts';
import {Kinds, type Crd} from './kinds.ts';
import {fillIn, readYaml, readYamlFolder, withCa} from './manifests.ts';
import {manifestHash, passesByItself, recordKey} from './writer.ts';
import {ApiError} from '../../../kube/errors.ts';

describe('variables', () => {
  test('every one is filled in', () => expect(fillIn('a ${X}:${Y} ${X}', {X: '1', Y: '2'})).toBe('a 1:2 1'));
  test('one without a value is an error', () => expect(() => fillIn('${X}', {})).toThrow('${X} has no value'));
  test('other dollars stay', () => expect(fillIn('$X ${x} $$', {})).toBe('$X ${x} $$'));
});

test('the manifests of this folder parse, and their endpoints are the given ones', () => {
  const variables = {
    VIRT_API_ADDRESS: '10.245.7.10',
    VIRT_API_PORT: '8443',
    CDI_API_ADDRESS: '10.245.7.11',
    CDI_API_PORT: '8444',
    KUBEVIRT_VERSION: 'v1',
  };
  const objects = readYamlFolder(join(HERE, 'manifests'), variables);
  const slice = objects.find((object) => object.metadata.name === 'cdi-api-host');
  expect(slice).toMatchObject({ports: [{port: 8444}], endpoints: [{addresses: ['10.245.7.11']}]});
});

test('a bad file is named', () => expect(() => readYaml(join(HERE, 'manifests/cdi.yaml'))).toThrow(/cdi\.yaml: .*CDI_API_PORT/));

test('the demo cloud has the set that people are promised', () => {
  const objects = readYamlFolder(join(HERE, 'cloud'), {
    IMAGE_NAME: 'tiny',
    IMAGE_DESCRIPTION: 'small',
    IMAGE_BYTES: '1048576',
    IMAGE_URL: 'http://127.0.0.1:1/tiny.raw',
    IMAGE_SHA256: 'ab'.repeat(32),
  });
  const names = (kind: string): string[] => objects.filter((object) => object.kind === kind).map((object) => object.metadata.name);
  expect(names('Account')).toEqual(['demo', 'other']);
  expect(names('Region')).toEqual(['default']);
  expect(names('Cell')).toEqual(['default']);
  expect(names('Flavor')).toEqual(['tiny', 'small', 'medium']);
  expect(objects.find((object) => object.kind === 'Image')).toMatchObject({
    metadata: {namespace: 'basalt-system', name: 'tiny'},
    spec: {sizeBytes: 1_048_576, source: {http: {url: 'http://127.0.0.1:1/tiny.raw', checksum: `sha256:${'ab'.repeat(32)}`}}},
  });
  expect(objects.find((object) => object.kind === 'Network')).toMatchObject({metadata: {name: 'public'}, spec: {cidr: '10.100.0.0/16'}});
});

test('webhooks and APIServices get the authority, other objects stay as they are', () => {
  const webhook = {
    apiVersion: 'v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: {name: 'w'},
    webhooks: [{name: 'a', clientConfig: {service: {name: 's'}, caBundle: 'old'}}],
  };
  const api = {apiVersion: 'v1', kind: 'APIService', metadata: {name: 'a'}, spec: {group: 'g', insecureSkipTLSVerify: true}};
  const other = {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'c'}};
  const caBundle = Buffer.from('PEM').toString('base64');
  expect(withCa([webhook, api, other] as AnyObject[], 'PEM')).toEqual([
    {...webhook, webhooks: [{name: 'a', clientConfig: {service: {name: 's'}, caBundle}}]},
    {...api, spec: {group: 'g', caBundle}},
    other,
  ]);
});

describe('kinds', () => {
  const kinds = new Kinds();
  test('built-in', () =>
    expect(kinds.of({apiVersion: 'apps/v1', kind: 'DaemonSet'})).toMatchObject({
      group: 'apps',
      version: 'v1',
      plural: 'daemonsets',
      namespaced: true,
    }));
  test('core', () => expect(kinds.of({apiVersion: 'v1', kind: 'Namespace'})).toMatchObject({group: '', version: 'v1', namespaced: false}));
  test('from a CRD', () => {
    const [crd] = readYaml(join(HERE, 'manifests/crds/network-attachment-definition.yaml')) as Crd[];
    kinds.addCrd(crd as Crd);
    expect(kinds.of({apiVersion: 'k8s.cni.cncf.io/v1', kind: 'NetworkAttachmentDefinition'}).plural).toBe('network-attachment-definitions');
  });
  test('unknown', () => expect(() => kinds.of({apiVersion: 'v9', kind: 'Thing'})).toThrow('no such kind here: v9 Thing'));
});

describe('memory of what was written', () => {
  const object = {apiVersion: 'v1', kind: 'Secret', metadata: {name: 'a', namespace: 'n'}} as AnyObject;
  test('key', () => expect(recordKey(object)).toBe('v1 Secret n/a'));
  test('any change changes the hash', () =>
    expect(manifestHash({...object, data: {x: 'eQ=='}} as AnyObject)).not.toBe(manifestHash(object)));
});

describe('errors that pass by themselves', () => {
  const error = (status: number, message: string): ApiError =>
    new ApiError({status, reason: 'Unknown', message, verb: 'create', resource: 'x'});
  test.each([
    ['a kind that is not served yet', error(404, 'not found'), true],
    ['a webhook whose server is starting', error(500, 'Internal error occurred: failed calling webhook "x"'), true],
    ['another server error', error(500, 'etcd is broken'), false],
    ['a refusal', error(422, 'invalid'), false],
    ['something else', new TypeError('x'), false],
  ])('%s', (_what, thrown, expected) => expect(passesByItself(thrown)).toBe(expected));
});

test('stages are valid YAML and leave launcher pods alone on deletion', () => {
  const stages = ['nodes', 'pods', 'cdi-pods'].flatMap((name) => readYaml(join(HERE, `stages/${name}.yaml`)));
  expect(stages.map((stage) => stage.metadata.name)).toEqual(
    expect.arrayContaining(['node-initialize', 'node-heartbeat-with-lease', 'pod-ready', 'pod-complete', 'pod-delete', 'cdi-import-fails']),
  );
  const deletion = JSON.stringify(stages.find((stage) => stage.metadata.name === 'pod-delete'));
  expect(deletion).toContain('virt-launcher');
  expect(readFileSync(join(HERE, 'stages/cdi-pods.yaml'), 'utf8')).not.toMatch(/\bNow\b.*Quote/);
});
