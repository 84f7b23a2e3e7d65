import {describe, expect, test} from '@jest/globals';
import {byIdThenAge, displayNameOf} from './indexes.ts';
import {touched, UPDATED_AT, updatedMs} from './times.ts';
import type {Stored} from './types.ts';

const object = (metadata: object, spec: object = {}, status?: object): Stored =>
  ({apiVersion: 'v', kind: 'K', metadata, spec, status}) as unknown as Stored;

test.each([
  [object({name: 'm'}, {name: 'shown'}), 'shown'],
  [object({name: 'm'}, {hostname: 'host'}), 'host'],
  [object({name: 'm'}), 'm'],
])('displayNameOf %#', (stored, expected) => {
  expect(displayNameOf(stored)).toBe(expected);
});

test('lists are in order of id; what has none yet comes last, older first', () => {
  const at = (name: string, id: number | undefined, creationTimestamp: string) =>
    object({name, creationTimestamp}, id === undefined ? {} : {id});
  const list = [
    at('late', undefined, '2026-01-02T00:00:00Z'),
    at('ten', 10, '2026-01-01T00:00:00Z'),
    at('early', undefined, '2026-01-01T00:00:00Z'),
    at('nine', 9, '2026-01-03T00:00:00Z'),
  ];
  expect(list.sort(byIdThenAge).map(({metadata}) => metadata.name)).toEqual(['nine', 'ten', 'early', 'late']);
});

describe('updatedMs', () => {
  const created = {name: 'm', creationTimestamp: '2026-01-01T00:00:00Z'};
  test.each([
    ['creation', object(created), '2026-01-01T00:00:00Z'],
    ['a REST write', object({...created, annotations: {[UPDATED_AT]: '2026-01-02T00:00:00Z'}}), '2026-01-02T00:00:00Z'],
    ['a condition', object(created, {}, {conditions: [{lastTransitionTime: '2026-01-03T00:00:00Z'}]}), '2026-01-03T00:00:00Z'],
    ['history', object(created, {}, {history: [{time: '2026-01-04T00:00:00Z'}]}), '2026-01-04T00:00:00Z'],
    ['deletion', object({...created, deletionTimestamp: '2026-01-05T00:00:00Z'}), '2026-01-05T00:00:00Z'],
  ])('%s', (_name, stored, expected) => {
    expect(updatedMs(stored)).toBe(Date.parse(expected));
  });

  test('touched leaves the object as it was', () => {
    const before = object(created);
    expect(updatedMs(touched(before, Date.parse('2026-02-01T00:00:00Z')))).toBe(Date.parse('2026-02-01T00:00:00Z'));
    expect(before.metadata.annotations).toBeUndefined();
  });
});
