import {expect, test} from '@jest/globals';
import {immutableOnceSet, req, s} from './schema.ts';
import type {Infer} from './schema.ts';

const sample = s.object('Sample.', {
  name: req(s.string('Name.', {max: 10})),
  mode: s.oneOf('Mode.', ['A', 'B']),
  list: s.listMap('List.', s.object('Item.', {key: req(s.integer('Key.', {min: 0, max: 3})), open: s.open('Open.', {max: 1})}), {
    key: 'key',
    max: 2,
  }),
});
type Sample = Infer<typeof sample>;

test('the type follows the schema', () => {
  const right: Sample = {name: 'x', mode: 'A', list: [{key: 1, open: {anything: [null]}}]};
  // @ts-expect-error a field that must be there is missing
  const missing: Sample = {mode: 'A'};
  // @ts-expect-error a word that is none of the enum's
  const wrongWord: Sample = {name: 'x', mode: 'C'};
  // @ts-expect-error a typo
  const typo: Sample = {name: 'x', mod: 'A'};
  // @ts-expect-error objects of a cache are shared, so fields are read-only
  right.name = 'y';
  // @ts-expect-error and so are lists
  right.list?.push({key: 2});
  expect([right.name, missing.mode, wrongWord.mode, typo.name]).toEqual(['y', 'A', 'C', 'x']);
});

test('the schema says what is required, and how lists merge', () => {
  expect(sample.json).toMatchObject({
    type: 'object',
    required: ['name'],
    properties: {list: {'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['key'], items: {required: ['key']}}},
  });
  expect(s.object('None required.', {a: s.string('A.', {max: 1})}).json).not.toHaveProperty('required');
});

test.each([
  [2_147_483_647, 'int32'],
  [2_147_483_648, 'int64'],
])('an integer up to %s is an %s', (max, format) => {
  expect(s.integer('Number.', {min: 0, max}).json.format).toBe(format);
});

test('a rule on an optional field lives on the parent and sees its removal', () => {
  expect(immutableOnceSet('id')).toMatchObject({rule: '!has(oldSelf.id) || (has(self.id) && self.id == oldSelf.id)', fieldPath: '.id'});
});
