/** Start, stop, shutdown, reset and destroy, of one server and of several. Each answers when the state has been observed. */
import {randomUUID} from 'node:crypto';
import type {Server} from '../../crds/index.ts';
import {uuidOf} from '../../crds/rules/ids.ts';
import {powerWish, wantedPower} from '../../crds/rules/power.ts';
import {refOfObject} from '../../kube/objects.ts';
import {Failure} from '../http/failure.ts';
import type {Answer, Input, ModuleDeps} from '../http/types.ts';
import type {Store} from '../store/types.ts';
import {release} from './claims.ts';
import {formatList, parseProperties, valueOf} from './codec.ts';
import {Problems} from './errors.ts';
import {serverOf, serversOf} from './lookup.ts';
import {serverAnswer, vncSecretOf} from './servers.ts';
import {SETTLE_DEADLINE_MS, SHUTDOWN_DEADLINE_MS, settlement, waitForPower} from './settle.ts';

/** Most servers that one command takes. */
const MAX_SERVERS = 100;

const named = (input: Input, {store}: ModuleDeps): Server => serverOf(store, input.caller, input.params['uuid'] ?? '');

/** What a command asks for. `deadlineMs` bounds the wait for it. */
interface PowerCommand {
  readonly wish: ReturnType<typeof powerWish>;
  readonly deadlineMs: number;
}

const START: PowerCommand = {wish: powerWish('start'), deadlineMs: SETTLE_DEADLINE_MS};
const STOP: PowerCommand = {wish: powerWish('stop'), deadlineMs: SETTLE_DEADLINE_MS};
const SHUTDOWN: PowerCommand = {wish: powerWish('shutdown'), deadlineMs: SHUTDOWN_DEADLINE_MS};

/** Whether the spec must be written: the state is another one, or a polite shutdown under way is to become a hard one. */
function mustWrite(server: Server, {powerState, powerOffMode}: PowerCommand['wish']): boolean {
  if (wantedPower(server.spec) !== powerState) return true;
  return powerOffMode === 'Hard' && server.spec.powerOffMode !== 'Hard' && settlement(server, powerState) !== 'settled';
}

async function setPower(store: Store, server: Server, command: PowerCommand, signal: AbortSignal): Promise<Server | undefined> {
  const {wish, deadlineMs} = command;
  const current = mustWrite(server, wish) ? await store.servers.patch(refOfObject(server), {spec: wish}, {signal}) : server;
  return waitForPower(store, current, wish.powerState, {signal, deadlineMs});
}

async function startOne(server: Server, input: Input, {store}: ModuleDeps): Promise<Server> {
  const started = await setPower(store, server, START, input.signal);
  if (started === undefined) throw new Failure('not-found', `Server ${uuidOf(server)} could not be found`);
  return started;
}

/** A server that is not persistent vanishes when it stops. */
async function stopOne(server: Server, input: Input, deps: ModuleDeps, command: PowerCommand): Promise<void> {
  const stopped = await setPower(deps.store, server, command, input.signal);
  if ((stopped ?? server).spec.lifecycle === 'Ephemeral') await destroyOne(server, input, deps);
}

/** Its drives stay, unclaimed; answers when the server is gone, so that a drive can be destroyed by the next request. */
async function destroyOne(server: Server, input: Input, {store}: ModuleDeps): Promise<void> {
  const {signal} = input;
  const ref = refOfObject(server);
  const {uid} = server.metadata;
  try {
    await store.servers.delete(ref, {signal, ...(uid === undefined ? {} : {uid})});
  } catch (error) {
    // Someone else destroyed it meanwhile: what is left to do is the same.
    if (!(error instanceof Failure) || error.code !== 'not-found') throw error;
  }
  await store.servers.waitFor(ref, (seen) => seen === undefined || seen.metadata.uid !== uid, {signal, deadlineMs: SETTLE_DEADLINE_MS});
  const namespace = server.metadata.namespace ?? '';
  const drives = (server.spec.disks ?? []).map(({drive}) => drive);
  await release(store, namespace, server.metadata.name, drives);
  if (server.spec.console?.vnc?.passwordSecret !== undefined)
    await store.deleteSecret({namespace, name: vncSecretOf(server.metadata.name)}, {signal});
}

