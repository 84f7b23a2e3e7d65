import {describe, expect, test} from '@jest/globals';
import type {Server, ServerStatus} from '../../crds/index.ts';
import {progressOf, stateOf, type PendingVerb} from './status.ts';

interface Seen {
  readonly powerState?: 'Running' | 'Stopped';
  readonly generation?: number;
  readonly deleting?: boolean;
  readonly status?: ServerStatus;
}

const server = ({powerState = 'Running', generation = 1, deleting = false, status}: Seen): Server =>
  ({
    apiVersion: 'basalt.dev/v1alpha1',
    kind: 'Server',
    metadata: {name: 's', namespace: 'acct-a', generation, ...(deleting ? {deletionTimestamp: '2026-01-01T00:00:00Z'} : {})},
    spec: {name: 's', powerState},
    ...(status === undefined ? {} : {status}),
  }) as Server;

describe('stateOf', () => {
  test.each<[string, Seen, PendingVerb | undefined, string, string]>([
    ['nobody has looked at it', {}, undefined, 'BUILD', 'BUILDING'],
    ['running', {status: {phase: 'ACTIVE', observedGeneration: 1}}, undefined, 'ACTIVE', ''],
    [
      'a stop just written',
      {powerState: 'Stopped', generation: 2, status: {phase: 'ACTIVE', observedGeneration: 1}},
      undefined,
      'ACTIVE',
      'STOPPING',
    ],
    [
      'a stop that the operator works on',
      {powerState: 'Stopped', status: {phase: 'ACTIVE', taskState: 'STOPPING', observedGeneration: 1}},
      undefined,
      'ACTIVE',
      'STOPPING',
    ],
    ['a start just written', {generation: 2, status: {phase: 'STOPPED', observedGeneration: 1}}, undefined, 'STOPPED', 'STARTING'],
    ['a guest that powered itself off', {status: {phase: 'STOPPED', observedGeneration: 1}}, undefined, 'STOPPED', ''],
    ['a rename just written', {generation: 2, status: {phase: 'ACTIVE', observedGeneration: 1}}, undefined, 'ACTIVE', ''],
    ['a reboot asked for', {status: {phase: 'ACTIVE', observedGeneration: 1}}, 'Reboot', 'REBOOT', 'REBOOTING'],
    ['a reboot that runs', {status: {phase: 'REBOOT'}}, undefined, 'REBOOT', 'REBOOTING'],
    ['a resize asked for', {status: {phase: 'STOPPED'}}, 'Resize', 'RESIZE', 'RESIZING'],
    ['a failed one', {status: {phase: 'ERROR'}}, undefined, 'ERROR', ''],
    ['a paused one', {status: {phase: 'PAUSED'}}, undefined, 'UNKNOWN', ''],
    ['being deleted', {deleting: true, status: {phase: 'ACTIVE'}}, undefined, 'DELETED', ''],
  ])('%s', (_name, seen, pending, status, task) => {
    expect(stateOf(server(seen), pending)).toEqual({status, task});
  });
});

test.each<[ServerStatus, number]>([
  [{phase: 'BUILD', progressPercent: 40}, 40],
  [{phase: 'BUILD', progressPercent: 100}, 99],
  [{phase: 'ACTIVE', progressPercent: 40}, 100],
  [{phase: 'ERROR'}, 0],
  [{phase: 'ERROR', progressPercent: 40}, 40],
  [{phase: 'ERROR', progressPercent: 100}, 100],
  [{}, 0],
])('progress of %j is %d', (status, expected) => {
  const it = server({status});
  expect(progressOf(it, stateOf(it, undefined))).toBe(expected);
});
