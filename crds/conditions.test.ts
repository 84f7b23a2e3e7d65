import {describe, expect, test} from '@jest/globals';
import {
  CONDITION_TYPES,
  MAX_CONDITION_MESSAGE,
  REASONS,
  REASON_SENTENCES,
  RETIRED_REASONS,
  conditionTime,
  setCondition,
} from './conditions.ts';
import type {Condition, ConditionUpdate} from './conditions.ts';
import {ALL_KINDS} from './index.ts';

const THEN = '2026-01-02T03:04:05Z';
const NOW = '2026-01-02T03:05:00Z';
const ready: Condition = {
  type: 'Ready',
  status: 'False',
  observedGeneration: 1,
  lastTransitionTime: THEN,
  reason: 'NotReady',
  message: 'x',
};
const update = (changes: Partial<ConditionUpdate>): ConditionUpdate => ({
  type: 'Ready',
  status: 'False',
  observedGeneration: 1,
  reason: 'NotReady',
  message: 'x',
  ...changes,
});

describe('setCondition', () => {
  test.each([
    ['the status moves the time', update({status: 'True', reason: 'Ready'}), NOW],
    ['a reason alone does not', update({reason: 'DependencyMissing'}), THEN],
    ['a message alone does not', update({message: 'y'}), THEN],
    ['a generation alone does not', update({observedGeneration: 2}), THEN],
  ])('%s', (_title, next, time) => {
    const [after] = setCondition([ready], next, NOW);
    expect(after).toEqual({...next, lastTransitionTime: time});
  });

  test('nothing new gives the same list, so that nothing is written', () => {
    const list = [ready];
    expect(setCondition(list, update({}), NOW)).toBe(list);
  });

  test('a new type goes to the end, and the list given is left alone', () => {
    const list = [ready];
    const after = setCondition(list, update({type: 'Deleting', reason: 'NotDeleting'}), NOW);
    expect(after.map(({type, lastTransitionTime}) => [type, lastTransitionTime])).toEqual([
      ['Ready', THEN],
      ['Deleting', NOW],
    ]);
    expect(list).toEqual([ready]);
  });

  test('keeps the order of the others', () => {
    const list = setCondition(setCondition(undefined, update({type: 'A'}), THEN), update({type: 'B'}), THEN);
    expect(setCondition(list, update({type: 'A', status: 'True'}), NOW).map(({type}) => type)).toEqual(['A', 'B']);
  });

  test('a long message is cut, and a cut one that comes again is nothing new', () => {
    const next = update({message: 'm'.repeat(MAX_CONDITION_MESSAGE + 1)});
    const list = setCondition([ready], next, NOW);
    expect(list[0]?.message).toHaveLength(MAX_CONDITION_MESSAGE);
    expect(setCondition(list, next, NOW)).toBe(list);
  });
});

test('conditionTime has whole seconds', () => {
  expect(conditionTime(Date.UTC(2026, 0, 2, 3, 4, 5, 678))).toBe(THEN);
});

test('every kind has a summary first and says when it is being deleted', () => {
  expect(Object.keys(CONDITION_TYPES).toSorted()).toEqual(ALL_KINDS.map(({kind}) => kind).toSorted());
  for (const [kind, types] of Object.entries(CONDITION_TYPES)) {
    expect([kind, types[0], new Set(types).size]).toEqual([kind, 'Ready', types.length]);
    expect(types).toContain('Deleting');
  }
});

test('a reason is a CamelCase word with a sentence, and none comes back from retirement', () => {
  for (const [reason, sentence] of Object.entries(REASON_SENTENCES)) {
    expect(reason).toMatch(/^[A-Z][A-Za-z0-9]{1,127}$/);
    expect([reason, sentence]).toEqual([reason, expect.stringMatching(/^.{10,200}\.$/)]);
    expect(RETIRED_REASONS).not.toContain(reason);
  }
  expect(REASONS.NodeMissing).toBe('NodeMissing');
});