/** /servers/U/start: exactly 200. */
export async function start(input: Input, deps: ModuleDeps): Promise<Answer> {
  return serverAnswer(await startOne(named(input, deps), input, deps), input, deps);
}

/** /servers/U/stop: exactly 204. */
export async function stop(input: Input, deps: ModuleDeps): Promise<Answer> {
  await stopOne(named(input, deps), input, deps, STOP);
  return {status: 204};
}

/** /servers/U/shutdown: exactly 204. */
export async function shutdown(input: Input, deps: ModuleDeps): Promise<Answer> {
  await stopOne(named(input, deps), input, deps, SHUTDOWN);
  return {status: 204};
}

/** /servers/U/destroy: exactly 204. */
export async function destroy(input: Input, deps: ModuleDeps): Promise<Answer> {
  await destroyOne(named(input, deps), input, deps);
  return {status: 204};
}

/** /servers/U/reset: a hard reboot; 409 unless the server runs. */
export async function reset(input: Input, deps: ModuleDeps): Promise<Answer> {
  const {store} = deps;
  const server = named(input, deps);
  if (settlement(server, 'Running') !== 'settled') throw new Failure('conflict', `Server ${uuidOf(server)} is not active`);
  const ref = {namespace: input.caller.namespace, name: randomUUID()};
  const spec = {server: server.metadata.name, verb: 'Reboot' as const, reboot: {type: 'Hard' as const}, requester: input.caller.name};
  await store.serverOperations.create({metadata: ref, spec}, {signal: input.signal});
  const over = await store.serverOperations.waitFor(
    ref,
    (seen) => ['Completed', 'Failed', 'Superseded'].includes(seen?.status?.phase ?? ''),
    {
      signal: input.signal,
      deadlineMs: SETTLE_DEADLINE_MS,
    },
  );
  if (over?.status?.phase !== 'Completed')
    throw new Failure('internal', `Server ${uuidOf(server)} could not be reset: ${over?.status?.message ?? 'no reason is known'}`);
  await waitForPower(store, server, 'Running', {signal: input.signal});
  return {status: 204};
}

/** The servers of a body `server:0 UUID`, `server:1 UUID`, …; every unknown one is a 400 of its key. */
function severalNamed(input: Input, {store}: ModuleDeps): Server[] {
  const body = parseProperties(input.body.text());
  const problems = new Problems();
  const servers = new Map<string, Server>();
  for (const key of body.keys()) {
    const uuid = valueOf(body, key)?.trim();
    if (!/^server:\d+$/.test(key) || uuid === undefined) continue;
    const server = serversOf(store, input.caller).find((candidate) => uuidOf(candidate) === uuid.toLowerCase());
    if (server === undefined) problems.add(key, `Server ${uuid} could not be found`);
    else servers.set(uuidOf(server), server);
  }
  problems.throwIfAny(body);
  if (servers.size === 0) problems.add('server:0', 'This field is required.');
  if (servers.size > MAX_SERVERS) problems.add('system', `at most ${MAX_SERVERS} servers at once`);
  problems.throwIfAny(body);
  return [...servers.values()];
}

/** POST /servers/start: 200 and the servers acted on. */
export async function startSeveral(input: Input, deps: ModuleDeps): Promise<Answer> {
  const servers = severalNamed(input, deps);
  await Promise.all(servers.map((server) => startOne(server, input, deps)));
  return {status: 200, body: formatList(servers.map(uuidOf))};
}

/** POST /servers/stop: 200 and the servers acted on. */
export async function stopSeveral(input: Input, deps: ModuleDeps): Promise<Answer> {
  const servers = severalNamed(input, deps);
  await Promise.all(servers.map((server) => stopOne(server, input, deps, STOP)));
  return {status: 200, body: formatList(servers.map(uuidOf))};
}

/** POST /servers/destroy: 200 and the servers that remain, as in the manual's example. */
export async function destroySeveral(input: Input, deps: ModuleDeps): Promise<Answer> {
  const servers = severalNamed(input, deps);
  await Promise.all(servers.map((server) => destroyOne(server, input, deps)));
  return {status: 200, body: formatList(serversOf(deps.store, input.caller).map(uuidOf))};
}
