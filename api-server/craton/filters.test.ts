import {describe, expect, test} from '@jest/globals';
import {Problems} from './errors.ts';
import {readFilters, type Filters} from './filters.ts';

const none: Filters = {
  limit: 1000,
  id: undefined,
  name: undefined,
  uuid: undefined,
  region: undefined,
  cell: undefined,
  ipAddress: undefined,
  deviceType: undefined,
  services: [],
};

describe('arguments of lists', () => {
  test.each([
    ['', {}],
    ['name=None&region=None&service=None&limit=None', {}],
    ['name=&detail=True&sort_key=&sort_dir=asc', {}],
    ['limit=1', {limit: 1}],
    ['limit=10000&id=7', {limit: 10000, id: 7}],
    ['service=a&service=b', {services: ['a', 'b']}],
    ['region_id=1&cell_id=2', {region: '1', cell: '2'}],
    ['region=r&region_id=1', {region: 'r'}],
    ['uuid=ABCD&ip_address=10.0.0.1&device_type=server', {uuid: 'abcd', ipAddress: '10.0.0.1', deviceType: 'server'}],
  ])('%j', (query, expected) => {
    const problems = new Problems();
    expect(readFilters(new URLSearchParams(query), problems)).toEqual({...none, ...expected});
    expect(problems.any).toBe(false);
  });

  test.each([
    ['limit=0', 'must be from 1 to 10000'],
    ['limit=10001', 'must be from 1 to 10000'],
    ['limit=-1', 'must be from 1 to 10000'],
    ['limit=1000000000000000000000', 'must be from 1 to 10000'],
    ['limit=ten', 'ten is not a whole number'],
    ['limit=1.5', '1.5 is not a whole number'],
    ['id=x', 'x is not a number'],
  ])('%j is a 400: %s', (query, message) => {
    const problems = new Problems();
    readFilters(new URLSearchParams(query), problems);
    expect(() => problems.throwIfAny()).toThrow(expect.objectContaining({code: 'invalid', fields: [{path: query.split('=')[0], message}]}));
  });
});
