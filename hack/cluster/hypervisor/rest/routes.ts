/** The verbs of virt-handler's REST side on one guest, apart from HTTP: what virt-api may ask and what it is answered. */
import {GuestVerbError} from '../guest.ts';
import type {AgentFacts, Guest} from '../guest.ts';
import type {GuestTable} from '../guest-table.ts';

/** An answer: JSON, or the bytes of a picture, or a message in plain text for a person. */
export type Answer =
  | {readonly status: 200; readonly json: unknown}
  | {readonly status: 200; readonly png: Buffer}
  | {readonly status: 400 | 403 | 404 | 405 | 409 | 500 | 501 | 503; readonly text: string};

/** A request that was understood as far as its path. */
export interface Verb {
  readonly method: string;
  /** `namespace/name` of the VMI. */
  readonly key: string;
  /** What follows the VMI's name, e.g. `pause` or `vnc/screenshot`. */
  readonly verb: string;
}

/** What the verbs act on. */
export interface RouteContext {
  readonly table: GuestTable;
  readonly setPaused: (key: string, paused: boolean, signal: AbortSignal) => Promise<void>;
}

/** `/v1/namespaces/NS/virtualmachineinstances/NAME/VERB…` → its parts; undefined for any other path. */
export function parsePath(path: string): Omit<Verb, 'method'> | undefined {
  const match = /^\/v1\/namespaces\/([^/]+)\/virtualmachineinstances\/([^/]+)\/(.+)$/.exec(path.split('?')[0] ?? '');
  if (match === null) return undefined;
  const [, namespace = '', name = '', verb = ''] = match;
  return {key: `${namespace}/${name}`, verb};
}

type Handler = (guest: Guest, key: string, context: RouteContext, signal: AbortSignal) => Promise<Answer>;

const done: Answer = {status: 200, json: {}};

const HANDLERS: Readonly<Record<string, {readonly method: 'GET' | 'PUT'; readonly handle: Handler}>> = {
  pause: {
    method: 'PUT',
    handle: async (_guest, key, context, signal) => {
      await context.setPaused(key, true, signal);
      return done;
    },
  },
  unpause: {
    method: 'PUT',
    handle: async (_guest, key, context, signal) => {
      await context.setPaused(key, false, signal);
      return done;
    },
  },
  reset: {
    method: 'PUT',
    handle: async (guest) => {
      await guest.reset();
      return done;
    },
  },
  softreboot: {
    method: 'PUT',
    handle: async (guest) => {
      await guest.softReboot();
      return done;
    },
  },
  guestosinfo: {method: 'GET', handle: (guest) => json(guestInfo(guest.facts.agent))},
  userlist: {method: 'GET', handle: (guest) => json({items: guest.facts.agent?.users ?? []})},
  filesystemlist: {method: 'GET', handle: (guest) => json({items: guest.facts.agent?.fileSystems ?? []})},
  'vnc/screenshot': {
    method: 'GET',
    handle: async (guest) => {
      const png = await guest.screenshot();
      return png === undefined ? notAvailable('a screenshot', guest) : {status: 200, png};
    },
  },
};

// virt-handler has these; nothing here stands behind them yet.
const NOT_THERE = new Set([
  'freeze',
  'unfreeze',
  'backup',
  'redefine-checkpoint',
  'usbredir',
  'vsock',
  'sev/fetchcertchain',
  'sev/querylaunchmeasurement',
  'sev/injectlaunchsecret',
]);

const json = (value: unknown): Promise<Answer> => Promise.resolve({status: 200, json: value});

/** The answer for something that this guest's driver does not have. */
export const notAvailable = (what: string, guest: Pick<Guest, 'mode'>): Answer => ({
  status: 501,
  text: `${what} is not available for ${guest.mode} guests`,
});

function guestInfo(agent: AgentFacts | undefined): object {
  if (agent === undefined) return {};
  return {
    guestAgentVersion: agent.version,
    hostname: agent.hostname,
    os: agent.os,
    timezone: 'UTC, 0',
    userList: agent.users,
    fsInfo: {disks: agent.fileSystems},
  };
}

/** Carries out one verb. Never rejects for what the caller did wrong; rejects with what went wrong here. */
export async function answer(request: Verb, context: RouteContext, signal: AbortSignal): Promise<Answer> {
  const {verb, key, method} = request;
  const guest = context.table.get(key)?.guest;
  if (guest === undefined) return {status: 404, text: `no guest of VirtualMachineInstance ${key} runs here`};
  if (NOT_THERE.has(verb)) return notAvailable(verb, guest);
  const route = Object.hasOwn(HANDLERS, verb) ? HANDLERS[verb] : undefined;
  if (route === undefined) return {status: 404, text: `unknown verb "${verb}"`};
  if (route.method !== method) return {status: 405, text: `${verb} is a ${route.method}, not a ${method}`};
  try {
    return await route.handle(guest, key, context, signal);
  } catch (error) {
    if (error instanceof GuestVerbError) return {status: 409, text: error.message};
    throw error;
  }
}
