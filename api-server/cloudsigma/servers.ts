/** Server commands that read and create. Power and destruction are in power.ts. */
import {randomUUID} from 'node:crypto';
import {LABELS, PUBLIC_NETWORK, type Server} from '../../crds/index.ts';
import {uuidOf} from '../../crds/rules/ids.ts';
import type {Answer, Input, ModuleDeps} from '../http/types.ts';
import {claimAll, release, type Connection} from './claims.ts';
import {formatList, formatObject, formatObjects, parseProperties, type TextObject} from './codec.ts';
import {Problems} from './errors.ts';
import {findDrive, findVlan, serverContext, serverOf, serversOf} from './lookup.ts';
import {isBootable, readServerCreate, type ServerFields} from './server-input.ts';
import {serverSpec, type NetworkName} from './server-spec.ts';
import {serverToText} from './server-text.ts';
import {untilOrTimeout, waitForPower} from './settle.ts';

/** How long a create waits for its server to run; past it the answer says what is seen so far, because it carries the uuid. */
const STARTED_DEADLINE_MS = 30_000;

/** How many passwords are read at the same time. */
const SECRETS_AT_ONCE = 32;

/** Name of the Secret with a server's VNC password. */
export const vncSecretOf = (server: string): string => `${server}-vnc`;

const text = (body: string): Answer => ({status: 200, body});

/** One server as its owner sees it, with the password of its console. */
async function shown(server: Server, {caller, signal}: Input, {store}: ModuleDeps): Promise<TextObject> {
  const name = server.spec.console?.vnc?.passwordSecret?.name;
  const secret = name === undefined ? undefined : await store.readSecret({namespace: caller.namespace, name}, {signal});
  return serverToText(server, serverContext(store, caller, server), secret?.['password']?.toString('utf8'));
}

/** One server as an answer. */
export async function serverAnswer(server: Server, input: Input, deps: ModuleDeps): Promise<Answer> {
  return text(formatObject(await shown(server, input, deps)));
}

/** GET /servers/U/info. */
export function info(input: Input, deps: ModuleDeps): Promise<Answer> {
  return serverAnswer(serverOf(deps.store, input.caller, input.params['uuid'] ?? ''), input, deps);
}

/** GET /servers/info. Passwords are read so many at a time. */
export async function infos(input: Input, deps: ModuleDeps): Promise<Answer> {
  const servers = serversOf(deps.store, input.caller);
  const texts: TextObject[] = [];
  for (let at = 0; at < servers.length; at += SECRETS_AT_ONCE)
    texts.push(...(await Promise.all(servers.slice(at, at + SECRETS_AT_ONCE).map((server) => shown(server, input, deps)))));
  return text(formatObjects(texts));
}

/** GET /servers/list. */
export function list(input: Input, {store}: ModuleDeps): Answer {
  return text(formatList(serversOf(store, input.caller).map(uuidOf)));
}

/** Finds the drives; a uuid that is wrong inside a body is a 400 of its key. */
function connectionsOf(
  fields: ServerFields,
  input: Input,
  {store}: ModuleDeps,
  problems: Problems,
): (Connection & {media: 'Disk' | 'Cdrom'})[] {
  return fields.devices.flatMap(({slot, key, driveUuid, media}) => {
    const drive = findDrive(store, input.caller, driveUuid);
    if (drive !== undefined) return [{slot, key, drive, driveUuid, media}];
    problems.add(key, `Drive ${driveUuid} could not be found`);
    return [];
  });
}

/** Finds the networks of the cards, by index. */
function networksOf(fields: ServerFields, input: Input, {store, config}: ModuleDeps, problems: Problems): Map<number, NetworkName> {
  const networks = new Map<number, NetworkName>();
  for (const {index, vlanUuid} of fields.nics) {
    if (vlanUuid === undefined) {
      networks.set(index, {namespace: config.systemNamespace, name: PUBLIC_NETWORK});
      continue;
    }
    const vlan = findVlan(store, input.caller, vlanUuid);
    if (vlan === undefined) problems.add(`nic:${index}:vlan`, `VLAN ${vlanUuid} could not be found`);
    else networks.set(index, {namespace: input.caller.namespace, name: vlan.metadata.name});
  }
  return networks;
}

/**
 * POST /servers/create: the drives are claimed before anything is promised, then the server is created, started when it is bootable.
 * `stopped` (an alias that sibling clouds have) never starts it.
 */
export const create =
  ({start}: {readonly start: boolean}) =>
  async (input: Input, deps: ModuleDeps): Promise<Answer> => {
    const {store} = deps;
    const {namespace} = input.caller;
    const body = parseProperties(input.body.text());
    const problems = new Problems();
    const fields = readServerCreate(body, problems);
    const connections = connectionsOf(fields, input, deps, problems);
    const networks = networksOf(fields, input, deps, problems);
    problems.throwIfAny(body);

    const name = randomUUID();
    const starts = start && isBootable(fields);
    const vncSecret = fields.vnc === undefined ? undefined : vncSecretOf(name);
    const id = await store.allocateId('Server', input.signal);
    await claimAll(input, store, name, connections, body);
    let server: Server;
    try {
      if (fields.vnc !== undefined && vncSecret !== undefined) {
        await store.createSecret(
          {namespace, name: vncSecret},
          {password: fields.vnc.password},
          {[LABELS.server]: name},
          {signal: input.signal},
        );
      }
      const spec = serverSpec(fields, {
        id,
        connections,
        vncSecret,
        powerState: starts ? 'Running' : 'Stopped',
        network: ({index}) => networks.get(index) ?? {namespace: deps.config.systemNamespace, name: PUBLIC_NETWORK},
      });
      server = await store.servers.create({metadata: {namespace, name}, spec}, {signal: input.signal});
    } catch (error) {
      await release(
        store,
        namespace,
        name,
        connections.map(({drive}) => drive.metadata.name),
      );
      if (vncSecret !== undefined) await store.deleteSecret({namespace, name: vncSecret}, {signal: new AbortController().signal});
      throw error;
    }
    if (starts) await untilOrTimeout(waitForPower(store, server, 'Running', {signal: input.signal, deadlineMs: STARTED_DEADLINE_MS}));
    return serverAnswer(store.servers.get({namespace, name}) ?? server, input, deps);
  };
