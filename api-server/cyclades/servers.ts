/** Servers: lists, details, rename, delete, connections. */
import type {Server} from '../../crds/index.ts';
import {idOf} from '../../crds/rules/ids.ts';
import {isDeleting, keyOf, refOfObject} from '../../kube/objects.ts';
import {isObject} from '../http/body.ts';
import {Failure} from '../http/failure.ts';
import type {Answer, Input} from '../http/types.ts';
import {byIdThenAge} from '../store/indexes.ts';
import {touched, updatedMs} from '../store/times.ts';
import {serverOf, stateIn, type ComputeContext} from './context.ts';
import {checkName} from './create-input.ts';
import {changesSince} from './dates.ts';
import {empty, formatOf, reply, replyList} from './format.ts';
import {jsonObject} from './request-body.ts';
import {briefServerRenderer, fullServerRenderer, sourcesOf} from './server-bytes.ts';
import {connections, fullServer} from './server-view.ts';
import {admit} from './transitions.ts';

/** GET /servers. */
export function listServers(input: Input, context: ComputeContext): Answer {
  return answerList(input, context, briefServerRenderer(context, input));
}

/** GET /servers/detail. */
export function listServersDetail(input: Input, context: ComputeContext): Answer {
  return answerList(input, context, fullServerRenderer(context, input.caller, input));
}

function answerList(input: Input, context: ComputeContext, render: (server: Server) => Buffer): Answer {
  const sinceMs = changesSince(input.query, context.clock.now());
  const servers = sinceMs === undefined ? present(input, context) : changed(input, context, sinceMs);
  if (sinceMs !== undefined && servers.length === 0) return empty(304);
  return replyList(input, 'servers', servers.map(render));
}

/** Without an id yet (made with kubectl a moment ago) a server cannot be addressed here; the operator gives it one. */
const addressable = (server: Server): boolean => idOf(server) !== undefined;

function present({caller}: Input, {store}: ComputeContext): readonly Server[] {
  return store.servers.list(caller.namespace).filter((server) => addressable(server) && !isDeleting(server));
}

function changed({caller}: Input, {store, deletedServers}: ComputeContext, sinceMs: number): readonly Server[] {
  const living = store.servers.list(caller.namespace).filter((server) => addressable(server) && updatedMs(server) >= sinceMs);
  return [...living, ...deletedServers.since(caller.namespace, sinceMs).filter(addressable)].sort(byIdThenAge);
}

/** GET /servers/{id}; deleted ones too, for a while. */
export function getServer(input: Input, context: ComputeContext): Answer {
  const server = serverOf(context, input, {deleted: true});
  if (formatOf(input, input.rawPath) === 'xml')
    return reply(input, 200, {server: fullServer(sourcesOf(context, server, input.caller, input))});
  const bytes = fullServerRenderer(context, input.caller, input)(server);
  return {status: 200, body: Buffer.concat([Buffer.from('{"server":'), bytes, Buffer.from('}')])};
}

/** PUT /servers/{id}: the name, nothing else. */
export async function renameServer(input: Input, context: ComputeContext): Promise<Answer> {
  const server = serverOf(context, input, {deleted: true});
  const body = jsonObject(input, {strict: true});
  const name = isObject(body['server']) ? body['server']['name'] : undefined;
  if (typeof name !== 'string') throw new Failure('bad-request', 'Malformed request: "server.name" is missing or not a string');
  if (name.trim() === '') throw new Failure('bad-request', 'Malformed request: "server.name" must not be empty');
  checkName(name);
  await editSpec(input, context, server, (spec) => (spec.name === name ? undefined : {...spec, name}));
  return empty(204);
}

/** Changes a server's spec where its state admits that; `change` returns undefined when there is nothing to do. */
export async function editSpec(
  {signal}: Input,
  context: ComputeContext,
  server: Server,
  change: (spec: Server['spec'], current: Server) => Server['spec'] | undefined,
  action: Parameters<typeof admit>[0] = 'edit',
): Promise<Server> {
  admit(action, stateIn(context, server));
  return context.store.servers.update(
    refOfObject(server),
    (current) => {
      // The newest state decides: it may have changed since the request arrived.
      admit(action, stateIn(context, current));
      const spec = change(current.spec, current);
      return spec === undefined ? undefined : touched({...current, spec}, context.clock.now());
    },
    {signal},
  );
}

/** DELETE /servers/{id}. */
export async function deleteServer(input: Input, context: ComputeContext): Promise<Answer> {
  const server = serverOf(context, input, {deleted: true});
  admit('delete', stateIn(context, server));
  const {uid} = server.metadata;
  await context.store.servers.delete(refOfObject(server), {signal: input.signal, ...(uid === undefined ? {} : {uid})});
  input.log.info({server: keyOf(refOfObject(server)), id: idOf(server)}, 'server deleted over REST');
  return empty(204);
}

/** GET /servers/{id}/ips. */
export function listConnections(input: Input, context: ComputeContext): Answer {
  return reply(input, 200, connectionsOf(input, context));
}

/** GET /servers/{id}/ips/{network}. */
export function getConnection(input: Input, context: ComputeContext): Answer {
  const {addresses} = connectionsOf(input, context);
  const network = input.params['network'] ?? '';
  const list = addresses[network];
  if (list === undefined) throw new Failure('not-found', 'Network not found.');
  return reply(input, 200, {network: {[network]: list}});
}

function connectionsOf(input: Input, context: ComputeContext): ReturnType<typeof connections> {
  const server = serverOf(context, input, {deleted: true});
  if (stateIn(context, server).status === 'DELETED') throw new Failure('bad-request', 'The server has been deleted.');
  return connections(sourcesOf(context, server, input.caller, input));
}
