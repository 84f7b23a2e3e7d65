import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from '@jest/globals';
import {filesBelow} from '../files.ts';
import type {Volume} from './pod.ts';
import {podOf} from './testing/pods.ts';
import {inside, volumeFolder} from './volumes.ts';
import type {VolumeReader} from './volumes.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'volumes-'));
});
afterAll(() => rmSync(root, {recursive: true, force: true}));

const meta = (name: string) => ({apiVersion: 'v1', metadata: {name}});
const reader = (): VolumeReader => ({
  secret: (name) =>
    Promise.resolve(name === 's' ? {...meta(name), kind: 'Secret', data: {user: 'cm9vdA==', password: 'c2VzYW1l'}} : undefined),
  configMap: (name) => Promise.resolve(name === 'm' ? {...meta(name), kind: 'ConfigMap', data: {conf: 'x=1'}} : undefined),
  claim: (name) => {
    if (name === 'absent') return Promise.resolve(undefined);
    const bound = {spec: {volumeName: name === 'foreign' ? 'nfs' : 'pv'}, status: {phase: 'Bound' as const}};
    return Promise.resolve({...meta(name), kind: 'PersistentVolumeClaim', ...(name === 'unbound' ? {} : bound)});
  },
  persistentVolume: (name) =>
    Promise.resolve({...meta(name), kind: 'PersistentVolume', spec: name === 'pv' ? {hostPath: {path: join(root, 'pv')}} : {}}),
  token: (audience, seconds) => Promise.resolve(`token of ${audience ?? 'all'} for ${seconds}`),
});
const folderOf = (volume: Omit<Volume, 'name'>, folder = join(root, 'v')): Promise<string> =>
  volumeFolder(podOf(), {name: 'v', ...volume}, folder, reader(), {pod: '10.1.1.1', host: '10.0.0.1'});
const contentOf = (folder: string) =>
  Object.fromEntries(filesBelow(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')]));

test.each<[string, Omit<Volume, 'name'>, Record<string, string>]>([
  ['all of a Secret', {secret: {secretName: 's'}}, {user: 'root', password: 'sesame'}],
  ['a key of it under another name', {secret: {secretName: 's', items: [{key: 'user', path: 'a/b'}]}}, {'a/b': 'root'}],
  ['a ConfigMap', {configMap: {name: 'm'}}, {conf: 'x=1'}],
  ['an optional one that is not there', {configMap: {name: 'no', optional: true}}, {}],
  ['fields of the pod', {downwardAPI: {items: [{path: 'labels', fieldRef: {fieldPath: 'metadata.labels'}}]}}, {labels: 'app="a"'}],
  [
    'several sources in one',
    {
      projected: {
        sources: [
          {serviceAccountToken: {path: 'token', expirationSeconds: 3607}},
          {configMap: {name: 'm', items: [{key: 'conf', path: 'c'}]}},
          {downwardAPI: {items: [{path: 'namespace', fieldRef: {fieldPath: 'metadata.namespace'}}]}},
        ],
      },
    },
    {token: 'token of all for 3607', c: 'x=1', namespace: 'ns'},
  ],
])('%s', async (_name, volume, files) => expect(contentOf(await folderOf(volume))).toEqual(files));

test('a claim is the folder of its volume, which is made if it is not there', async () => {
  expect(await folderOf({persistentVolumeClaim: {claimName: 'c'}})).toBe(join(root, 'pv'));
  writeFileSync(join(root, 'pv', 'disk.img'), '');
});

test('an emptyDir keeps its content when the container starts again', async () => {
  const folder = join(root, 'empty');
  writeFileSync(join(await folderOf({emptyDir: {}}, folder), 'x'), 'kept');
  expect(contentOf(await folderOf({emptyDir: {}}, folder))).toEqual({x: 'kept'});
});

test.each<[string, Omit<Volume, 'name'>, string]>([
  ['a Secret', {secret: {secretName: 'no'}}, 'volume v: secret "no" not found'],
  ['a key', {configMap: {name: 'm', items: [{key: 'no', path: 'p'}]}}, 'volume v: configmap "m" has no key no'],
  ['a claim', {persistentVolumeClaim: {claimName: 'absent'}}, 'persistentvolumeclaim "absent" not found'],
  ['its volume', {persistentVolumeClaim: {claimName: 'unbound'}}, 'persistentvolumeclaim "unbound" is not bound yet'],
])('waits for %s', async (_name, volume, message) =>
  expect(folderOf(volume)).rejects.toMatchObject({name: 'NotYet', reason: 'ContainerCreating', message}),
);

test('a volume that is no folder of this machine is an error', async () =>
  expect(folderOf({persistentVolumeClaim: {claimName: 'foreign'}})).rejects.toThrow('"nfs" is no folder of this machine'));

test.each(['../x', '/x', 'a/../../x'])('%s leads out of a volume', (path) => expect(() => inside('/v', path)).toThrow('leads out'));
