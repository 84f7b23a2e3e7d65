import {describe, expect, test} from '@jest/globals';
import type {AnyObject} from '../../../kube/objects.ts';
import {hostOf, planHosts} from '../objects/nodes.ts';
import {planHostObjects} from './cloud-hosts.ts';

const size = {name: 's', cpu: 1, memoryGiB: 1, diskGiB: 1};
const made = (count: number): AnyObject[] =>
  planHosts({count: 1, spare: 0, sizes: [size]}, count).map((host, index) => hostOf(host, index, {region: 'r', cell: 'c'}));
const byPerson = (name: string): AnyObject => ({apiVersion: 'basalt.dev/v1alpha1', kind: 'Host', metadata: {name, labels: {a: 'b'}}});
const names = (objects: readonly AnyObject[]): string[] => objects.map(({metadata}) => metadata.name);

describe('Hosts', () => {
  test.each([
    ['none yet', 2, [], ['bm-000', 'bm-001'], [], []],
    ['fewer than before', 1, made(3), ['bm-000'], [], ['bm-001', 'bm-002']],
    ['more than before', 2, made(1), ['bm-000', 'bm-001'], [], []],
    ['of people stay, whatever their names', 1, [byPerson('mine'), byPerson('bm-007')], ['bm-000'], [], []],
    ['of people are not taken over', 2, [...made(1), byPerson('bm-001')], ['bm-000'], ['bm-001'], []],
  ])('%s', (_what, count, existing, write, leave, remove) => {
    const plan = planHostObjects(made(count), existing);
    expect([names(plan.write), plan.leave, plan.remove]).toEqual([write, leave, remove]);
  });
});
