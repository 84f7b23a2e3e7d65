import {describe, expect, test} from '@jest/globals';
import {isTrue, mergeConditions} from './conditions.ts';
import type {Condition} from './types.ts';

const T0 = Date.parse('2026-01-01T00:00:00.000Z');
const T1 = Date.parse('2026-01-01T00:01:00.987Z');
const foreign: Condition = {type: 'Synchronized', status: 'True', lastTransitionTime: null};
const old = '2026-01-01T00:00:00Z';

describe('mergeConditions', () => {
  test('keeps conditions of others and gives all both times in whole seconds: nulls would be lost on the way', () => {
    expect(mergeConditions([foreign], {Ready: {status: 'True'}}, T1)).toEqual([
      {...foreign, lastProbeTime: '2026-01-01T00:01:00Z', lastTransitionTime: '2026-01-01T00:01:00Z'},
      {type: 'Ready', status: 'True', lastProbeTime: '2026-01-01T00:01:00Z', lastTransitionTime: '2026-01-01T00:01:00Z'},
    ]);
  });

  test('returns the very same list when nothing changes, so that nothing is written', () => {
    const list = mergeConditions([foreign], {Ready: {status: 'True', reason: 'R'}}, T0);
    expect(mergeConditions(list, {Ready: {status: 'True', reason: 'R'}, Paused: undefined}, T1)).toBe(list);
  });

  test.each([
    ['a new reason keeps the transition time', {status: 'True', reason: 'Other'} as const, old],
    ['a new status moves it', {status: 'False'} as const, '2026-01-01T00:01:00Z'],
  ])('%s', (_name, verdict, lastTransitionTime) => {
    const list = mergeConditions([], {Ready: {status: 'True'}}, T0);
    expect(mergeConditions(list, {Ready: verdict}, T1)).toEqual([
      {type: 'Ready', ...verdict, lastProbeTime: '2026-01-01T00:01:00Z', lastTransitionTime},
    ]);
  });

  test('an undefined verdict removes the condition and nothing else', () => {
    const list = mergeConditions([foreign], {Paused: {status: 'True'}}, T0);
    expect(mergeConditions(list, {Paused: undefined}, T1)).toEqual([{...foreign, lastProbeTime: old, lastTransitionTime: old}]);
  });
});

test('isTrue', () => {
  expect(isTrue([foreign], 'Synchronized')).toBe(true);
  expect(isTrue([{type: 'Ready', status: 'False'}], 'Ready')).toBe(false);
  expect(isTrue(undefined, 'Ready')).toBe(false);
});
