/** Who may import whom: the rules of the house, held over every import of every source file. */
import {readdirSync, readFileSync} from 'node:fs';
import {dirname, join, relative, resolve} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {violationOf} from '../lib/import-rules.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDERS = ['crds', 'kube', 'operator', 'api-server', 'drive-io', 'hack', 'test'];
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^'"\n;]*?(?:\n[^'"\n;]*?)*?from\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s+['"]([^'"]+)['"]/g;

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.parentPath.includes('node_modules'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

/** Every import of a file: paths inside the repository, package names as they are. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(IMPORT)].map((match) => {
    const target = match[1] ?? match[2] ?? match[3] ?? '';
    return target.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(file), target)) : target;
  });
}

describe('import rules between folders', () => {
  const files = FOLDERS.flatMap(sources);

  test('there is something to check', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap(importsOf).length).toBeGreaterThan(200);
  });

  test('every import keeps them', () => {
    const violations = files.flatMap((file) => importsOf(file).flatMap((target) => violationOf(file, target) ?? []));
    expect(violations).toEqual([]);
  });

  test.each([
    ['kube/a.ts', 'crds/b.ts', false],
    ['kube/a.ts', 'kube/b.ts', true],
    ['kube/a.ts', '@kubernetes/client-node', true],
    ['crds/a.ts', 'kube/b.ts', false],
    ['operator/a.ts', 'kube/b.ts', true],
    ['operator/a.ts', 'crds/b.ts', true],
    ['operator/a.ts', 'api-server/b.ts', false],
    ['api-server/http/a.ts', 'operator/b.ts', false],
    ['operator/a.ts', 'hack/b.ts', false],
    ['api-server/craton/a.ts', 'api-server/cyclades/b.ts', false],
    ['api-server/craton/a.ts', 'api-server/http/b.ts', true],
    ['api-server/http/a.ts', 'api-server/craton/b.ts', false],
    ['api-server/store/a.ts', 'api-server/cyclades/b.ts', false],
    ['api-server/main.ts', 'api-server/craton/b.ts', true],
    ['operator/controllers/server/a.ts', '@dot-i/k8s-operator', false],
    ['operator/runtime/reconciling-operator.ts', '@dot-i/k8s-operator', true],
    ['operator/kubevirt/a.ts', 'express', false],
    ['hack/demo/a.ts', 'api-server/b.ts', true],
    ['kube/a.ts', 'kube/testing/fake.ts', false],
    ['kube/a.test.ts', 'kube/testing/fake.ts', true],
    ['api-server/craton/a.test.ts', 'test/lib/b.ts', true],
    ['api-server/craton/a.ts', 'test/lib/b.ts', false],
  ])('%s importing %s is allowed: %s', (file, target, allowed) => {
    expect(violationOf(file, target) === undefined).toBe(allowed);
  });
});
