import {describe, expect, test} from '@jest/globals';
import type {ServerOperation} from '../../../crds/index.ts';
import {remainingMs, turnOf} from './plan.ts';
import {operationStatus} from './status.ts';

type Verb = ServerOperation['spec']['verb'];
const operation = (name: string, verb: Verb, phase?: string, second = 0): ServerOperation =>
  ({
    metadata: {name, uid: `uid-${name}`, creationTimestamp: `2026-01-01T00:00:0${second}Z`, generation: 1},
    spec: {server: 's', verb},
    ...(phase === undefined ? {} : {status: {phase}}),
  }) as unknown as ServerOperation;

describe('whose turn it is', () => {
  test.each<[string, ServerOperation, readonly ServerOperation[], object]>([
    ['alone', operation('a', 'Reboot'), [], {kind: 'run'}],
    ['after one that has ended', operation('b', 'Reboot', undefined, 1), [operation('a', 'Reboot', 'Completed')], {kind: 'run'}],
    ['after one that runs', operation('b', 'Migrate', undefined, 1), [operation('a', 'Reboot', 'InProgress')], {kind: 'wait', for: 'a'}],
    ['before a younger one', operation('a', 'Migrate'), [operation('b', 'Migrate', undefined, 1)], {kind: 'run'}],
    ['of the same second: by name', operation('b', 'Migrate'), [operation('a', 'Migrate')], {kind: 'wait', for: 'a'}],
    [
      'a start that waits, and a younger stop',
      operation('b', 'Start', 'Pending', 1),
      [operation('a', 'Migrate', 'InProgress'), operation('c', 'Stop', undefined, 2)],
      {kind: 'superseded', by: 'c'},
    ],
    [
      'a start under way, and a younger stop',
      operation('a', 'Start', 'InProgress'),
      [operation('b', 'Stop', undefined, 1)],
      {kind: 'superseded', by: 'b'},
    ],
    [
      'of several younger ones the last counts',
      operation('a', 'Start'),
      [operation('b', 'Stop', undefined, 1), operation('c', 'Start', undefined, 2)],
      {kind: 'superseded', by: 'c'},
    ],
    ['a reboot under way is let finish', operation('a', 'Reboot', 'InProgress'), [operation('b', 'Stop', undefined, 1)], {kind: 'run'}],
    [
      'a migration is not made idle by a stop',
      operation('a', 'Migrate', 'InProgress'),
      [operation('b', 'Stop', undefined, 1)],
      {kind: 'run'},
    ],
    [
      'an older stop makes nothing idle',
      operation('b', 'Start', undefined, 1),
      [operation('a', 'Stop', 'InProgress')],
      {kind: 'wait', for: 'a'},
    ],
  ])('%s', (_name, own, others, expected) => {
    expect(turnOf(own, [...others, own])).toEqual(expected);
  });
});

test('time to live runs from the end', () => {
  const now = Date.parse('2026-01-01T01:00:00Z');
  const ended = {...operation('a', 'Start'), status: {phase: 'Completed', completionTime: '2026-01-01T00:59:00Z'}} as ServerOperation;
  expect(remainingMs({...ended, spec: {...ended.spec, ttlSeconds: 100}}, now)).toBe(40_000);
  expect(remainingMs({...ended, spec: {...ended.spec, ttlSeconds: 0}}, now)).toBe(-60_000);
  expect(remainingMs(ended, now)).toBe(86_340_000);
});

describe('status', () => {
  const at = (iso: string) => Date.parse(iso);
  test('start and end are stamped once', () => {
    const pending = operationStatus(operation('a', 'Start'), 'Pending', 'Queued', 'm', at('2026-01-01T00:00:01Z'));
    expect(pending).not.toHaveProperty('startTime');
    const running = {
      ...operation('a', 'Start'),
      status: operationStatus(operation('a', 'Start'), 'InProgress', 'InProgress', 'm', at('2026-01-01T00:00:02Z')),
    };
    expect(running.status).toMatchObject({startTime: '2026-01-01T00:00:02Z'});
    const ended = operationStatus(running, 'Completed', 'Running', 'm', at('2026-01-01T00:00:09Z'));
    expect(ended).toMatchObject({startTime: '2026-01-01T00:00:02Z', completionTime: '2026-01-01T00:00:09Z', reason: 'Running'});
    expect(ended.conditions?.map(({type, status}) => `${type}=${status}`)).toEqual(['Ready=True', 'Deleting=False']);
  });
});
