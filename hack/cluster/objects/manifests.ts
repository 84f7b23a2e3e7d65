/** Manifests: YAML of this folder with `${NAME}` for what differs from cluster to cluster, and the JSON that the dumpers left in the cache. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {AnyObject} from '../../../kube/objects.ts';
import {parseYamlDocuments} from '../build/dump.ts';
import {filesBelow} from '../files.ts';

/** Values for `${NAME}`. */
export type Variables = Readonly<Record<string, string>>;

/** Replaces every `${NAME}`. Throws for a name without a value. */
export function fillIn(text: string, variables: Variables): string {
  return text.replaceAll(/\$\{([A-Z][A-Z0-9_]*)\}/g, (_whole, name: string) => {
    const value = variables[name];
    if (value === undefined) throw new Error(`\${${name}} has no value`);
    return value;
  });
}

/** Objects of one YAML file. Errors name the file. */
export function readYaml(path: string, variables: Variables = {}): AnyObject[] {
  try {
    return parseYamlDocuments(fillIn(readFileSync(path, 'utf8'), variables)) as AnyObject[];
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, {cause: error});
  }
}

/** Objects of all YAML files of a folder, in the order of their names. */
export function readYamlFolder(folder: string, variables: Variables = {}): AnyObject[] {
  return filesBelow(folder)
    .filter((file) => file.endsWith('.yaml'))
    .flatMap((file) => readYaml(join(folder, file), variables));
}

/** Objects of one dumped file. */
export function readDumped(manifests: string, name: string): AnyObject[] {
  return JSON.parse(readFileSync(join(manifests, `${name}.json`), 'utf8')) as AnyObject[];
}

interface ClientConfig {
  readonly clientConfig: Readonly<Record<string, unknown>>;
}

/** Webhook configurations and APIServices with the cluster's CA (PEM) as the one that their servers' certificates must come from. */
export function withCa(objects: readonly AnyObject[], caPem: string): AnyObject[] {
  const caBundle = Buffer.from(caPem).toString('base64');
  return objects.map((object) => {
    if (object.kind === 'APIService') {
      const {insecureSkipTLSVerify: _never, ...spec} = object['spec'] as Record<string, unknown>;
      return {...object, spec: {...spec, caBundle}};
    }
    const webhooks = object['webhooks'] as readonly ClientConfig[] | undefined;
    if (webhooks === undefined) return object;
    return {...object, webhooks: webhooks.map((webhook) => ({...webhook, clientConfig: {...webhook.clientConfig, caBundle}}))};
  });
}
