import {describe, expect, test} from '@jest/globals';
import type {RunnerPod} from './pod.ts';
import {podStatus, terminationMessage} from './status.ts';
import type {StatusFacts} from './status.ts';
import {podOf} from './testing/pods.ts';

const T0 = '2026-01-01T00:00:00Z';
const facts: StatusFacts = {
  phase: 'Running',
  state: {running: {startedAt: T0}},
  ready: true,
  restarts: 2,
  address: '10.1.1.1',
  hostAddress: '10.0.0.1',
  startTime: T0,
  nowMs: Date.parse('2026-01-01T00:01:00.7Z'),
};
type Status = NonNullable<RunnerPod['status']>;
const of = (change: Partial<StatusFacts> = {}, before?: Status): Status =>
  podStatus(podOf({}, before === undefined ? {} : {status: before}), {...facts, ...change}) as Status;

test('a running pod', () =>
  expect(of()).toMatchObject({
    phase: 'Running',
    podIP: '10.1.1.1',
    startTime: T0,
    containerStatuses: [{name: 'c', image: 'process/x:1', ready: true, started: true, restartCount: 2, state: facts.state}],
  }));

test.each<[StatusFacts['phase'], boolean, string]>([
  ['Running', true, 'True undefined'],
  ['Running', false, 'False ContainersNotReady'],
  ['Succeeded', false, 'False PodCompleted'],
  ['Failed', false, 'False PodFailed'],
])('%s, ready %s: condition Ready is %s', (phase, ready, expected) => {
  const condition = of({phase, ready}).conditions?.find(({type}) => type === 'Ready');
  expect(`${condition?.status} ${condition?.reason}`).toBe(expected);
});

test('times of conditions move with their status only, and are whole seconds; those of others are kept', () => {
  const before: Status = {
    conditions: [
      {type: 'PodScheduled', status: 'True', lastTransitionTime: T0},
      {type: 'Ready', status: 'True', lastTransitionTime: T0},
      {type: 'ContainersReady', status: 'False', lastTransitionTime: T0},
    ],
  };
  const times = Object.fromEntries((of({}, before).conditions ?? []).map(({type, lastTransitionTime}) => [type, lastTransitionTime]));
  expect(times).toEqual({PodScheduled: T0, Ready: T0, ContainersReady: '2026-01-01T00:01:00Z', Initialized: '2026-01-01T00:01:00Z'});
});

test('a reason of the pod goes away with its cause', () => {
  expect(of({reason: 'DeadlineExceeded'})).toMatchObject({reason: 'DeadlineExceeded'});
  expect(of()).toMatchObject({reason: null, message: null});
});

describe('the last words of a container', () => {
  const log = `${Array.from({length: 100}, (_, line) => `line ${line}`).join('\n')}\n`;
  const of = (file: string, exitCode: number, policy?: string): string => terminationMessage(file, () => log, exitCode, policy);
  test('are those in its file', () => expect(of('said', 1, 'FallbackToLogsOnError')).toBe('said'));
  test('are the end of the log of one that failed without a word, if the pod wants it so', () => {
    expect(of('', 1, 'FallbackToLogsOnError').split('\n')).toEqual(Array.from({length: 80}, (_, line) => `line ${line + 20}`));
    expect(of('', 0, 'FallbackToLogsOnError')).toBe('');
    expect(of('', 1)).toBe('');
  });
  test('have a length', () => expect(of('é'.repeat(4000), 0).length).toBeLessThanOrEqual(2048));
});
