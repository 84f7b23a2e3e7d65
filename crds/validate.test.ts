import {describe, expect, test} from '@jest/globals';
import {ALL_KINDS} from './index.ts';
import {req, s} from './schema.ts';
import {closed, validateResource} from './validate.ts';

const body = s.object('A body.', {
  name: req(s.string('Name.', {min: 1, max: 5})),
  mode: s.oneOf('Mode.', ['A', 'B'], {default: 'A'}),
  size: s.integer('Size.', {min: 1, max: 10}),
  tags: s.list('Tags.', s.string('A tag.', {max: 5}), {max: 2, type: 'set'}),
  items: s.listMap('Items.', s.object('An item.', {key: req(s.string('Key.', {max: 5}))}), {key: 'key', max: 3}),
  data: s.open('Data.', {max: 2}),
  at: s.time('When.'),
});

describe('closed', () => {
  const validate = closed(body);

  test.each([
    ['the least', {name: 'a'}],
    ['characters are counted, not UTF-16 units', {name: '😀😀😀😀😀'}],
    ['any value in an open map', {name: 'a', data: {x: null, y: {z: [1, 'a', true]}}}],
    ['a time with an offset', {name: 'a', at: '2026-01-02T03:04:05.6+01:00'}],
  ])('accepts %s', (_title, value) => {
    expect(validate(value)).toEqual([]);
  });

  test.each<readonly [string, unknown, string, string]>([
    ['no object', 'x', '', 'must be an object'],
    ['null', null, '', 'must be an object'],
    ['a field missing', {}, 'name', 'is required'],
    ['an unknown field', {name: 'a', nmae: 'b'}, 'nmae', 'is not a known field'],
    ['an unknown field of an item', {name: 'a', items: [{key: 'k', x: 1}]}, 'items[0].x', 'is not a known field'],
    ['a field named like one of Object', JSON.parse('{"name":"a","__proto__":{}}'), '__proto__', 'is not a known field'],
    ['an empty text', {name: ''}, 'name', 'must not be empty'],
    ['a long text', {name: 'abcdef'}, 'name', 'must have at most 5 characters'],
    ['another word', {name: 'a', mode: 'a'}, 'mode', 'must be one of "A", "B"'],
    ['a number as text', {name: 'a', size: '1'}, 'size', 'must be an integer'],
    ['a fraction', {name: 'a', size: 1.5}, 'size', 'must be an integer'],
    ['a number too small', {name: 'a', size: 0}, 'size', 'must be at least 1'],
    ['a number too large', {name: 'a', size: 11}, 'size', 'must be at most 10'],
    ['a set with a duplicate', {name: 'a', tags: ['x', 'x']}, 'tags', 'must not have duplicates'],
    ['a list by key with a duplicate', {name: 'a', items: [{key: 'k'}, {key: 'k'}]}, 'items', 'must not have duplicates'],
    ['too many items', {name: 'a', tags: ['x', 'y', 'z']}, 'tags', 'must have at most 2 items'],
    ['a day that does not exist', {name: 'a', at: '2026-13-02T03:04:05Z'}, 'at', 'must match format "date-time"'],
  ])('refuses %s', (_title, value, path, message) => {
    expect(validate(value)).toEqual([{path, message}]);
  });

  test('names every problem, up to a bound', () => {
    expect(validate({size: 0, mode: 'x'})).toHaveLength(3);
    expect(validate(Object.fromEntries(Array.from({length: 1000}, (_, i) => [`x${i}`, i])))).toHaveLength(20);
  });

  test('fills in defaults only when asked', () => {
    const plain = {name: 'a'};
    validate(plain);
    expect(plain).toEqual({name: 'a'});
    const filled = {name: 'a'};
    closed(body, {useDefaults: true})(filled);
    expect(filled).toEqual({name: 'a', mode: 'A'});
  });

  test.each(ALL_KINDS.map((kind) => [kind.kind, kind] as const))('compiles the spec of %s', (_name, kind) => {
    expect(closed({json: kind.spec})({noSuchField: 1})).toContainEqual({path: 'noSuchField', message: 'is not a known field'});
  });
});

describe('validateResource', () => {
  test('is open, as the cluster is', () => {
    expect(validateResource('Cell', {metadata: {name: 'c', labels: {}}, spec: {name: 'c', region: 'r', later: 1}, extra: 1})).toEqual([]);
  });

  test('wants a spec', () => {
    expect(validateResource('Cell', {metadata: {name: 'c'}})).toEqual([{path: 'spec', message: 'is required'}]);
  });

  test('throws for a kind that is not ours', () => {
    expect(() => validateResource('Pod', {})).toThrow('Pod is not a kind of Basalt');
  });
});
