import {describe, expect, test} from '@jest/globals';
import {Failure} from './failure.ts';
import {createRouter} from './router.ts';
import type {Route} from './types.ts';

const route = (method: Route['method'], path: string): Route => ({method, path, handler: () => ({status: 200})});

const router = createRouter([
  route('GET', ''),
  route('GET', '/servers'),
  route('POST', '/servers'),
  route('GET', '/servers/detail'),
  route('GET', '/servers/{id}'),
  route('DELETE', '/servers/{id}'),
  route('GET', '/servers/{id}/metadata/{key}'),
  route('GET', '/drives/standard/list'),
  route('GET', '/drives/{uuid}/info'),
]);

describe('createRouter', () => {
  test.each([
    ['GET', '', 'GET /'],
    ['GET', '/servers', 'GET /servers'],
    ['HEAD', '/servers', 'GET /servers'],
    ['GET', '/servers/detail', 'GET /servers/detail'],
    ['GET', '/servers/42', 'GET /servers/{id}'],
    ['GET', '/drives/standard/list', 'GET /drives/standard/list'],
  ])('%s %s is %s', (method, path, label) => {
    expect(router(method, path)).toMatchObject({kind: 'found', label});
  });

  test('decodes placeholders, an encoded slash included', () => {
    expect(router('GET', '/servers/4/metadata/a%2Fb%20c')).toMatchObject({params: {id: '4', key: 'a/b c'}});
  });

  test('a broken escape is the client’s mistake', () => {
    expect(() => router('GET', '/servers/%zz')).toThrow(Failure);
  });

  test.each([['/nope'], ['/servers/'], ['/servers//metadata/k'], ['/servers/1/2']])('%s is unknown', (path) => {
    expect(router('GET', path).kind).toBe('unknown');
  });

  test('a known path lists the verbs it has; the most exact path alone counts', () => {
    expect(router('PUT', '/servers')).toEqual({kind: 'wrong-method', allow: ['GET', 'POST']});
    expect(router('DELETE', '/servers/detail')).toEqual({kind: 'wrong-method', allow: ['GET']});
  });

  test('two routes of one shape are a defect', () => {
    expect(() => createRouter([route('GET', '/a/{x}'), route('GET', '/a/{y}')])).toThrow(/two routes/);
  });
});
