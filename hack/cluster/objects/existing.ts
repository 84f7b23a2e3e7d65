/** Which of a set of objects exist: one list per kind and namespace, of metadata only, since the CRDs alone are megabytes. */
import type {KubeClient} from '../../../kube/client.ts';
import {isNotFound} from '../../../kube/errors.ts';
import type {AnyObject, Ref, ResourceType} from '../../../kube/objects.ts';
import {collectionPath, listQuery} from '../../../kube/paths.ts';
import {forEachLimited} from '../waiting.ts';
import type {Kinds} from './kinds.ts';

const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';
const PAGE_SIZE = 500;
const CONCURRENCY = 6;

/** Those of the objects that are gone, in their order. What is being deleted still exists; a kind that is not served has no objects. */
export async function missingObjects(
  client: KubeClient,
  kinds: Kinds,
  objects: readonly AnyObject[],
  signal: AbortSignal,
): Promise<Set<AnyObject>> {
  const groups = new Map<string, {type: ResourceType; namespace?: string; objects: AnyObject[]}>();
  for (const object of objects) {
    const type = kinds.of(object);
    const {namespace} = object.metadata;
    const path = collectionPath(type, namespace);
    const group = groups.get(path) ?? {type, ...(namespace === undefined ? {} : {namespace}), objects: []};
    group.objects.push(object);
    groups.set(path, group);
  }
  const missing = new Set<AnyObject>();
  await forEachLimited([...groups.entries()], CONCURRENCY, async ([path, group]) => {
    const there = await namesAt(client, path, signal);
    for (const object of group.objects) if (!there.has(object.metadata.name)) missing.add(object);
  });
  return missing;
}

async function namesAt(client: KubeClient, path: string, signal: AbortSignal): Promise<Set<string>> {
  const names = new Set<string>();
  let next: string | undefined;
  do {
    const query = listQuery({limit: PAGE_SIZE, ...(next === undefined ? {} : {continue: next})});
    try {
      const {body} = await client.raw('GET', `${path}${query}`, {signal, headers: {accept: METADATA_ONLY}});
      const page = JSON.parse(body.toString()) as {items?: {metadata: Ref}[] | null; metadata?: {continue?: string}};
      // An empty list of metadata has `items: null`.
      for (const {metadata} of page.items ?? []) names.add(metadata.name);
      next = page.metadata?.continue === '' ? undefined : page.metadata?.continue;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return names;
    }
  } while (next !== undefined);
  return names;
}
