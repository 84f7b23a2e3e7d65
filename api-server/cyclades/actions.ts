/** POST /servers/{id}/action: one member names the action. Aliases of OpenStack clients lead to the same handlers. */
import {randomUUID} from 'node:crypto';
import {LABELS, type Server} from '../../crds/index.ts';
import {powerWish} from '../../crds/rules/power.ts';
import {apiVersionOf, refOfObject} from '../../kube/objects.ts';
import {isObject} from '../http/body.ts';
import {Failure} from '../http/failure.ts';
import type {Answer, Input} from '../http/types.ts';
import {serverOf, stateIn, type ComputeContext} from './context.ts';
import {empty} from './format.ts';
import {jsonObject} from './request-body.ts';
import {editSpec} from './servers.ts';
import {admit} from './transitions.ts';

/** What is done for one action; `value` is the member's value, which may be null. */
type ActionHandler = (call: {
  readonly input: Input;
  readonly context: ComputeContext;
  readonly server: Server;
  readonly value: unknown;
}) => Promise<Answer> | Answer;

/** Entry of the action table. `open`: documented, answers not-implemented for now. */
export interface ActionEntry {
  readonly handler: ActionHandler;
  readonly open?: true;
}

const open: ActionEntry = {
  open: true,
  handler: ({context, server}) => {
    if (stateIn(context, server).status === 'DELETED') throw new Failure('bad-request', 'The server has been deleted.');
    throw new Failure('not-implemented');
  },
};

const start: ActionHandler = async ({input, context, server}) => {
  await editSpec(input, context, server, (spec) => ({...spec, ...powerWish('start')}), 'start');
  return empty(202);
};

const shutdown: ActionHandler = async ({input, context, server}) => {
  await editSpec(input, context, server, (spec) => ({...spec, ...powerWish('shutdown')}), 'shutdown');
  return empty(202);
};

const reboot: ActionHandler = async ({input, context, server, value}) => {
  const type = readRebootType(value);
  const state = stateIn(context, server);
  admit('reboot', state);
  if (state.status === 'STOPPED') {
    // Rebooting what is off means switching it on.
    await editSpec(input, context, server, (spec) => ({...spec, ...powerWish('start')}), 'reboot');
    return empty(202);
  }
  const {name, uid, namespace} = server.metadata;
  const {store} = context;
  await store.serverOperations.create(
    {
      metadata: {
        name: randomUUID(),
        namespace: namespace ?? '',
        labels: {[LABELS.server]: name},
        // Not the controller: only the operator controls. Enough for the operation to go with its server.
        ownerReferences: uid === undefined ? [] : [{apiVersion: apiVersionOf(store.servers.type), kind: 'Server', name, uid}],
      },
      spec: {server: name, verb: 'Reboot', reboot: {type}, requester: input.caller.name},
    },
    {signal: input.signal},
  );
  return empty(202);
};

/** `{type: SOFT|HARD}`, any case; absent: soft. */
function readRebootType(value: unknown): 'Soft' | 'Hard' {
  const type = isObject(value) ? (value['type'] ?? 'SOFT') : 'SOFT';
  const upper = typeof type === 'string' ? type.toUpperCase() : '';
  if (upper !== 'SOFT' && upper !== 'HARD') throw new Failure('bad-request', 'Malformed request: the reboot type is SOFT or HARD');
  return upper === 'SOFT' ? 'Soft' : 'Hard';
}

const suspend: ActionHandler = () => {
  throw new Failure('forbidden', 'Only an administrator suspends servers');
};

/** Every action that exists. What is not in here (changePassword, rebuild, createImage, …) is unknown: 400. */
export const ACTIONS: Readonly<Record<string, ActionEntry>> = {
  start: {handler: start},
  'os-start': {handler: start},
  shutdown: {handler: shutdown},
  'os-stop': {handler: shutdown},
  reboot: {handler: reboot},
  suspend: {handler: suspend},
  resize: open,
  console: open,
  firewallProfile: open,
  reassign: open,
  'os-getVNCConsole': open,
  'os-getRDPConsole': open,
  'os-getSPICEConsole': open,
  addFloatingIp: open,
  removeFloatingIp: open,
  rescue: open,
  unrescue: open,
};

/** POST /servers/{id}/action. */
export async function serverAction(input: Input, context: ComputeContext): Promise<Answer> {
  const server = serverOf(context, input, {deleted: true});
  const body = jsonObject(input);
  const names = Object.keys(body);
  const [name] = names;
  if (name === undefined || names.length !== 1) throw new Failure('bad-request', 'Malformed request: exactly one action is expected');
  const entry = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (entry === undefined) throw new Failure('bad-request', `Unknown action "${name.slice(0, 50)}".`);
  const answer = await entry.handler({input, context, server, value: body[name]});
  input.log.info({server: `${server.metadata.namespace}/${refOfObject(server).name}`, action: name}, 'server action');
  return answer;
}
