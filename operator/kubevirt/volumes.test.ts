import {describe, expect, test} from '@jest/globals';
import {OWNER} from './testing.ts';
import {buildBlankClaim, buildDataSource, buildDataVolume} from './volumes.ts';
import type {VolumeSource} from './volumes.ts';

const IDENTITY = {name: 'd1', namespace: 'acct-demo', owner: OWNER, labels: {'basalt.dev/drive': 'u1'}};
const MIB = 1024 * 1024;
const STORAGE = {sizeBytes: 10 * MIB, tier: {}};

describe('blank claim', () => {
  test('the default class, one writer, a file system', () => {
    expect(buildBlankClaim(IDENTITY, STORAGE)).toEqual({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {name: 'd1', namespace: 'acct-demo', labels: IDENTITY.labels, ownerReferences: [OWNER]},
      spec: {accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem', resources: {requests: {storage: '10485760'}}},
    });
  });

  test('a tier names class and modes', () => {
    const tier = {storageClassName: 'ssd', accessMode: 'ReadWriteMany', volumeMode: 'Block'} as const;
    expect(buildBlankClaim(IDENTITY, {...STORAGE, tier}).spec).toMatchObject({
      storageClassName: 'ssd',
      accessModes: ['ReadWriteMany'],
      volumeMode: 'Block',
    });
  });
});

describe('DataVolume', () => {
  test.each<[string, VolumeSource, object]>([
    ['http', {kind: 'http', url: 'http://h/i.img'}, {source: {http: {url: 'http://h/i.img'}}}],
    [
      'http with checksum',
      {kind: 'http', url: 'http://h/i', checksum: 'sha256:ab'},
      {source: {http: {url: 'http://h/i', checksum: 'sha256:ab'}}},
    ],
    ['registry', {kind: 'registry', url: 'docker://r/i'}, {source: {registry: {url: 'docker://r/i', pullMethod: 'node'}}}],
    ['clone of a claim', {kind: 'claim', namespace: 'ns', name: 'p'}, {source: {pvc: {namespace: 'ns', name: 'p'}}}],
    [
      'clone through the catalogue',
      {kind: 'dataSource', namespace: 'ns', name: 's'},
      {sourceRef: {kind: 'DataSource', namespace: 'ns', name: 's'}},
    ],
    ['upload', {kind: 'upload'}, {source: {upload: {}}}],
  ])('%s', (_name, source, expected) => {
    const {spec} = buildDataVolume(IDENTITY, STORAGE, source, {bindNow: false});
    expect(spec).toEqual({
      ...expected,
      storage: {accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem', resources: {requests: {storage: '10485760'}}},
    });
  });

  test('what comes over http has scratch space from the start', () => {
    const annotation = 'cdi.kubevirt.io/storage.import.requiresScratch';
    const of = (source: VolumeSource) => buildDataVolume(IDENTITY, STORAGE, source, {bindNow: false}).metadata.annotations ?? {};
    expect(of({kind: 'http', url: 'http://h/i'})).toEqual({[annotation]: 'true'});
    expect(of({kind: 'claim', namespace: 'ns', name: 'p'})).toEqual({});
  });

  test('immediate binding only where asked for', () => {
    const annotation = 'cdi.kubevirt.io/storage.bind.immediate.requested';
    expect(buildDataVolume(IDENTITY, STORAGE, {kind: 'upload'}, {bindNow: true}).metadata.annotations).toEqual({[annotation]: 'true'});
    expect(buildDataVolume(IDENTITY, STORAGE, {kind: 'upload'}, {bindNow: false}).metadata).not.toHaveProperty('annotations');
  });
});

test('DataSource points at the claim', () => {
  expect(buildDataSource(IDENTITY, {namespace: 'acct-demo', name: 'img-a'})).toMatchObject({
    kind: 'DataSource',
    metadata: {name: 'd1', ownerReferences: [OWNER]},
    spec: {source: {pvc: {namespace: 'acct-demo', name: 'img-a'}}},
  });
});
