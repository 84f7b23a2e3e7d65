/** The downward API: a pod's own fields as text. Pure. */
import type {RunnerPod} from './pod.ts';

/** What a pod's status says of addresses is known before it is written. */
export interface Addresses {
  readonly pod: string;
  readonly host: string;
}

/** `metadata.labels['x']` and the like. Throws for a path that is no field of the downward API. */
export function fieldOf(pod: RunnerPod, path: string, addresses: Addresses): string {
  const {metadata, spec} = pod;
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (keyed !== null) return metadata[keyed[1] as 'labels' | 'annotations']?.[keyed[2] as string] ?? '';
  switch (path) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid ?? '';
    case 'metadata.labels':
    case 'metadata.annotations':
      return Object.entries(metadata[path === 'metadata.labels' ? 'labels' : 'annotations'] ?? {})
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .toSorted()
        .join('\n');
    case 'spec.nodeName':
      return spec.nodeName ?? '';
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? '';
    case 'status.podIP':
    case 'status.podIPs':
      return addresses.pod;
    case 'status.hostIP':
    case 'status.hostIPs':
      return addresses.host;
    default:
      throw new Error(`${path} is no field that a pod can be told of itself`);
  }
}
