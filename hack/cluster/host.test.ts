import {expect, test} from '@jest/globals';
import type {CoreNode} from '../../kube/types.ts';
import {powerPatch} from './host.ts';

const AT = Date.parse('2026-01-01T00:00:00.700Z');
const OUT = {key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute'} as const;
const MINE = {key: 'mine', effect: 'NoSchedule'} as const;
const node = (off: boolean, taints?: NonNullable<CoreNode['spec']>['taints']): CoreNode => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {name: 'bm-000', labels: off ? {'local.basalt.dev/power': 'off'} : {}},
  ...(taints === undefined ? {} : {spec: {taints}}),
});
const BACK = {
  labels: {'local.basalt.dev/power': null},
  // Whole seconds, as the times of guests are: one that starts at once is not older than the power.
  annotations: {'local.basalt.dev/powered-on-at': '2026-01-01T00:00:00Z'},
};

test.each<[string, CoreNode, 'on' | 'off', object | undefined]>([
  ['off', node(false), 'off', {metadata: {labels: {'local.basalt.dev/power': 'off'}}}],
  ['off, and it is', node(true), 'off', undefined],
  ['on, and it is', node(false, [OUT]), 'on', undefined],
  ['on', node(true, [MINE]), 'on', {metadata: BACK}],
  ['on, given up meanwhile', node(true, [OUT, MINE]), 'on', {metadata: BACK, spec: {taints: [MINE]}}],
])('power %s', (_name, seen, power, patch) => {
  expect(powerPatch(seen, power, AT)).toEqual(patch);
});
