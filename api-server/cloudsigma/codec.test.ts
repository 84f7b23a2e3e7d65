import {describe, expect, test} from '@jest/globals';
import fc from 'fast-check';
import {formatList, formatObject, formatObjects, parseProperties, valueOf, wordsOf} from './codec.ts';

const keys = fc.stringMatching(/^[a-z][a-z0-9_:]{0,12}$/).filter((key) => key !== '__proto__');
// Carriage returns become newlines and a literal backslash-n reads as a newline: the format cannot carry either.
const values = fc.string({unit: 'grapheme', maxLength: 30}).filter((value) => !value.includes('\r') && !value.includes('\\n'));
const objects = fc.dictionary(keys, fc.oneof(values, fc.constant('two\nlines'), fc.constant(' padded ')), {minKeys: 1, maxKeys: 8});

describe('the text format', () => {
  test('an object comes back as it was written', () => {
    fc.assert(
      fc.property(objects, (object) => {
        expect(Object.fromEntries(parseProperties(formatObject(object)))).toEqual({...object});
      }),
    );
  });

  test('each written object is one paragraph, whatever its values', () => {
    fc.assert(
      fc.property(fc.array(objects, {minLength: 1, maxLength: 5}), (list) => {
        const paragraphs = formatObjects(list).split('\n\n');
        expect(paragraphs.map((paragraph) => Object.fromEntries(parseProperties(paragraph)))).toEqual(list.map((object) => ({...object})));
      }),
    );
  });

  test('parsing never throws', () => {
    fc.assert(fc.property(fc.string({unit: 'binary'}), (text) => parseProperties(text) instanceof Map));
  });

  test.each([
    ['one space ends the key, further ones belong to the value', 'name  a b', [['name', ' a b']]],
    [
      'a bare key unsets',
      'vnc:password\nname x\n',
      [
        ['vnc:password', undefined],
        ['name', 'x'],
      ],
    ],
    ['key and space with nothing behind is the empty value', 'first_name ', [['first_name', '']]],
    ['backslash n is a newline', 'description a\\nb', [['description', 'a\nb']]],
    [
      'line ends of Windows and blank lines',
      'a 1\r\n\r\nb 2\r\n',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    [
      'no final newline',
      'a 1\nb 2',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    ['the last of two counts', 'a 1\na 2\n', [['a', '2']]],
    ['unicode', 'name Zürich ☁', [['name', 'Zürich ☁']]],
    ['nothing', '', []],
  ] as [string, string, [string, string | undefined][]][])('%s', (_name, text, expected) => {
    expect([...parseProperties(text)]).toEqual(expected);
  });

  test('lists, absent values and numbers', () => {
    expect(formatList(['a', 'b'])).toBe('a\nb\n');
    expect(formatList([])).toBe('');
    expect(formatObject({name: 'n', size: 5, persistent: true, boot: undefined})).toBe('name n\nsize 5\npersistent true\n');
    expect(formatObjects([{a: 1}, {b: 2}])).toBe('a 1\n\nb 2\n');
  });

  test('control characters never reach a terminal, and cannot forge a line', () => {
    const object = {'user:a\nstatus\u0000': 'x', name: 'n\u0000\u001b[31m\u007f\r\nb\tc'};
    expect(formatObject(object)).toBe('user:astatus x\nname n[31m\\nb\tc\n');
  });

  test('reading values', () => {
    const properties = parseProperties('a \nb\nc  x  y \n');
    expect(valueOf(properties, 'a')).toBeUndefined();
    expect(valueOf(properties, 'b')).toBeUndefined();
    expect(valueOf(properties, 'd')).toBeUndefined();
    expect(wordsOf(properties, 'c')).toEqual(['x', 'y']);
  });
});
