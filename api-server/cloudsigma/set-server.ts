/** POST /servers/U/set: the drives are claimed and the password stored before the server is changed; what it lost is given back after. */
import {isDeepStrictEqual} from 'node:util';
import {LABELS, PUBLIC_NETWORK, type Server} from '../../crds/index.ts';
import {uuidOf} from '../../crds/rules/ids.ts';
import {refOfObject} from '../../kube/objects.ts';
import {Failure} from '../http/failure.ts';
import type {Answer, Input, ModuleDeps} from '../http/types.ts';
import {claimAll, release} from './claims.ts';
import {parseProperties, type Properties} from './codec.ts';
import {findDrive, findVlan, serverContext, serverOf} from './lookup.ts';
import {changeServer, type References, type ServerChange} from './server-set.ts';
import {serverAnswer, vncSecretOf} from './servers.ts';
import {settlement} from './settle.ts';

function referencesOf(server: Server, input: Input, {store, config}: ModuleDeps): References {
  return {
    driveName: (uuid) => findDrive(store, input.caller, uuid)?.metadata.name,
    network({vlanUuid}) {
      if (vlanUuid === undefined) return {namespace: config.systemNamespace, name: PUBLIC_NETWORK};
      const vlan = findVlan(store, input.caller, vlanUuid);
      return vlan === undefined ? undefined : {namespace: input.caller.namespace, name: vlan.metadata.name};
    },
    vncSecret: vncSecretOf(server.metadata.name),
  };
}

/** Throws 409, naming the keys, when the change needs a stopped server and this one is not. */
function requireStopped(server: Server, {needsStop}: ServerChange, echo: Properties): void {
  if (needsStop.length === 0 || settlement(server, 'Stopped') === 'settled') return;
  const message = `Server ${uuidOf(server)} is currently in use: it must be stopped to change this`;
  throw new Failure('in-use', message, {fields: needsStop.map((path) => ({path, message})), extra: echo});
}

/** The answer is the server as it is after the change. */
export async function set(input: Input, deps: ModuleDeps): Promise<Answer> {
  const {store} = deps;
  const {signal, caller} = input;
  const {namespace} = caller;
  const server = serverOf(store, caller, input.params['uuid'] ?? '');
  const {name} = server.metadata;
  const body = parseProperties(input.body.text());
  const planned = (current: Server): ServerChange => {
    const change = changeServer(current, body, serverContext(store, caller, current), referencesOf(current, input, deps));
    requireStopped(current, change, body);
    return change;
  };
  const change = planned(server);
  const held = new Set((server.spec.disks ?? []).map(({drive}) => drive));
  const connections = change.connected.flatMap(({drive, ...device}) => {
    const object = store.drives.get({namespace, name: drive});
    return object === undefined ? [] : [{...device, drive: object}];
  });
  const added = connections.filter(({drive}) => !held.has(drive.metadata.name));
  await claimAll(input, store, name, added, body);
  try {
    if (change.password?.value !== undefined) {
      const data = {password: change.password.value};
      await store.putSecret({namespace, name: vncSecretOf(name)}, data, {[LABELS.server]: name}, {signal});
    }
    await store.servers.update(
      refOfObject(server),
      (current) => {
        const {spec} = planned(current);
        return isDeepStrictEqual(spec, current.spec) ? undefined : {...current, spec};
      },
      {signal},
    );
  } catch (error) {
    await release(
      store,
      namespace,
      name,
      added.map(({drive}) => drive.metadata.name),
    );
    throw error;
  }
  for (const {drive, slot} of connections.filter((connection) => !added.includes(connection)))
    await store.claimDrive({drive: refOfObject(drive), server: name, slot}, {signal});
  await release(store, namespace, name, change.disconnected);
  if (change.password !== undefined && change.password.value === undefined)
    await store.deleteSecret({namespace, name: vncSecretOf(name)}, {signal});
  return serverAnswer(store.servers.get(refOfObject(server)) ?? server, input, deps);
}
