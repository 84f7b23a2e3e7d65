/** Finds the kind behind a group, version and plural, which is all that `@dot-i/k8s-operator`'s signatures carry. */
import type {KubeClient} from '../../kube/client.ts';
import {apiVersionOf} from '../../kube/objects.ts';
import type {KubeObject, ResourceType} from '../../kube/objects.ts';

/** The path of a collection. */
export function clusterPath(group: string, version: string, plural: string, namespace?: string): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  return namespace === undefined || namespace === '' ? `${root}/${plural}` : `${root}/namespaces/${namespace}/${plural}`;
}

/** Kinds looked up so far. */
export interface KindDirectory {
  /** Asks the server's discovery. Throws when the kind is not served. */
  resolve(group: string, version: string, plural: string): Promise<ResourceType<KubeObject>>;
  /** By the id that `ResourceMeta` carries (`plural.apiVersion`). Throws for a kind that was never resolved. */
  byId(id: string): ResourceType<KubeObject>;
}

/** Makes an empty directory over `client`. */
export function createKindDirectory(client: KubeClient): KindDirectory {
  const known = new Map<string, ResourceType<KubeObject>>();
  return {
    async resolve(group, version, plural) {
      const id = `${plural}.${apiVersionOf({group, version})}`;
      const cached = known.get(id);
      if (cached !== undefined) return cached;
      const answer = await client.raw('GET', clusterPath(group, version, '').replace(/\/$/, ''));
      const body = JSON.parse(answer.body.toString('utf8')) as {
        readonly resources?: readonly {readonly name: string; readonly kind: string; readonly namespaced: boolean}[];
      };
      const found = body.resources?.find((resource) => resource.name === plural);
      if (found === undefined) throw new Error(`the cluster does not serve ${id}`);
      const type = {group, version, plural, kind: found.kind, namespaced: found.namespaced};
      known.set(id, type);
      return type;
    },
    byId(id) {
      const type = known.get(id);
      if (type === undefined) throw new Error(`nothing watches ${id}: call watchResource first`);
      return type;
    },
  };
}
