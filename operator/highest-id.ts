/** The highest integer id in use, which guards the id counters against one that was deleted or restored from an old backup. */
import type {Informer} from '../kube/informer.ts';
import type {WithId} from './controllers/shared/identity.ts';
import type {Informers} from './informers.ts';

/** The highest `spec.id` of a kind in the cache; 0 when there is none. */
export function highestId(informers: Informers, kind: string): number {
  const byKind: Readonly<Record<string, Informer<WithId>>> = {
    Region: informers.regions,
    Cell: informers.cells,
    Host: informers.hosts,
    Account: informers.accounts,
    Project: informers.projects,
    Flavor: informers.flavors,
    Image: informers.images,
    Drive: informers.drives,
    Server: informers.servers,
    ServerGroup: informers.serverGroups,
    KeyPair: informers.keyPairs,
    Network: informers.networks,
  };
  return (byKind[kind]?.list() ?? []).reduce((highest, object) => Math.max(highest, object.spec.id ?? 0), 0);
}
