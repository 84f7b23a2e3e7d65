/** Which action a server's state admits: the table of behaviour 6.7, with its answers. Pure. */
import {Failure} from '../http/failure.ts';
import type {ApiStatus, ServerState} from './status.ts';

/** Things done to a server that its state may forbid. */
export type ServerAction = 'start' | 'shutdown' | 'reboot' | 'resize' | 'console' | 'firewall' | 'delete' | 'edit' | 'reassign';

type Verdict = 'accept' | 'bad' | 'building';

type Row = Readonly<Record<ServerAction, Verdict>>;

const REFUSED: Row = {
  start: 'bad',
  shutdown: 'bad',
  reboot: 'bad',
  resize: 'bad',
  console: 'bad',
  firewall: 'bad',
  delete: 'accept',
  edit: 'accept',
  reassign: 'accept',
};

/** Every (state, action) pair. */
export const TRANSITIONS: Readonly<Record<ApiStatus, Row>> = {
  BUILD: {...REFUSED, start: 'building', shutdown: 'building', reboot: 'building', resize: 'building', firewall: 'building'},
  ACTIVE: {...REFUSED, shutdown: 'accept', reboot: 'accept', console: 'accept', firewall: 'accept'},
  STOPPED: {...REFUSED, start: 'accept', reboot: 'accept', resize: 'accept', firewall: 'accept'},
  REBOOT: {...REFUSED, console: 'accept'},
  RESIZE: REFUSED,
  ERROR: REFUSED,
  UNKNOWN: REFUSED,
  DELETED: {...REFUSED, delete: 'bad', edit: 'bad', reassign: 'bad'},
};

/** Pass whatever task is pending. */
const ALWAYS: readonly ServerAction[] = ['delete', 'reassign', 'edit'];

/** Throws the fault that the state demands; returns when the action is admitted. */
export function admit(action: ServerAction, {status, task}: ServerState): void {
  const verdict = TRANSITIONS[status][action];
  if (verdict === 'building') throw new Failure('building', 'The server is being built');
  if (verdict === 'bad') {
    throw new Failure(
      'bad-request',
      status === 'DELETED' ? 'The server has been deleted.' : `Cannot perform "${action}" action while server is in "${status}" state.`,
    );
  }
  // Decision 31: the console opens while a reboot runs.
  const runningReboot = action === 'console' && status === 'REBOOT';
  if (task !== '' && status !== 'BUILD' && !ALWAYS.includes(action) && !runningReboot) {
    throw new Failure('bad-request', `Cannot perform "${action}" action while there is a pending "${task}".`);
  }
}
