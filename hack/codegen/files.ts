/** Everything that is generated from the model, as path and content. Pure. */
import {stringify} from 'yaml';
import {ALL_KINDS} from '../../crds/index.ts';
import {customResourceDefinition} from '../../crds/manifest.ts';
import {kindsReference} from './reference.ts';

const MARK = 'Generated from crds/ by `make generate`; do not edit.';

/** Whether a file carries our mark. */
export const isGenerated = (content: string): boolean => content.includes(MARK);

/** Path (relative to the root) to content of every generated file. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const kind of ALL_KINDS) {
    const manifest = stringify(customResourceDefinition(kind), {lineWidth: 120, aliasDuplicateObjects: false});
    files.set(`crds/manifests/${kind.plural}.yaml`, `# ${MARK}\n${manifest}`);
  }
  files.set('docs/reference/kinds.md', `<!-- ${MARK} -->\n${kindsReference(ALL_KINDS)}`);
  return files;
}
