/** The environment of a container, out of its spec and the objects that this refers to. */
import type {ConfigMap, Secret} from '../../../kube/types.ts';
import {fieldOf} from './fields.ts';
import type {Addresses} from './fields.ts';
import {NotYet} from './not-yet.ts';
import {containerOf} from './pod.ts';
import type {EnvVariable, RunnerPod} from './pod.ts';

/** Reads objects of the pod's namespace; undefined: there is none of this name. */
export interface ObjectReader {
  secret(name: string): Promise<Secret | undefined>;
  configMap(name: string): Promise<ConfigMap | undefined>;
}

/** Replaces `$(NAME)` by what is known of NAME and `$$(` by `$(`, as Kubernetes does; what is not known stays as it is. */
export function expand(text: string, known: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\$|\$\(([^)]+)\)/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : (known.get(name) ?? whole),
  );
}

/** The content of a Secret's or ConfigMap's keys. */
export function entriesOf(object: Secret | ConfigMap): Map<string, Buffer> {
  const entries = new Map<string, Buffer>();
  const isSecret = object.kind === 'Secret';
  for (const [key, value] of Object.entries(object.data ?? {})) entries.set(key, Buffer.from(value, isSecret ? 'base64' : 'utf8'));
  const binary = (object as ConfigMap).binaryData ?? {};
  for (const [key, value] of Object.entries(binary)) entries.set(key, Buffer.from(value, 'base64'));
  return entries;
}

/**
 * All variables, in the order of Kubernetes: `envFrom`, then `env`, later ones winning. `defaults` are below both.
 * @throws NotYet while an object or key is missing that is not optional.
 */
export async function environmentOf(
  pod: RunnerPod,
  addresses: Addresses,
  objects: ObjectReader,
  defaults: Readonly<Record<string, string>>,
): Promise<Map<string, string>> {
  const container = containerOf(pod);
  const known = new Map<string, string>(Object.entries(defaults));
  const missing = (what: string): NotYet => new NotYet('CreateContainerConfigError', `${what} not found`);
  for (const {prefix = '', secretRef, configMapRef} of container.envFrom ?? []) {
    const ref = secretRef ?? configMapRef;
    if (ref === undefined) continue;
    const object = await (secretRef === undefined ? objects.configMap(ref.name) : objects.secret(ref.name));
    if (object === undefined && ref.optional !== true) throw missing(`${secretRef === undefined ? 'configmap' : 'secret'} "${ref.name}"`);
    if (object !== undefined) for (const [key, value] of entriesOf(object)) known.set(`${prefix}${key}`, value.toString());
  }
  const valueOf = async ({name, value = '', valueFrom}: EnvVariable): Promise<string | undefined> => {
    if (valueFrom === undefined) return expand(value, known);
    if (valueFrom.fieldRef !== undefined) return fieldOf(pod, valueFrom.fieldRef.fieldPath, addresses);
    const ref = valueFrom.secretKeyRef ?? valueFrom.configMapKeyRef;
    if (ref === undefined) throw new Error(`variable ${name}: the pod runner knows no ${Object.keys(valueFrom).join(', ')}`);
    const kind = valueFrom.secretKeyRef === undefined ? 'configmap' : 'secret';
    const object = await (kind === 'secret' ? objects.secret(ref.name ?? '') : objects.configMap(ref.name ?? ''));
    const found = object === undefined ? undefined : entriesOf(object).get(ref.key);
    if (found === undefined && ref.optional !== true) {
      throw missing(object === undefined ? `${kind} "${ref.name}"` : `key ${ref.key} in ${kind} "${ref.name}"`);
    }
    return found?.toString();
  };
  for (const variable of container.env ?? []) {
    const value = await valueOf(variable);
    if (value !== undefined) known.set(variable.name, value);
  }
  return known;
}
