import {expect, test} from '@jest/globals';
import type {Flavor, Server} from '../../../crds/index.ts';
import {resolveSize} from './resources.ts';

const flavor = (spec: Partial<Flavor['spec']> = {}): Flavor =>
  ({
    metadata: {name: 'small'},
    spec: {name: 'Small', vcpus: 2, memoryMiB: 2048, diskGiB: 10, visibility: 'Public', creation: 'Allowed', ...spec},
  }) as Flavor;
const server = (spec: object, status?: object): Server =>
  ({metadata: {name: 's'}, spec: {name: 's', ...spec}, status}) as unknown as Server;
const SMALL = {flavor: 'small', cores: 2, memoryMiB: 2048, diskGiB: 10};

test.each<[string, Server, Flavor | undefined, object]>([
  ['a flavor', server({flavor: 'small'}), flavor(), {kind: 'resolved', resources: SMALL}],
  ['a flavor with a share', server({flavor: 'small'}), flavor({cpuMHz: 500}), {kind: 'resolved', resources: {...SMALL, cpuMHz: 1000}}],
  ['a flavor that is not there', server({flavor: 'small'}), undefined, {kind: 'blocked', reason: 'DependencyMissing'}],
  ['a flavor that is not offered', server({flavor: 'small'}), flavor({creation: 'Denied'}), {kind: 'blocked', reason: 'NotPermitted'}],
  [
    'a flavor of others',
    server({flavor: 'small'}),
    flavor({visibility: 'Restricted', projects: ['x']}),
    {kind: 'blocked', reason: 'NotPermitted'},
  ],
  [
    'a flavor of ours',
    server({flavor: 'small'}),
    flavor({visibility: 'Restricted', projects: ['demo']}),
    {kind: 'resolved', resources: SMALL},
  ],
  [
    'a size resolved before stays, though the flavor changed',
    server({flavor: 'small'}, {resources: SMALL}),
    flavor({vcpus: 8}),
    {kind: 'resolved', resources: SMALL},
  ],
  ['and though it is gone', server({flavor: 'small'}, {resources: SMALL}), undefined, {kind: 'resolved', resources: SMALL}],
  [
    'another flavor is resolved anew',
    server({flavor: 'small'}, {resources: {...SMALL, flavor: 'tiny'}}),
    flavor(),
    {kind: 'resolved', resources: SMALL},
  ],
  ['cores', server({cpu: {cores: 3}, memoryMiB: 512}), undefined, {kind: 'resolved', resources: {cores: 3, memoryMiB: 512}}],
  [
    'a clock',
    server({cpu: {mhz: 2201}, memoryMiB: 512}),
    undefined,
    {kind: 'resolved', resources: {cores: 2, cpuMHz: 2201, memoryMiB: 512}},
  ],
  [
    'a small clock',
    server({cpu: {mhz: 100}, memoryMiB: 512}),
    undefined,
    {kind: 'resolved', resources: {cores: 1, cpuMHz: 100, memoryMiB: 512}},
  ],
  [
    'both',
    server({cpu: {mhz: 4000, cores: 4}, memoryMiB: 512}),
    undefined,
    {kind: 'resolved', resources: {cores: 4, cpuMHz: 4000, memoryMiB: 512}},
  ],
  ['neither', server({}), undefined, {kind: 'blocked', reason: 'DependencyMissing'}],
])('%s', (_name, object, kind, expected) => {
  expect(resolveSize(object, kind, 'demo')).toMatchObject(expected);
});
