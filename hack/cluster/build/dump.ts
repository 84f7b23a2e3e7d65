/**
 * The manifests that KubeVirt's and CDI's own constructors produce (CRDs, RBAC, webhooks), dumped by our two dumpers and kept as JSON:
 * parsing 4 MB of YAML at every `up` would cost seconds.
 */
import {execFileSync} from 'node:child_process';
import {mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {parseAllDocuments} from 'yaml';

/** All documents of a YAML text as plain values; empty ones are skipped. Throws on the first error. */
export function parseYamlDocuments(text: string): unknown[] {
  const values: unknown[] = [];
  for (const document of parseAllDocuments(text)) {
    if (document.errors[0] !== undefined) throw document.errors[0];
    const value = document.toJS({maxAliasCount: 0}) as unknown;
    if (value !== null && value !== undefined) values.push(value);
  }
  return values;
}

/** Runs both dumpers and leaves `manifests/{kubevirt,cdi}/<group>.json`, each an array of objects. */
export function dumpManifests(bin: string, manifests: string): void {
  for (const [program, name] of [
    ['kubevirt-dump', 'kubevirt'],
    ['cdi-dump', 'cdi'],
  ] as const) {
    const folder = join(manifests, name);
    mkdirSync(folder, {recursive: true});
    execFileSync(join(bin, program), [folder], {stdio: ['ignore', 'ignore', 'pipe']});
    for (const file of readdirSync(folder).filter((entry) => entry.endsWith('.yaml'))) {
      const path = join(folder, file);
      writeFileSync(path.replace(/\.yaml$/, '.json'), JSON.stringify(parseYamlDocuments(readFileSync(path, 'utf8'))));
      rmSync(path);
    }
  }
}
