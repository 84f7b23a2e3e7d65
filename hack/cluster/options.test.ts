import {describe, expect, test} from '@jest/globals';
import {parseOptions, usageText, UsageError} from './options.ts';

const parse = (line: string, env: Record<string, string> = {}) => parseOptions(line.split(' ').filter(Boolean), env, '/somewhere');

test('defaults', () => {
  expect(parse('up')).toMatchObject({
    command: 'up',
    dir: '/somewhere/.cluster',
    tier: 'full',
    light: false,
    programs: true,
    hosts: undefined,
  });
});

describe('the folder', () => {
  test.each([
    ['up --dir x', {}, '/somewhere/x'],
    ['up --dir /y', {BASALT_CLUSTER_DIR: '/z'}, '/y'],
    ['up', {BASALT_CLUSTER_DIR: '/z'}, '/z'],
    ['up', {BASALT_CLUSTER_DIR: ''}, '/somewhere/.cluster'],
  ])('%s with %j', (line, env, dir) => expect(parse(line, env).dir).toBe(dir));
});

test('hosts come from the flag, else from the environment', () => {
  expect(parse('up --hosts 7', {BASALT_HOSTS: '9'}).hosts).toBe(7);
  expect(parse('up', {BASALT_HOSTS: '9'}).hosts).toBe(9);
});

test('what is wrong is said first and last, in the words of make too', () => {
  const refusal = (): unknown => {
    try {
      return parse('up --hosts abc');
    } catch (error) {
      return error;
    }
  };
  const lines = usageText(refusal() as UsageError).split('\n');
  expect(lines[0]).toMatch(/HOSTS=N.*positive integer, not "abc"/);
  expect(lines.at(-1)).toBe(lines[0]);
});

test('the api tier has none of our programs', () => expect(parse('up --tier api').programs).toBe(false));
test('logs takes names', () => expect(parse('logs -f -n 5 etcd kwok')).toMatchObject({follow: true, lines: 5, names: ['etcd', 'kwok']}));

test('host takes what is to become of its power, and its name', () =>
  expect(parse('host off bm-001').host).toEqual({power: 'off', name: 'bm-001'}));

describe('refused', () => {
  test.each([
    '',
    'start',
    'up etcd',
    'up --tier t1',
    'up --tier api --light',
    'up --hosts 0',
    'up --hosts x',
    'logs -n -1',
    'host bm-001',
    'host off',
    'host off bm-001 bm-002',
    'up --nonsense',
  ])('%j', (line) => {
    expect(() => parse(line)).toThrow(UsageError);
  });
});
