import {readFileSync, readdirSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {describe, expect, test} from '@jest/globals';
import {parse} from 'yaml';
import {ALL_KINDS} from '../../crds/index.ts';
import {customResourceDefinition} from '../../crds/manifest.ts';
import {generatedFiles, isGenerated} from './files.ts';
import {kindsReference} from './reference.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('generated files', () => {
  test.each([...generatedFiles()])('%s is what the model says (else: make generate)', (path, content) => {
    expect(readFileSync(`${ROOT}/${path}`, 'utf8')).toBe(content);
    expect(isGenerated(content)).toBe(true);
  });

  test('there is a manifest for each kind and none besides', () => {
    expect(readdirSync(`${ROOT}/crds/manifests`).toSorted()).toEqual(ALL_KINDS.map(({plural}) => `${plural}.yaml`).toSorted());
  });

  test('a manifest reads back as the CRD that it was made from', () => {
    for (const kind of ALL_KINDS)
      expect(parse(generatedFiles().get(`crds/manifests/${kind.plural}.yaml`) ?? '')).toEqual(
        JSON.parse(JSON.stringify(customResourceDefinition(kind))),
      );
  });
});

describe('the reference', () => {
  const text = kindsReference(ALL_KINDS);

  test('has a section per kind with its fields, bounds, defaults and rules', () => {
    for (const {kind} of ALL_KINDS) expect(text).toContain(`\n## ${kind}\n`);
    expect(text).toContain('| `spec.powerState` | `Running` `Stopped` |  | `"Running"` |  | Whether it should run. |');
    expect(text).toContain('| `spec.nics[].index` | integer | yes |  | 0 to 7 |');
    expect(text).toContain('- `status.claims`: an exclusive drive has at most one claim.');
  });

  test('every row of a table has as many cells as its header', () => {
    const rows = text.split('\n').filter((line) => line.startsWith('| `spec') || line.startsWith('| `status'));
    expect(rows.length).toBeGreaterThan(200);
    expect(rows.filter((row) => row.replaceAll('\\|', '').split('|').length !== 8)).toEqual([]);
  });
});
