/** Gathers what a server's view depends on, and serialises it once per state of all that. */
import {PUBLIC_NETWORK, type Flavor, type Image, type Network, type Server} from '../../crds/index.ts';
import {refOf} from '../../kube/objects.ts';
import type {Caller} from '../http/types.ts';
import {NOTHING_ELSE} from '../store/bytes.ts';
import {stateIn, type ComputeContext} from './context.ts';
import {briefServer, fullServer, type LinkBase, type ServerSources} from './server-view.ts';

/** Everything that `fullServer` needs, from the cache. */
export function sourcesOf(context: ComputeContext, server: Server, caller: Caller, {baseUrl, origin}: LinkBase): ServerSources {
  const {store} = context;
  const namespace = server.metadata.namespace ?? '';
  return {
    server,
    state: stateIn(context, server),
    owner: caller.uuid,
    flavor: flavorOf(context, server),
    image: imageOf(context, server),
    keyPairs: (server.spec.keyPairs ?? []).map((name) => store.keyPairs.get({namespace, name})),
    networkOf: (index) => networkOfNic(context, server, index),
    baseUrl,
    origin,
  };
}

function flavorOf({store, deletedFlavors}: ComputeContext, {spec}: Server): Flavor | undefined {
  return spec.flavor === undefined ? undefined : (store.flavors.get({name: spec.flavor}) ?? deletedFlavors.byKey(spec.flavor));
}

/** The image it was made from; for a server that boots from a drive, the image of that drive. */
function imageOf({store}: ComputeContext, {spec, metadata}: Server): Image | undefined {
  const namespace = metadata.namespace ?? '';
  let ref = spec.image;
  if (ref === undefined) {
    const slot = spec.bootOrder?.[0];
    const disk = spec.disks?.find((candidate) => slot === undefined || candidate.slot === slot);
    ref = disk === undefined ? undefined : store.drives.get({namespace, name: disk.drive})?.spec.source?.image;
  }
  return ref === undefined ? undefined : store.images.get({namespace: ref.namespace ?? namespace, name: ref.name});
}

/** As the status says (`namespace/name`), else as the spec does; a NIC that names no network is on the public one. */
function networkOfNic({store, config}: ComputeContext, {spec, status, metadata}: Server, index: number): Network | undefined {
  const seen = status?.nics?.find((nic) => nic.index === index)?.network;
  if (seen !== undefined) return store.networks.get(refOf(seen));
  const ref = spec.nics?.find((nic) => nic.index === index)?.network;
  if (ref === undefined) return store.networks.get({namespace: config.systemNamespace, name: PUBLIC_NETWORK});
  return store.networks.get({namespace: ref.namespace ?? metadata.namespace ?? '', name: ref.name});
}

/** Renders servers of one request: the full view as JSON bytes, serialised again only when something in it has changed. */
export function fullServerRenderer(context: ComputeContext, caller: Caller, base: LinkBase): (server: Server) => Buffer {
  const epoch = epochOf(context);
  const variant = `full ${caller.uuid} ${base.baseUrl}`;
  return (server) =>
    context.memo.bytes(server, variant, {epoch, uses: () => usesOf(context, server, caller, base)}, () =>
      fullServer(sourcesOf(context, server, caller, base)),
    );
}

/** The same for the brief view. */
export function briefServerRenderer(context: ComputeContext, base: LinkBase): (server: Server) => Buffer {
  const variant = `brief ${base.baseUrl}`;
  return (server) => context.memo.bytes(server, variant, NOTHING_ELSE, () => briefServer(server, base.baseUrl));
}

/** Revisions of every cache that a server's view reads, beside the server's own. */
function epochOf({store}: ComputeContext): string {
  const {flavors, images, networks, keyPairs, drives, serverOperations} = store;
  return [flavors, images, networks, keyPairs, drives, serverOperations].map(({revision}) => revision).join('.');
}

/** What a view was made of, in a form that can be compared. */
function usesOf(context: ComputeContext, server: Server, caller: Caller, base: LinkBase): readonly unknown[] {
  const {state, flavor, image, keyPairs, networkOf} = sourcesOf(context, server, caller, base);
  const networks = (server.status?.nics ?? []).map(({index}) => networkOf(index));
  return [state.status, state.task, flavor, image, ...keyPairs, ...networks];
}
