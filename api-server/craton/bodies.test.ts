import {describe, expect, test} from '@jest/globals';
import {Failure} from '../http/failure.ts';
import {demandForCreate, isAliasForm, parseBody, readCell, readHost, readRegion, type Kind} from './bodies.ts';
import {Problems} from './errors.ts';
import type {Body} from './fields.ts';

const READERS = {regions: readRegion, cells: readCell, hosts: readHost};

function problemsOf(kind: Kind, body: Body, byTriple = false): string[] {
  const problems = new Problems();
  READERS[kind](body, problems);
  demandForCreate(kind, body, byTriple, problems);
  try {
    problems.throwIfAny();
  } catch (error) {
    if (error instanceof Failure) return error.fields.map((field) => field.path).toSorted();
    throw error;
  }
  return [];
}

const host = {hostname: 'h1', status: 'up', service: ['nova'], ip_address: '10.0.0.1', cell: 'c1'};

describe('bodies of creates', () => {
  test.each([
    ['regions', {name: 'r', status: 'up'}, []],
    ['regions', {}, ['name', 'status']],
    ['regions', {name: 'r'}, ['status']],
    ['regions', {name: '', status: 7, data: [1], project_id: {}}, ['data', 'name', 'project_id', 'status']],
    ['regions', {name: 'x'.repeat(256), status: 'up'}, ['name']],
    ['regions', {name: 'r\u0000', status: 'up\u007f'}, ['name', 'status']],
    ['regions', {name: 'two\nlines', note: 'two\nlines'}, ['name']],
    ['hosts', {...host, hostname: 'h\u001b[1m', cell: 'c\t'}, ['cell', 'hostname']],
    ['regions', {name: 'r', note: 'alias form'}, []],
    ['cells', {name: 'c', status: 'up', region: 'r'}, []],
    ['cells', {}, ['name', 'region', 'status']],
    ['cells', {name: 'c', region_id: 3}, []],
    ['cells', {name: 'c', note: 'n'}, ['region_id']],
    ['hosts', host, []],
    ['hosts', {...host, id: 9, created_at: 'x', updated_at: 'y', colour: 'red'}, []],
    ['hosts', {}, ['cell', 'hostname', 'ip_address', 'service', 'status']],
    ['hosts', {...host, ip_address: undefined}, ['ip_address']],
    ['hosts', {...host, hostname: null}, ['hostname']],
    ['hosts', {...host, cell: undefined}, ['cell']],
    ['hosts', {...host, ip_address: '10.0.0.256'}, ['ip_address']],
    ['hosts', {...host, ip_address: 'fd00::1'}, []],
    ['hosts', {...host, service: 'nova'}, ['service']],
    ['hosts', {name: 'h', ip_address: '10.0.0.1', region_id: 1, device_type: 'server', active: true}, []],
    ['hosts', {name: 'h', ip_address: '10.0.0.1'}, ['region_id']],
    ['hosts', {name: 'h', region_id: 1, active: 'yes'}, ['active', 'ip_address']],
  ] as [Kind, Body, string[]][])('%s %j', (kind, body, members) => {
    expect(problemsOf(kind, body)).toEqual(members);
  });

  test('with the triple, a name alone makes a region, as cratonclient sends it', () => {
    expect(problemsOf('regions', {name: 'r'}, true)).toEqual([]);
    expect(isAliasForm('regions', {name: 'r', status: 'up'}, true)).toBe(false);
  });

  test('both spellings end in one attribute', () => {
    const problems = new Problems();
    const alias = readHost(
      {name: 'h', ip_address: '::1', region_id: 4, cell_id: 2, device_type: 'server', active: false, note: ''},
      problems,
    );
    expect(alias).toMatchObject({hostname: 'h', region: 4, cell: 2, deviceType: 'server', activity: 'Inactive', note: ''});
    expect(readHost({...host, name: 'other'}, problems)).toMatchObject({hostname: 'h1', cell: 'c1', services: ['nova'], state: 'up'});
    expect(problems.any).toBe(false);
  });

  test.each(['', '  ', '[]', '"x"', 'null', '{"a":'])('%j is not a body', (text) => {
    expect(() => parseBody(text)).toThrow(expect.objectContaining({code: 'bad-body', status: 400}));
  });
});
