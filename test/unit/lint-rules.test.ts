/** Each lint rule that the project leans on fires on a small fixture: a rule that is silently off is found here. */
import {spawnSync} from 'node:child_process';
import {copyFileSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';

const ROOT = resolve(import.meta.dirname, '../..');

const FIXTURES = [
  {rule: 'no-floating-promises', code: 'declare const work: () => Promise<void>;\nexport const f = (): void => {\n  work();\n};\n'},
  {rule: 'no-misused-promises', code: 'declare const work: () => Promise<boolean>;\nexport const f = (): number => (work() ? 1 : 2);\n'},
  {rule: 'await-thenable', code: 'export const f = async (n: number): Promise<number> => await n;\n'},
  {rule: 'no-explicit-any', code: 'export const f = (n: any): unknown => n;\n'},
  {
    rule: 'switch-exhaustiveness-check',
    code: "export const f = (x: 'a' | 'b'): number => {\n  switch (x) {\n    case 'a':\n      return 1;\n  }\n  return 2;\n};\n",
  },
  {rule: 'no-console', code: "export const f = (): void => console.log('x');\n"},
  {rule: 'eqeqeq', code: 'export const f = (a: string, b: string): boolean => a == b;\n'},
  {rule: 'no-empty', code: 'export const f = (g: () => void): void => {\n  try {\n    g();\n  } catch {}\n};\n'},
];

describe('lint rules', () => {
  let directory = '';

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'basalt-lint-'));
    copyFileSync(join(ROOT, '.oxlintrc.json'), join(directory, '.oxlintrc.json'));
    const options = {module: 'nodenext', target: 'es2023', strict: true, noEmit: true, types: [], lib: ['es2023', 'dom']};
    writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({compilerOptions: options, include: ['*.ts']}));
    for (const {rule, code} of FIXTURES) writeFileSync(join(directory, `${rule}.ts`), code);
  });
  afterAll(() => rmSync(directory, {recursive: true, force: true}));

  test('each fires on its fixture', () => {
    const command = join(ROOT, 'node_modules/.bin/oxlint');
    const result = spawnSync(command, ['--type-aware', '--format', 'unix', '.'], {cwd: directory, encoding: 'utf8', timeout: 60_000});
    const lines = result.stdout.split('\n');
    const silent = FIXTURES.filter(({rule}) => !lines.some((line) => line.includes(`${rule}.ts:`) && line.includes(rule)));
    expect(silent.map(({rule}) => rule)).toEqual([]);
  });
});
