/** Collaborators of the compute handlers, and the look-ups that all of them begin with. */
import type {Flavor, Server} from '../../crds/index.ts';
import {keyOf} from '../../kube/objects.ts';
import type {Clock} from '../../kube/clock.ts';
import {Failure} from '../http/failure.ts';
import type {Caller, Input, ModuleConfig} from '../http/types.ts';
import {createBytesMemo, type BytesMemo} from '../store/bytes.ts';
import type {Store} from '../store/types.ts';
import {POLL_LIMIT_MS} from './dates.ts';
import {createKeyPairMaker, type KeyPairMaker} from './keypair-maker.ts';
import {createAdminPassSupply, type AdminPassSupply} from './password.ts';
import {createPendingOperations, type PendingOperations} from './pending.ts';
import {stateOf, type ServerState} from './status.ts';
import {createTombstones, type Tombstones} from './tombstones.ts';

/** Collaborators of every compute handler. */
export interface ComputeContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly config: ModuleConfig;
  readonly pending: PendingOperations;
  readonly deletedServers: Tombstones<Server>;
  readonly deletedFlavors: Tombstones<Flavor>;
  readonly memo: BytesMemo<Server>;
  readonly adminPasses: AdminPassSupply;
  readonly keyPairMaker: KeyPairMaker;
}

/** Builds the context; it follows the store's caches from then on. */
export function createComputeContext({store, clock, config}: Pick<ComputeContext, 'store' | 'clock' | 'config'>): ComputeContext {
  return {
    store,
    clock,
    config,
    pending: createPendingOperations(store.serverOperations),
    deletedServers: createTombstones(store.servers, clock, {keepMs: POLL_LIMIT_MS, max: 100_000}),
    deletedFlavors: createTombstones(store.flavors, clock, {max: 1000}),
    memo: createBytesMemo<Server>(),
    adminPasses: createAdminPassSupply(clock),
    keyPairMaker: createKeyPairMaker(),
  };
}

/** The integer of a path; anything else is a malformed id. */
export function readId(text: string | undefined, what: string): number {
  if (text === undefined || !/^\d{1,15}$/.test(text)) throw new Failure('bad-request', `Malformed ${what} id`);
  return Number(text);
}

/** A server that exists. Another account's is not found. */
export function findServer({store}: ComputeContext, caller: Caller, id: number): Server | undefined {
  return store.servers.byId(id, caller.namespace);
}

/** The server of the request's path; a deleted one is not found unless `deleted` says it may be. */
export function serverOf(context: ComputeContext, input: Input, {deleted = false}: {readonly deleted?: boolean} = {}): Server {
  const id = readId(input.params['id'], 'server');
  const server = findServer(context, input.caller, id) ?? (deleted ? context.deletedServers.byId(id, input.caller.namespace) : undefined);
  if (server === undefined) throw new Failure('not-found', 'Server not found.');
  return server;
}

/** State of a server with what is under way. */
export function stateIn(context: ComputeContext, server: Server): ServerState {
  return stateOf(server, context.pending.of(keyOf({name: server.metadata.name, namespace: server.metadata.namespace ?? ''})));
}
