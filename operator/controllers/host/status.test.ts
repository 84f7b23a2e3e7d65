import {describe, expect, test} from '@jest/globals';
import {CONDITION_TYPES} from '../../../crds/conditions.ts';
import {hostOf, nodeOf, podOf, uidOf} from '../../testing/objects.ts';
import {hostStatus} from './status.ts';
import type {HostSeen} from './status.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const seen = (more: Partial<HostSeen> = {}): HostSeen => ({
  host: hostOf('h'),
  binding: {node: nodeOf('n')},
  pods: [],
  instances: 0,
  missing: undefined,
  duplicate: undefined,
  nowMs: NOW,
  ...more,
});
const conditions = (more: Partial<HostSeen>): Record<string, string> =>
  Object.fromEntries((hostStatus(seen(more)).conditions ?? []).map(({type, status, reason}) => [type, `${status}/${reason}`]));

test('a healthy host', () => {
  const status = hostStatus(
    seen({pods: [podOf('a', 'n', {cpu: '500m', memory: '1Gi'}), podOf('b', 'n', {cpu: '1', memory: '512Mi'})], instances: 2}),
  );
  expect({...status, conditions: undefined}).toEqual({
    observedGeneration: 1,
    uuid: uidOf('h'),
    nodeName: 'n',
    servers: 2,
    capacity: {cpuCores: 8, cpuMilli: 8000, memoryMiB: 16_384},
    allocatable: {cpuCores: 7, cpuMilli: 7500, memoryMiB: 15_360},
    requested: {cpuCores: 1, cpuMilli: 1500, memoryMiB: 1536},
    free: {cpuCores: 6, cpuMilli: 6000, memoryMiB: 13_824},
    conditions: undefined,
  });
});

test.each<[string, Partial<HostSeen>]>([
  ['healthy', {}],
  ['without a node', {binding: {node: undefined, reason: 'NodeMissing', message: ''}}],
  ['duplicate', {duplicate: {type: 'Ready', status: 'False', reason: 'DuplicateId', message: ''}}],
])('every condition of the kind is there, the summary first: %s', (_row, more) => {
  expect((hostStatus(seen(more)).conditions ?? []).map(({type}) => type)).toEqual([...CONDITION_TYPES.Host]);
});

describe('conditions', () => {
  test.each<[string, Partial<HostSeen>, Record<string, string>]>([
    [
      'all is well',
      {},
      {
        Ready: 'True/Ready',
        NodeFound: 'True/NodeFound',
        Schedulable: 'True/Schedulable',
        KVMAvailable: 'True/KVMAvailable',
        MaintenanceActive: 'False/NoMaintenance',
        Drained: 'False/NotRequested',
        Fenced: 'False/NotFenced',
        Deleting: 'False/NotDeleting',
      },
    ],
    [
      'no node: the rest cannot be judged',
      {binding: {node: undefined, reason: 'NodeMissing', message: 'no node has hostname h'}},
      {Ready: 'False/NodeMissing', NodeFound: 'False/NodeMissing', Schedulable: 'Unknown/NodeMissing', KVMAvailable: 'Unknown/NodeMissing'},
    ],
    ['cordoned', {binding: {node: nodeOf('n', {spec: {unschedulable: true}})}}, {Ready: 'False/Cordoned', Schedulable: 'False/Cordoned'}],
    [
      'no KVM',
      {binding: {node: nodeOf('n', {status: {allocatable: {cpu: '4'}}})}},
      {Ready: 'False/KVMMissing', KVMAvailable: 'False/KVMMissing'},
    ],
    ['switched off', {host: hostOf('h', {activity: 'Inactive'})}, {Ready: 'False/Inactive', Schedulable: 'False/Inactive'}],
    ['region absent', {missing: 'region r'}, {Ready: 'False/DependencyMissing', NodeFound: 'True/NodeFound'}],
    [
      'draining',
      {host: hostOf('h', {maintenance: {mode: 'Drain'}}), instances: 2},
      {MaintenanceActive: 'True/Drain', Drained: 'False/ServersRemain'},
    ],
    ['drained', {host: hostOf('h', {maintenance: {mode: 'Drain'}})}, {MaintenanceActive: 'True/Drain', Drained: 'True/Drained'}],
    [
      'cordon asked for',
      {host: hostOf('h', {maintenance: {mode: 'Cordon'}})},
      {MaintenanceActive: 'True/Cordon', Drained: 'False/NotRequested'},
    ],
  ])('%s', (_row, more, expected) => {
    expect(conditions(more)).toMatchObject(expected);
  });
});

test('a host that takes no servers has nothing free', () => {
  expect(hostStatus(seen({binding: {node: nodeOf('n', {spec: {unschedulable: true}})}})).free).toEqual({
    cpuCores: 0,
    cpuMilli: 0,
    memoryMiB: 0,
  });
});

test('ended pods ask for nothing', () => {
  expect(hostStatus(seen({pods: [podOf('a', 'n', {cpu: '1'}, 'Succeeded')]})).requested?.cpuMilli).toBe(0);
});

test('the same state judged later gives the same status', () => {
  const first = hostStatus(seen());
  const later = hostStatus(seen({host: hostOf('h', {}, {status: first}), nowMs: NOW + 3_600_000}));
  expect(later).toEqual(first);
});

test('the time of a condition moves only with its status', () => {
  const first = hostStatus(seen());
  const host = hostOf('h', {}, {status: first});
  const later = hostStatus(seen({host, nowMs: NOW + 60_000, binding: {node: nodeOf('n', {spec: {unschedulable: true}})}}));
  const timeOf = (type: string) => later.conditions?.find((condition) => condition.type === type)?.lastTransitionTime;
  expect([timeOf('Schedulable'), timeOf('NodeFound')]).toEqual(['2026-01-01T12:01:00Z', '2026-01-01T12:00:00Z']);
});
