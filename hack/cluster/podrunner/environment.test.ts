import {describe, expect, test} from '@jest/globals';
import type {ConfigMap, Secret} from '../../../kube/types.ts';
import {environmentOf, expand} from './environment.ts';
import type {EnvVariable, RunnerContainer} from './pod.ts';
import {podOf} from './testing/pods.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const objects = {
  secret: (name: string) =>
    Promise.resolve(
      name === 's' ? ({apiVersion: 'v1', kind: 'Secret', metadata: {name}, data: {key: base64('sesame')}} as Secret) : undefined,
    ),
  configMap: (name: string) =>
    Promise.resolve(
      name === 'm'
        ? ({apiVersion: 'v1', kind: 'ConfigMap', metadata: {name}, data: {key: 'plain'}, binaryData: {raw: base64('bin')}} as ConfigMap)
        : undefined,
    ),
};
const of = async (container: Partial<RunnerContainer>) =>
  Object.fromEntries(await environmentOf(podOf(container), {pod: '10.1.1.1', host: '10.0.0.1'}, objects, {BASE: 'b'}));

test.each<[string, EnvVariable, string | undefined]>([
  ['a value', {name: 'X', value: 'v'}, 'v'],
  ['no value at all', {name: 'X'}, ''],
  ['another variable in it', {name: 'X', value: '<$(BASE)>'}, '<b>'],
  ['a key of a Secret', {name: 'X', valueFrom: {secretKeyRef: {name: 's', key: 'key'}}}, 'sesame'],
  ['a key of a ConfigMap', {name: 'X', valueFrom: {configMapKeyRef: {name: 'm', key: 'key'}}}, 'plain'],
  ['binary data', {name: 'X', valueFrom: {configMapKeyRef: {name: 'm', key: 'raw'}}}, 'bin'],
  ['an optional key that is not there', {name: 'X', valueFrom: {secretKeyRef: {name: 's', key: 'no', optional: true}}}, undefined],
  ['an optional object that is not there', {name: 'X', valueFrom: {configMapKeyRef: {name: 'no', key: 'k', optional: true}}}, undefined],
  ['the name', {name: 'X', valueFrom: {fieldRef: {fieldPath: 'metadata.name'}}}, 'p'],
  ['the address', {name: 'X', valueFrom: {fieldRef: {fieldPath: 'status.podIP'}}}, '10.1.1.1'],
  ['the host’s address', {name: 'X', valueFrom: {fieldRef: {fieldPath: 'status.hostIP'}}}, '10.0.0.1'],
  ['the host', {name: 'X', valueFrom: {fieldRef: {fieldPath: 'spec.nodeName'}}}, 'n1'],
  ['a label', {name: 'X', valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}, 'a'],
  ['all annotations', {name: 'X', valueFrom: {fieldRef: {fieldPath: 'metadata.annotations'}}}, 'note="hello"'],
])('%s', async (_name, variable, expected) => expect((await of({env: [variable]}))['X']).toBe(expected));

describe('waits, as a kubelet does, for', () => {
  test.each<[string, Partial<RunnerContainer>, string]>([
    ['a Secret', {env: [{name: 'X', valueFrom: {secretKeyRef: {name: 'no', key: 'k'}}}]}, 'secret "no" not found'],
    ['a key', {env: [{name: 'X', valueFrom: {secretKeyRef: {name: 's', key: 'k'}}}]}, 'key k in secret "s" not found'],
    ['a ConfigMap of variables', {envFrom: [{configMapRef: {name: 'no'}}]}, 'configmap "no" not found'],
  ])('%s', async (_name, container, message) =>
    expect(of(container)).rejects.toMatchObject({name: 'NotYet', reason: 'CreateContainerConfigError', message}),
  );
});

test('what is not known is an error and no wait', async () => {
  await expect(of({env: [{name: 'X', valueFrom: {resourceFieldRef: {}}}]})).rejects.toThrow(
    'variable X: the pod runner knows no resourceFieldRef',
  );
  await expect(of({env: [{name: 'X', valueFrom: {fieldRef: {fieldPath: 'spec.x'}}}]})).rejects.toThrow('spec.x is no field');
});

test('variables out of whole objects come first, the pod’s own win, and all win over the defaults', async () => {
  const container = {
    envFrom: [{prefix: 'P_', secretRef: {name: 's'}}],
    env: [
      {name: 'P_key', value: 'own'},
      {name: 'BASE', value: 'c'},
    ],
  };
  expect(await of(container)).toEqual({BASE: 'c', P_key: 'own'});
  expect(await of({envFrom: container.envFrom})).toEqual({BASE: 'b', P_key: 'sesame'});
});

test.each([
  ['$(A)-$(B)', '1-$(B)'],
  ['$$(A)', '$(A)'],
  ['$A', '$A'],
  ['$$$(A)', '$1'],
])('%s becomes %s', (text, expected) => expect(expand(text, new Map([['A', '1']]))).toBe(expected));
