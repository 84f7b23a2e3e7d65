import {describe, expect, test} from '@jest/globals';
import {chooseFormat, stripSuffix} from './format.ts';

describe('chooseFormat', () => {
  test.each<[string, string | undefined, 'json' | 'xml' | undefined, 'json' | 'xml']>([
    ['', undefined, undefined, 'json'],
    ['format=xml', 'application/json', 'json', 'xml'],
    ['format=json', 'application/xml', 'xml', 'json'],
    ['xml', 'application/json', undefined, 'xml'],
    ['json', 'application/xml', undefined, 'json'],
    ['', 'application/json', 'xml', 'xml'],
    ['', 'text/html, application/xml;q=0.9, application/json', undefined, 'xml'],
    ['', '*/*', undefined, 'json'],
  ])('?%s, Accept %s, suffix %s: %s', (query, accept, suffix, expected) => {
    expect(chooseFormat({query: new URLSearchParams(query), accept, suffix})).toBe(expected);
  });
});

describe('stripSuffix', () => {
  test.each([
    ['/servers.xml', '/servers', 'xml'],
    ['/servers/42.json', '/servers/42', 'json'],
    ['/servers/42/metadata.xml', '/servers/42/metadata', 'xml'],
    ['/servers/42/metadata/app.json', '/servers/42/metadata/app.json', undefined],
    ['/os-keypairs/my.xml', '/os-keypairs/my.xml', undefined],
    ['/servers', '/servers', undefined],
  ])('%s', (path, stripped, suffix) => {
    expect(stripSuffix(path)).toEqual({path: stripped, suffix});
  });
});
