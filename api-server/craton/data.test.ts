import {describe, expect, test} from '@jest/globals';
import fc from 'fast-check';
import {checkDataSize, mergeData, readDataChanges, readDataNames, withoutData} from './data.ts';

describe('/data', () => {
  test.each([
    ['the documented pair', {key: 'rack', value: {row: 3}}, [['rack', {row: 3}]]],
    ['a pair with an empty value', {key: 'rack', value: null}, [['rack', null]]],
    ['key alone', {key: 'rack'}, [['rack', null]]],
    [
      'a mapping',
      {a: 1, b: [true]},
      [
        ['a', 1],
        ['b', [true]],
      ],
    ],
    [
      'a mapping that happens to have a key called key',
      {key: 'x', other: 1},
      [
        ['key', 'x'],
        ['other', 1],
      ],
    ],
    ['a mapping with value alone', {value: 5}, [['value', 5]]],
    ['nothing', {}, []],
  ] as [string, object, [string, unknown][]][])('PUT %s', (_name, body, changes) => {
    expect([...readDataChanges(body)]).toEqual(changes);
  });

  test.each([
    ['an array', ['a', 'b'], null, ['a', 'b']],
    ['a key', {key: 'a'}, null, ['a']],
    ['a mapping whose values are names', {x: 'a', y: 'b'}, null, ['a', 'b']],
    ['an argument', undefined, 'a', ['a']],
  ] as [string, unknown, string | null, string[]][])('DELETE %s', (_name, body, argument, names) => {
    expect(readDataNames(body, argument)).toEqual(names);
  });

  test.each([
    ['PUT a list', () => readDataChanges(['a'])],
    ['PUT a key that is no string', () => readDataChanges({key: 5})],
    ['DELETE with nothing named', () => readDataNames(undefined, null)],
    ['DELETE a number', () => readDataNames(7, null)],
    ['DELETE a list of numbers', () => readDataNames([7], null)],
  ])('%s is a 400', (_name, read) => {
    expect(read).toThrow(expect.objectContaining({status: 400}));
  });

  test('merging and removing leave every other value untouched', () => {
    const objects = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(objects, objects, (before, changes) => {
        const merged = mergeData(before, new Map(Object.entries(changes)));
        expect(merged).toEqual(Object.fromEntries([...Object.entries(before), ...Object.entries(changes)]));
        expect(Object.keys(withoutData(merged, Object.keys(changes)))).toEqual(
          Object.keys(before).filter((key) => !Object.hasOwn(changes, key)),
        );
      }),
    );
  });

  test('256 KiB are enough, one byte more is a 413', () => {
    const overhead = '{"k":""}'.length;
    expect(() => checkDataSize({k: 'x'.repeat(256 * 1024 - overhead)})).not.toThrow();
    expect(() => checkDataSize({k: 'x'.repeat(256 * 1024 - overhead + 1)})).toThrow(expect.objectContaining({status: 413}));
  });
});
