import {describe, expect, test} from '@jest/globals';
import fc from 'fast-check';
import {Failure} from '../http/failure.ts';
import {formatJson, parseExactJson} from './json.ts';

describe('Craton JSON', () => {
  test('every value that is written reads back as itself', () => {
    // Doubles above 2^53 are printed as integers, which are refused: see below.
    const values = fc.json().filter((text) => !/\d{16}/.test(text));
    fc.assert(fc.property(values, (text) => expect(parseExactJson(formatJson(JSON.parse(text)))).toEqual(JSON.parse(text))));
  });

  test('keys are sorted at every depth, and a newline ends the text', () => {
    expect(formatJson({b: [{d: 1, c: null}], a: true})).toBe('{"a":true,"b":[{"c":null,"d":1}]}\n');
    expect(formatJson(null)).toBe('null\n');
    expect(formatJson(JSON.parse('{"__proto__":{"x":1}}'))).toBe('{"__proto__":{"x":1}}\n');
  });

  test.each(['9007199254740991', '-9007199254740991', '1.5', '1e3', '0', '12345678901234567890.5'])('%s is kept', (text) => {
    expect(parseExactJson(`{"n":${text}}`)).toEqual({n: Number(text)});
  });

  test.each(['9007199254740992', '-9007199254740993', '123456789012345678901234567890', '1e999'])(
    '%s is refused, and its key named',
    (text) => {
      expect(() => parseExactJson(`{"data":{"big":${text}}}`)).toThrow(
        expect.objectContaining({code: 'invalid', fields: [expect.objectContaining({path: 'data.big'})]}),
      );
    },
  );

  test.each<[string, number, string | undefined]>([
    ['[', 1000, undefined],
    ['[', 1001, 'nested too deeply'],
    ['[', 100_000, 'nested too deeply'],
    ['{"a":', 1001, 'nested too deeply'],
  ])('%s, %d deep', (open, depth, message) => {
    const text = `${open.repeat(depth)}1${(open === '[' ? ']' : '}').repeat(depth)}`;
    if (message === undefined) expect(formatJson(parseExactJson(text))).toBe(`${text}\n`);
    else expect(() => parseExactJson(text)).toThrow(message);
  });

  test('brackets in strings are not nesting', () => {
    const value = {a: `${'['.repeat(2000)}"\\`, b: '{'.repeat(2000)};
    expect(parseExactJson(JSON.stringify(value))).toEqual(value);
  });

  test.each(['', '{', "{'a':1}", '<x/>'])('%j is not JSON', (text) => {
    expect(() => parseExactJson(text)).toThrow(Failure);
  });
});
