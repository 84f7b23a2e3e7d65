import {describe, expect, test} from '@jest/globals';
import type {Drive, Project, Server} from '../../../crds/index.ts';
import {flavorOf, metadata} from '../../testing/objects.ts';
import {projectStatus, sizeOf} from './status.ts';

const server = (spec: Partial<Server['spec']>, resources?: {cores?: number; memoryMiB?: number}): Server =>
  ({
    apiVersion: 'basalt.dev/v1alpha1',
    kind: 'Server',
    metadata: metadata('s', {namespace: 'acct-demo'}),
    spec: {name: 's', ...spec},
    ...(resources === undefined ? {} : {status: {resources}}),
  }) as Server;

describe('what a server counts for', () => {
  const flavor = flavorOf('tiny', {vcpus: 2, memoryMiB: 512});
  test.each([
    ['as resolved once, whatever the flavor says today', server({flavor: 'tiny'}, {cores: 4, memoryMiB: 2048}), 4, 2048],
    ['its own numbers before the flavor', server({flavor: 'tiny', cpu: {cores: 8}, memoryMiB: 4096}), 8, 4096],
    ['the flavor', server({flavor: 'tiny'}), 2, 512],
  ])('%s', (_row, seen, cores, memoryMiB) => {
    expect(sizeOf(seen, flavor)).toEqual({cores, memoryMiB});
  });
  test('nothing, while nobody knows', () => {
    expect(sizeOf(server({flavor: 'gone'}), undefined)).toEqual({cores: 0, memoryMiB: 0});
  });
});

test('a project adds up its account’s servers and drives', () => {
  const project: Project = {
    apiVersion: 'basalt.dev/v1alpha1',
    kind: 'Project',
    metadata: metadata('p'),
    spec: {name: 'p', account: 'demo'},
  };
  const drive = (sizeBytes: number): Drive =>
    ({apiVersion: 'basalt.dev/v1alpha1', kind: 'Drive', metadata: metadata('d'), spec: {name: 'd', sizeBytes}}) as Drive;
  const status = projectStatus({
    project,
    servers: [server({flavor: 'tiny'}), server({cpu: {cores: 1}, memoryMiB: 100})],
    drives: [drive(10), drive(20)],
    flavor: () => flavorOf('tiny', {vcpus: 2, memoryMiB: 512}),
    duplicate: undefined,
    nowMs: 0,
  });
  expect(status.used).toEqual({servers: 2, cores: 3, memoryMiB: 612, driveBytes: 30});
});
