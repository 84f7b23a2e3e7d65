import {describe, expect, test} from '@jest/globals';
import {TOPOLOGY_LABELS} from '../../../crds/wellknown.ts';
import {hostOf, metadata, nodeOf} from '../../testing/objects.ts';
import {CORDONED_BY} from './node.ts';
import {ownerOfNode, planNodes} from './plan.ts';

const labels = {[TOPOLOGY_LABELS.region]: 'r', [TOPOLOGY_LABELS.cell]: 'c', [TOPOLOGY_LABELS.host]: 'h'};
const drained = {maintenance: {mode: 'Cordon' as const}};

describe('labels', () => {
  test('a new node gets all three', () => {
    expect(planNodes(hostOf('h', {cell: 'c'}), nodeOf('n'), [])).toEqual([{name: 'n', patch: {metadata: {labels}}}]);
  });
  test('a node that has them is not written', () => {
    const node = nodeOf('n', {meta: {labels}});
    expect(planNodes(hostOf('h', {cell: 'c'}), node, [node])).toEqual([]);
  });
  test('a host that left its cell takes the label off', () => {
    const node = nodeOf('n', {meta: {labels}});
    expect(planNodes(hostOf('h'), node, [node])).toEqual([{name: 'n', patch: {metadata: {labels: {[TOPOLOGY_LABELS.cell]: null}}}}]);
  });
  test('a host that moved to another node cleans the old one', () => {
    const old = nodeOf('old', {meta: {labels}});
    expect(planNodes(hostOf('h', {cell: 'c'}), nodeOf('new'), [old])).toEqual([
      {
        name: 'old',
        patch: {metadata: {labels: {[TOPOLOGY_LABELS.region]: null, [TOPOLOGY_LABELS.cell]: null, [TOPOLOGY_LABELS.host]: null}}},
      },
      {name: 'new', patch: {metadata: {labels}}},
    ]);
  });
  test('a host that is deleted cleans its node and lifts its own cordon', () => {
    const node = nodeOf('n', {meta: {labels, annotations: {[CORDONED_BY]: 'h'}}, spec: {unschedulable: true}});
    expect(planNodes(hostOf('h', drained), undefined, [node])).toEqual([
      {
        name: 'n',
        patch: {
          metadata: {
            labels: {[TOPOLOGY_LABELS.region]: null, [TOPOLOGY_LABELS.cell]: null, [TOPOLOGY_LABELS.host]: null},
            annotations: {[CORDONED_BY]: null},
          },
          spec: {unschedulable: null},
        },
      },
    ]);
  });
});

describe('cordon', () => {
  const ours = {labels, annotations: {[CORDONED_BY]: 'h'}};
  const cordoned = {unschedulable: true};
  test.each([
    ['maintenance begins', drained, nodeOf('n', {meta: {labels}}), {metadata: {annotations: {[CORDONED_BY]: 'h'}}, spec: cordoned}],
    [
      'the host is switched off',
      {activity: 'Inactive' as const},
      nodeOf('n', {meta: {labels}}),
      {metadata: {annotations: {[CORDONED_BY]: 'h'}}, spec: cordoned},
    ],
    ['maintenance goes on', drained, nodeOf('n', {meta: ours, spec: cordoned}), undefined],
    [
      'maintenance ends',
      {},
      nodeOf('n', {meta: ours, spec: cordoned}),
      {metadata: {annotations: {[CORDONED_BY]: null}}, spec: {unschedulable: null}},
    ],
    ['somebody uncordoned meanwhile', {}, nodeOf('n', {meta: ours}), {metadata: {annotations: {[CORDONED_BY]: null}}}],
    ["somebody else's cordon is not taken over", drained, nodeOf('n', {meta: {labels}, spec: cordoned}), undefined],
    ["somebody else's cordon is not lifted", {}, nodeOf('n', {meta: {labels}, spec: cordoned}), undefined],
    ['no maintenance, no cordon', {}, nodeOf('n', {meta: {labels}}), undefined],
  ])('%s', (_row, spec, node, patch) => {
    expect(planNodes(hostOf('h', {cell: 'c', ...spec}), node, [node])).toEqual(patch === undefined ? [] : [{name: 'n', patch}]);
  });
});

test('the oldest of several hosts has the node, then the first by name', () => {
  const at = (name: string, creationTimestamp: string) => hostOf(name, {}, {metadata: metadata(name, {creationTimestamp})});
  expect(ownerOfNode([at('b', '2026-01-01T00:00:00Z'), at('c', '2025-01-01T00:00:00Z')])?.metadata.name).toBe('c');
  expect(ownerOfNode([at('b', '2026-01-01T00:00:00Z'), at('a', '2026-01-01T00:00:00Z')])?.metadata.name).toBe('a');
  expect(ownerOfNode([])).toBeUndefined();
});
