import {describe, expect, test} from '@jest/globals';
import type {CoreNode} from '../../../kube/types.ts';
import {hostOf, nodeOf} from '../../testing/objects.ts';
import {HEARTBEAT_LIMIT_MS, addressesOf, bindNode, hasKvm, schedulability} from './node.ts';

const lookup = (nodes: readonly CoreNode[]) => ({
  byName: (name: string) => nodes.find((node) => node.metadata.name === name),
  byHostname: (hostname: string) => nodes.filter((node) => node.metadata.labels?.['kubernetes.io/hostname'] === hostname),
  byAddress: (address: string) => nodes.filter((node) => addressesOf(node, 'InternalIP').includes(address)),
});
const at = (address: string) => ({status: {addresses: [{type: 'InternalIP', address}]}});
const nodes = [
  nodeOf('bm-0', at('10.0.0.10')),
  nodeOf('bm-1', at('10.0.0.11')),
  nodeOf('twin-a', at('10.0.0.12')),
  nodeOf('twin-b', at('10.0.0.12')),
];

test.each([
  ['by the node that it names', {nodeName: 'bm-1', hostname: 'bm-0', address: '10.0.0.10'}, 'bm-1'],
  ['by hostname', {hostname: 'bm-0', address: '10.0.0.11'}, 'bm-0'],
  ['by address', {hostname: 'rack4-7.example.org', address: '10.0.0.11'}, 'bm-1'],
  ['not by hostname when it names a node that is absent', {nodeName: 'bm-9', hostname: 'bm-0'}, 'NodeMissing: node bm-9 does not exist'],
  ['not at all', {hostname: 'x', address: '10.9.9.9'}, 'NodeMissing: no node has hostname x or address 10.9.9.9'],
  ['not at all, without address', {hostname: 'x'}, 'NodeMissing: no node has hostname x'],
  ['not between two nodes', {hostname: 'x', address: '10.0.0.12'}, 'Ambiguous: nodes twin-a, twin-b all match; set spec.nodeName'],
])('a host finds its node %s', (_row, spec, expected) => {
  const binding = bindNode(hostOf('h', spec).spec, lookup(nodes));
  expect(binding.node === undefined ? `${binding.reason}: ${binding.message}` : binding.node.metadata.name).toBe(expected);
});

describe('schedulable', () => {
  const now = Date.parse('2026-01-01T12:00:00Z');
  const beat = (ageMs: number) => ({
    annotations: {'kubevirt.io/heartbeat': new Date(now - ageMs).toISOString()},
    labels: {'kubevirt.io/schedulable': 'true'},
  });
  test.each([
    ['a healthy node', nodeOf('n'), undefined],
    ['with a fresh heartbeat', nodeOf('n', {meta: beat(60_000)}), undefined],
    ['a silent agent', nodeOf('n', {meta: beat(HEARTBEAT_LIMIT_MS)}), 'HeartbeatLost'],
    ['cordoned', nodeOf('n', {spec: {unschedulable: true}}), 'Cordoned'],
    [
      'not ready',
      nodeOf('n', {status: {conditions: [{type: 'Ready', status: 'Unknown', message: 'kubelet stopped posting'}]}}),
      'NodeNotReady',
    ],
    ['without KubeVirt', nodeOf('n', {meta: {labels: {}}}), 'KubeVirtNotReady'],
  ])('%s', (_row, node, reason) => {
    expect(schedulability(node, now).reason).toBe(reason);
  });

  test('says when a silent heartbeat would change it', () => {
    expect(schedulability(nodeOf('n', {meta: beat(60_000)}), now).recheckAtMs).toBe(now - 60_000 + HEARTBEAT_LIMIT_MS);
    expect(schedulability(nodeOf('n'), now).recheckAtMs).toBeUndefined();
  });
});

test.each([
  [{'devices.kubevirt.io/kvm': '110'}, true],
  [{'devices.kubevirt.io/kvm': '0'}, false],
  [{cpu: '4'}, false],
])('KVM with allocatable %j: %p', (allocatable, expected) => {
  expect(hasKvm(nodeOf('n', {status: {allocatable}}))).toBe(expected);
});
