import {describe, expect, test} from '@jest/globals';
import {MAX_DATA_BYTES, dataProblem} from './data.ts';

describe('data', () => {
  test.each<readonly [string, Record<string, unknown>, unknown]>([
    ['nothing', {}, undefined],
    ['any JSON', {a: null, 'b c': [1, {d: 'x'}]}, undefined],
    ['the longest key', {['é'.repeat(255)]: 1}, undefined],
    ['a longer key', {['k'.repeat(256)]: 1}, {key: 'k'.repeat(256), message: 'keys must have at most 255 characters'}],
    ['an empty key', {'': 1}, {key: '', message: 'must not have an empty key'}],
    ['513 keys', Object.fromEntries(Array.from({length: 513}, (_, i) => [`k${i}`, 0])), {message: 'must have at most 512 keys'}],
    [
      'too many bytes, counted in UTF-8',
      {a: 'é'.repeat(MAX_DATA_BYTES / 2)},
      {message: `must have at most ${MAX_DATA_BYTES} bytes as JSON`},
    ],
  ])('%s', (_title, data, expected) => {
    expect(dataProblem(data)).toEqual(expected);
  });
});
