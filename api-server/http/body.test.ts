import {describe, expect, test} from '@jest/globals';
import {mediaTypeOf, requestBody} from './body.ts';

describe('requestBody', () => {
  test.each([
    ['application/json; charset=UTF-8', 'application/json'],
    ['Text/Plain', 'text/plain'],
    [undefined, ''],
  ])('media type of %s', (header, expected) => {
    expect(mediaTypeOf(header)).toBe(expected);
  });

  test('empty and broken JSON are refused, any JSON value is taken', () => {
    const json = (text: string) => requestBody(Buffer.from(text), 'application/json').json();
    expect(() => json('')).toThrow(/empty/);
    expect(() => json('{')).toThrow(/not valid JSON/);
    expect(json('null')).toBeNull();
  });

  test('reads urlencoded and multipart forms', () => {
    expect(requestBody(Buffer.from('state=hold&a=b+c'), 'application/x-www-form-urlencoded').form().get('a')).toBe('b c');
    const part = (name: string, value: string, more = '') =>
      `--XX\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
    const multipart = `${part('state', 'höld')}${part('file', 'bytes', '; filename="x"')}--XX--\r\n`;
    const form = requestBody(Buffer.from(multipart), 'multipart/form-data; boundary=XX').form();
    expect([...form]).toEqual([['state', 'höld']]);
    expect(() => requestBody(Buffer.from('x'), 'multipart/form-data').form()).toThrow(/boundary/);
  });
});
