/** Which servers a change of something else concerns. Everything here is a look into an index; nothing reads or writes. */
import type {Server} from '../../../crds/index.ts';
import {PUBLIC_NETWORK} from '../../../crds/index.ts';
import {owningServer} from '../../../crds/rules/claims.ts';
import type {Change} from '../../../kube/informer.ts';
import {keyOf, refOfObject} from '../../../kube/objects.ts';
import type {KubeObject} from '../../../kube/objects.ts';
import {watchOf} from '../../runtime/types.ts';
import type {Deps, WatchDefinition} from '../../runtime/types.ts';
import {namespaceGot} from '../shared/home.ts';
import {controllerOf} from '../shared/owner.ts';
import {isSilent} from './guest.ts';
import {isBuilt} from './status.ts';

const keyOfObject = (object: KubeObject): string => keyOf(refOfObject(object));
const inNamespaceOf = (object: KubeObject, name: string): string => keyOf({namespace: object.metadata.namespace ?? '', name});

/** Whether the spec moved: a change of status alone concerns nobody who only reads the spec. */
const specMoved = <T extends KubeObject>({object, oldObject, kind}: Change<T>): boolean =>
  kind !== 'modified' || oldObject?.metadata.generation !== object.metadata.generation;

/** All watches of the server controller. */
export function serverWatches({informers, systemNamespace}: Pick<Deps, 'informers' | 'systemNamespace'>): readonly WatchDefinition[] {
  const {servers} = informers;
  const known = (keys: readonly string[]): readonly string[] => keys.filter((key) => servers.get(key) !== undefined);
  const using = (index: string, value: string): readonly Server[] => servers.byIndex(index, value);
  const unbuilt = (list: readonly Server[]): readonly string[] => list.filter((server) => !isBuilt(server)).map(keyOfObject);
  const publicKey = `${systemNamespace}/${PUBLIC_NETWORK}`;
  /** A NIC that names no network is on the public one, and in no index. */
  const onNetwork = (key: string): readonly Server[] =>
    key === publicKey
      ? servers.list().filter(({spec}) => (spec.nics ?? [{}]).some((nic) => !('network' in nic) || nic.network === undefined))
      : [];
  const namesake = ({object}: {readonly object: KubeObject}): readonly string[] => known([keyOfObject(object)]);

  return [
    watchOf(informers.virtualMachines, namesake),
    watchOf(informers.virtualMachineInstances, namesake),
    // Only what an eviction leaves behind; how a guest does is in its instance.
    watchOf(informers.pods, ({object, oldObject, kind}) => {
      const owner = controllerOf(object);
      const leaving = object.metadata.deletionTimestamp !== oldObject?.metadata.deletionTimestamp;
      return kind === 'modified' && leaving && owner?.kind === 'VirtualMachineInstance' ? known([inNamespaceOf(object, owner.name)]) : [];
    }),
    // Only what makes a guest's state unknown, or known again: everything else of a node is its Host's affair.
    watchOf(informers.nodes, ({object, oldObject, kind}) =>
      kind !== 'deleted' && isSilent(object) !== isSilent(oldObject)
        ? known(informers.virtualMachineInstances.byIndex('node', object.metadata.name).map(keyOfObject))
        : [],
    ),
    watchOf(informers.drives, ({object}) => {
      const owner = owningServer(object);
      return [
        ...using('drive', keyOfObject(object)).map(keyOfObject),
        ...(owner === undefined ? [] : known([inNamespaceOf(object, owner.name)])),
      ];
    }),
    watchOf(informers.images, ({object}) => unbuilt(using('image', keyOfObject(object)))),
    watchOf(informers.flavors, ({object}) =>
      using('flavor', object.metadata.name)
        .filter(({status}) => status?.resources?.flavor !== object.metadata.name)
        .map(keyOfObject),
    ),
    // Every lease changes a network; only a change of what servers depend on concerns them.
    watchOf(informers.networks, (change) => {
      const {object, oldObject} = change;
      // Leases of servers that went while no operator ran: a look at each gives them back.
      const orphans =
        change.kind === 'added' ? (object.status?.leases ?? []).map(({namespace, server}) => keyOf({namespace, name: server})) : [];
      const gone = [...new Set(orphans)].filter((key) => servers.get(key) === undefined);
      if (!specMoved(change) && object.status?.nad === oldObject?.status?.nad) return gone;
      const key = keyOfObject(object);
      return [...gone, ...new Set([...using('network', key), ...onNetwork(key)].map(keyOfObject))];
    }),
    watchOf(informers.keyPairs, ({object}) => unbuilt(using('keyPair', keyOfObject(object)))),
    watchOf(informers.serverGroups, (change) => {
      if (!specMoved(change)) return [];
      const members = [change.object, change.oldObject].flatMap((group) =>
        (group?.spec.members ?? []).map((name) => inNamespaceOf(change.object, name)),
      );
      return [...new Set([...using('serverGroup', keyOfObject(change.object)).map(keyOfObject), ...known(members)])];
    }),
    watchOf(informers.accounts, (change) => {
      const namespace = namespaceGot(change);
      return namespace === undefined ? [] : servers.list(namespace).map(keyOfObject);
    }),
    // Only what may be waited for.
    watchOf(informers.regions, ({kind, object}) => (kind === 'added' ? using('region', object.metadata.name).map(keyOfObject) : [])),
    watchOf(informers.cells, ({kind, object}) => (kind === 'added' ? using('cell', object.metadata.name).map(keyOfObject) : [])),
    watchOf(informers.hosts, ({kind, object}) => (kind === 'added' ? using('wantedHost', object.metadata.name).map(keyOfObject) : [])),
    watchOf(informers.serverOperations, ({object}) => known([inNamespaceOf(object, object.spec.server)])),
  ];
}
