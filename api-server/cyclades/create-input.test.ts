import {describe, expect, test} from '@jest/globals';
import {Failure} from '../http/failure.ts';
import {
  checkMetadataCount,
  checkName,
  readAdminPass,
  readFlavorRef,
  readKeyNames,
  readMetadata,
  readNetworks,
  readPersonality,
  readShape,
  readUserData,
} from './create-input.ts';
import {CLIENT_MOUNT, DOCUMENT_MOUNT, profileOf} from './profile.ts';

/** The code of what is thrown, else the value. */
function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return error instanceof Failure ? error.code : error;
  }
}

const good = {name: 'n', imageRef: 'img', flavorRef: 1};

describe('check 1: shape', () => {
  test.each<[string, unknown]>([
    ['no server', {}],
    ['not an object', []],
    ['no name', {server: {imageRef: 'i', flavorRef: 1}}],
    ['a number as name', {server: {...good, name: 5}}],
    ['no imageRef', {server: {name: 'n', flavorRef: 1}}],
    ['no flavorRef', {server: {name: 'n', imageRef: 'i'}}],
    ['metadata as list', {server: {...good, metadata: []}}],
    ['personality as object', {server: {...good, personality: {}}}],
    ['networks as object', {server: {...good, networks: {}}}],
    ['networks as another word', {server: {...good, networks: 'some'}}],
  ])('%s', (_name, body) => {
    expect(outcome(() => readShape(body))).toBe('bad-request');
  });

  test('flavor 0 is there, and an image link is its last segment', () => {
    expect(readShape({server: {...good, flavorRef: 0, imageRef: 'http://h/images/abc'}})).toMatchObject({flavorRef: 0, imageRef: 'abc'});
  });
});

describe('check 2: personality and user data', () => {
  const file = (more: object = {}) => ({path: '/etc/x', contents: Buffer.from('hello').toString('base64'), ...more});

  test.each<[string, unknown[], string]>([
    ['six of them', Array.from({length: 6}, (_, at) => file({path: `/f${at}`})), 'over-limit'],
    ['10241 bytes', [file({contents: 'A'.repeat(10_241)})], 'over-limit'],
    ['an extra member', [file({colour: 'red'})], 'bad-request'],
    ['not base64', [file({contents: '***'})], 'bad-request'],
    ['no path', [{contents: 'aGk='}], 'bad-request'],
    ['a relative path', [file({path: 'etc/x'})], 'bad-request'],
    ['one path twice', [file(), file()], 'bad-request'],
    ['an odd owner', [file({owner: 'a b'})], 'bad-request'],
    ['a mode too large', [file({mode: 0o10000})], 'bad-request'],
    ['a decimal mode as text', [file({mode: '999'})], 'bad-request'],
    ['not an object', ['x'], 'bad-request'],
  ])('%s', (_name, items, code) => {
    expect(outcome(() => readPersonality(items))).toBe(code);
  });

  test.each<[unknown, string | undefined]>([
    [0o600, '0600'],
    ['0644', '0644'],
    ['0o755', '0755'],
    ['600', '0600'],
    [undefined, undefined],
  ])('mode %s is %s', (mode, expected) => {
    expect(readPersonality([file({mode})])[0]?.mode).toBe(expected);
  });

  test('contents are decoded, exactly at the limit too', () => {
    expect(readPersonality([file()])[0]?.content.toString()).toBe('hello');
    expect(readPersonality([file({contents: 'A'.repeat(10_240)})])[0]?.content).toHaveLength(7680);
  });

  test('user data is strict base64', () => {
    expect(readUserData('aGk=')?.toString()).toBe('hi');
    expect(readUserData(undefined)).toBeUndefined();
    for (const wrong of ['***', 'aGk', 'a=Gk', 5]) expect(outcome(() => readUserData(wrong))).toBe('bad-request');
  });
});

test.each<[unknown, unknown]>([
  [1, 1],
  ['1', 1],
  ['http://h/flavors/7', 7],
  ['abc', 'bad-request'],
  [1.5, 'bad-request'],
  [-1, 'bad-request'],
  [true, 'bad-request'],
])('check 3: flavorRef %s', (value, expected) => {
  expect(outcome(() => readFlavorRef(value))).toBe(expected);
});

test.each<[unknown, unknown]>([
  ['Abcdefgh12', 'Abcdefgh12'],
  ['Abcdefg12', 'bad-request'],
  ['abcdefgh12', 'bad-request'],
  ['ABCDEFGH12', 'bad-request'],
  ['Abcdefghij', 'bad-request'],
  [5, 'bad-request'],
  [null, undefined],
])('check 4: adminPass %s', (value, expected) => {
  expect(outcome(() => readAdminPass(value))).toEqual(expected);
});

test.each<[Record<string, unknown>, unknown]>([
  [{key_name: 'a'}, ['a']],
  [{'SNF:key_names': ['a', 'b', 'a']}, ['a', 'b']],
  [{key_name: 'a', 'SNF:key_names': ['b']}, 'bad-request'],
  [{key_name: null}, []],
  [{key_name: 5}, 'bad-request'],
])('check 5: %j', (server, expected) => {
  expect(outcome(() => readKeyNames(server))).toEqual(expected);
});

describe('check 6: name', () => {
  test.each<[string, string | undefined]>([
    ['Zürich ☁ 1', undefined],
    ['x'.repeat(255), undefined],
    ['x'.repeat(256), 'bad-request'],
    ['u\u0000x', 'bad-request'],
    ['two\nlines', 'bad-request'],
    ['del\u007f', 'bad-request'],
  ])('%j', (name, expected) => {
    expect(outcome(() => checkName(name))).toBe(expected);
  });

  test('an empty name is said to be one', () => {
    expect(() => readShape({server: {...good, name: ' '}})).toThrow('"name" must not be empty');
  });
});

describe('check 6: metadata', () => {
  test.each<[Record<string, unknown>, unknown]>([
    [
      {a: 'b', n: 1, t: true},
      [
        {key: 'a', value: 'b'},
        {key: 'n', value: '1'},
        {key: 't', value: 'true'},
      ],
    ],
    [{['k'.repeat(51)]: 'v'}, 'bad-request'],
    [{k: 'v'.repeat(501)}, 'bad-request'],
    [{k: {}}, 'bad-request'],
    [{k: null}, 'bad-request'],
  ])('%j', (metadata, expected) => {
    expect(outcome(() => readMetadata(metadata))).toEqual(expected);
  });

  test('more than ten: by profile', () => {
    expect(outcome(() => checkMetadataCount(11, profileOf(DOCUMENT_MOUNT)))).toBe('over-limit');
    expect(outcome(() => checkMetadataCount(11, profileOf(CLIENT_MOUNT)))).toBe('bad-request');
    expect(outcome(() => checkMetadataCount(10, profileOf(CLIENT_MOUNT)))).toBeUndefined();
  });
});

test.each<[Record<string, unknown>, unknown]>([
  [{}, 'default'],
  [{networks: []}, 'none'],
  [{networks: [], block_device_mapping_v2: [{}]}, 'default'],
  [{networks: 'auto'}, 'default'],
  [{networks: 'none'}, 'none'],
  [{networks: [{uuid: 7, fixed_ip: '10.0.0.1'}]}, [{uuid: '7', fixedIp: '10.0.0.1', port: undefined}]],
  [{networks: ['x']}, 'bad-request'],
  [{networks: [{}]}, 'bad-request'],
  [{networks: Array.from({length: 9}, () => ({uuid: '1'}))}, 'over-limit'],
])('check 8: %j', (server, expected) => {
  expect(outcome(() => readNetworks(server))).toEqual(expected);
});
