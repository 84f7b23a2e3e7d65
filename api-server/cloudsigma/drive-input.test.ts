import {describe, expect, test} from '@jest/globals';
import {EVERYONE} from '../../crds/rules/readers.ts';
import {Failure} from '../http/failure.ts';
import {parseProperties} from './codec.ts';
import {readDriveClone, readDriveCreate} from './drive-input.ts';

const GIB = 1024 ** 3;
const plain = {encryption: false};

function problemsOf(read: () => unknown): string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof Failure && error.code === 'invalid') return error.fields.map((field) => field.path).toSorted();
    throw error;
  }
  return [];
}

describe('drives/create', () => {
  test('the smallest body, with its defaults', () => {
    expect(readDriveCreate(parseProperties('name Test drive\nsize 12582912\n'), plain)).toEqual({
      name: 'Test drive',
      sizeBytes: 12582912,
      claimType: 'Exclusive',
      encryptionCipher: 'None',
      readers: [],
      tags: [],
      use: [],
    });
  });

  test('everything that can be said', () => {
    const body = `name d\nsize 2G\nclaim:type shared\nreaders ${EVERYONE.toUpperCase()}\ntags affinity:ssd blue blue\nuse a b\nencryption:cipher none`;
    expect(readDriveCreate(parseProperties(body), plain)).toEqual({
      name: 'd',
      sizeBytes: 2 * GIB,
      claimType: 'Shared',
      encryptionCipher: 'None',
      readers: [EVERYONE],
      tags: ['affinity:ssd', 'blue'],
      use: ['a', 'b'],
    });
  });

  test.each([
    ['', ['name', 'size']],
    ['size 10M', ['name']],
    ['name d', ['size']],
    ['name d\nsize big', ['size']],
    ['name d\nsize 0', ['size']],
    ['name d\nsize 1048575', ['size']],
    ['name d\nsize 10M\nclaim:type maybe', ['claim:type']],
    ['name d\nsize 10M\nreaders me', ['readers']],
    ['name d\nsize 10M\nencryption:cipher rot13', ['encryption:cipher']],
    ['name d\nsize 10M\nencryption:cipher aes-xts-plain', ['encryption:cipher']],
    [`name ${'x'.repeat(256)}\nsize 10M`, ['name']],
    ['name d\u0000\nsize 10M', ['name']],
    ['name two\\nlines\nsize 10M', []],
  ])('%j names every wrong key', (body, keys) => {
    expect(problemsOf(() => readDriveCreate(parseProperties(body), plain))).toEqual(keys);
  });

  test('where a tier encrypts, encryption is the default', () => {
    const cipherOf = (body: string): string => readDriveCreate(parseProperties(body), {encryption: true}).encryptionCipher;
    expect(cipherOf('name d\nsize 10M')).toBe('AesXtsPlain');
    expect(cipherOf('name d\nsize 10M\nencryption:cipher none')).toBe('None');
  });
});

describe('drives/U/clone', () => {
  const clone = (body: string): number => readDriveClone(parseProperties(body), GIB, plain).sizeBytes;

  test("libcloud's body: a suffix, and a key that nobody knows", () => {
    expect(clone('name node\nsize 50G\ndriveType hdd\n')).toBe(50 * GIB);
  });

  test.each([
    ['name c', GIB],
    ['name c\nsize 0', GIB],
    [`name c\nsize ${GIB}`, GIB],
    ['name c\nsize 2G', 2 * GIB],
  ])('%j', (body, bytes) => {
    expect(clone(body)).toBe(bytes);
  });

  test('a clone smaller than its source', () => {
    expect(problemsOf(() => clone(`name c\nsize ${GIB - 1}`))).toEqual(['size']);
    expect(problemsOf(() => clone('size 1M'))).toEqual(['name', 'size']);
  });
});
