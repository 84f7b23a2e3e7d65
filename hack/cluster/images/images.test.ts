import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {filesBelow} from '../files.ts';
import {HERE} from '../paths.ts';
import {ensureImage, findBuilt, recipeHash, type ImageContext} from './cache.ts';
import {placeImage} from './catalogue.ts';
import {nameAndVersion, parsePrintedUris} from './packages.ts';
import {DEBIAN, RECIPES, TINY} from './recipes.ts';
import {installCommand, missingPackages, parseRequirements, readRequirements} from './requirements.ts';

describe('packages', () => {
  const line = (name: string, sum: string): string => `'http://mirror/pool/${name}' ${name} 123 SHA256:${sum.repeat(64)}`;

  test('are read from what apt prints, in an order of their own', () =>
    expect(parsePrintedUris(['Reading…', line('b_1_amd64.deb', 'b'), line('a_2_amd64.deb', 'a'), "'x' y 1 MD5:0"].join('\n'))).toEqual([
      {file: 'a_2_amd64.deb', sha256: 'a'.repeat(64)},
      {file: 'b_1_amd64.deb', sha256: 'b'.repeat(64)},
    ]));

  test.each([
    ['lz4_1.9.4-1_amd64.deb', 'lz4=1.9.4-1'],
    ['busybox-static_1%3a1.35.0-4+deb12u1+b1_amd64.deb', 'busybox-static=1:1.35.0-4+deb12u1+b1'],
  ])('%s is asked for as %s', (file, expected) => expect(nameAndVersion({file, sha256: ''})).toBe(expected));
});

describe('what this machine needs', () => {
  const list = parseRequirements(
    '# why\nrun qemu qemu-system\n\nimage  lz4   lz4\nimage syslinux-common -\ndebian mmdebstrap mmdebstrap\n',
  );

  test.each([
    ['everything there', ['run', 'image'], ['qemu-system', 'lz4'], []],
    ['nothing there', ['run', 'image'], [], ['qemu', 'lz4']],
    ['only what was asked about', ['image'], [], ['lz4']],
    ['a purpose of its own', ['debian'], ['lz4'], ['mmdebstrap']],
  ] as const)('%s', (_what, purposes, there, expected) => {
    expect(missingPackages(list, purposes, (command) => (there as readonly string[]).includes(command))).toEqual(expected);
  });

  test.each(['run qemu', 'walk qemu qemu', 'run qemu qemu more'])('the line %j is refused', (text) =>
    expect(() => parseRequirements(text)).toThrow(text),
  );

  test('the repository’s list is read', () => {
    expect(missingPackages(readRequirements(), ['run'], () => false)).toEqual([
      'qemu-system-x86',
      'qemu-utils',
      'genisoimage',
      'bubblewrap',
    ]);
    expect(installCommand(['a', 'b'])).toBe('apt-get install --no-install-recommends a b');
  });
});

describe('the cache', () => {
  let folder: string;
  let context: ImageContext;
  const NOW = Date.parse('2026-01-31T00:00:00Z');
  const DAY_MS = 24 * 3600_000;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'basalt-test-'));
    // Tools that know nothing: no test may ask the machine's apt.
    for (const tool of ['apt-get', 'apt-cache', 'dpkg-query']) writeFileSync(join(folder, tool), '#!/bin/sh\nexit 1\n', {mode: 0o755});
    context = {cache: join(folder, 'cache'), env: {PATH: folder}, terminal: {isTTY: false, write: () => undefined}, now: () => NOW};
  });
  afterAll(() => rmSync(folder, {recursive: true}));

  const putBuild = (packages: string, ageDays: number): void => {
    const path = join(context.cache, `guest-tiny-${recipeHash(TINY, '')}-${packages}`);
    mkdirSync(path, {recursive: true});
    writeFileSync(join(path, 'image.json'), JSON.stringify({sizeBytes: 1, sha256: packages, packages: []}));
    const at = new Date(NOW - ageDays * DAY_MS);
    utimesSync(path, at, at);
  };

  test('without apt’s lists and an earlier build there is no image, and the message has the command', async () => {
    await expect(ensureImage(TINY, context)).rejects.toThrow('apt-get update');
    expect(await findBuilt(TINY, context)).toBeUndefined();
  });

  test('an earlier build of the same recipe does without apt: the newest one, however old', async () => {
    putBuild('older', 30);
    putBuild('newer', 20);
    expect(await ensureImage(TINY, context)).toMatchObject({name: 'tiny', sha256: 'newer'});
    expect(await findBuilt(TINY, context)).toMatchObject({sha256: 'newer'});
    expect(await findBuilt(DEBIAN, context)).toBeUndefined();
  });
});

describe('recipes', () => {
  test('every file of this folder that is not TypeScript belongs to a recipe’s content', () => {
    const parts = filesBelow(join(HERE, 'images')).filter((file) => !file.endsWith('.ts') && !file.endsWith('.md'));
    const owned = (file: string): boolean =>
      RECIPES.some(({sources}) => sources.some((source) => (source.endsWith('/') ? file.startsWith(source) : file === source)));
    expect(parts.filter((file) => !owned(file))).toEqual([]);
    for (const {script} of RECIPES) expect(parts).toContain(script);
  });

  test('another tool or another recipe is another content', () =>
    expect(new Set([recipeHash(TINY, 'a'), recipeHash(TINY, 'b'), recipeHash(DEBIAN, 'a')]).size).toBe(3));

  const scripts = filesBelow(join(HERE, 'images')).filter((file) => /\.sh$|initramfs-init$|init\.d\/|seed\/[a-z]+$|guest-up$/.test(file));
  test.each(scripts)('%s is a shell script', (file) => {
    const shell = file.endsWith('.sh') ? 'bash' : 'sh';
    expect(execFileSync(shell, ['-n', join(HERE, 'images', file)], {encoding: 'utf8'})).toBe('');
  });
});

test('an image is placed once, and replaced by other bytes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'basalt-test-'));
  const {signal} = new AbortController();
  try {
    const put = async (text: string): Promise<string> => {
      writeFileSync(join(folder, 'source'), text);
      const image = {name: 'tiny', path: join(folder, 'source'), sizeBytes: text.length, sha256: text, packages: []};
      await placeImage(image, folder, signal);
      return execFileSync('cat', [join(folder, 'tiny.raw')], {encoding: 'utf8'});
    };
    expect(await put('one')).toBe('one');
    writeFileSync(join(folder, 'tiny.raw'), 'touched');
    expect(await put('one')).toBe('touched');
    expect(await put('two')).toBe('two');
    rmSync(join(folder, 'tiny.raw'));
    expect(await put('two')).toBe('two');
    expect(existsSync(join(folder, 'tiny.raw.new'))).toBe(false);
  } finally {
    rmSync(folder, {recursive: true});
  }
});
