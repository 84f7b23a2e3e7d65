import {describe, expect, test} from '@jest/globals';
import {Failure} from '../http/failure.ts';
import type {ApiStatus, TaskState} from './status.ts';
import {admit, TRANSITIONS, type ServerAction} from './transitions.ts';

const ACTIONS: readonly ServerAction[] = ['start', 'shutdown', 'reboot', 'resize', 'console', 'firewall', 'delete', 'edit', 'reassign'];

/** `ok`, or the code of the failure. */
function verdict(action: ServerAction, status: ApiStatus, task: TaskState = ''): string {
  try {
    admit(action, {status, task});
    return 'ok';
  } catch (error) {
    return error instanceof Failure ? error.code : 'defect';
  }
}

// The table of behaviour 6.7, column by column as ACTIONS.
const EXPECTED: Readonly<Record<ApiStatus, readonly string[]>> = {
  BUILD: ['building', 'building', 'building', 'building', 'bad-request', 'building', 'ok', 'ok', 'ok'],
  ACTIVE: ['bad-request', 'ok', 'ok', 'bad-request', 'ok', 'ok', 'ok', 'ok', 'ok'],
  STOPPED: ['ok', 'bad-request', 'ok', 'ok', 'bad-request', 'ok', 'ok', 'ok', 'ok'],
  REBOOT: ['bad-request', 'bad-request', 'bad-request', 'bad-request', 'ok', 'bad-request', 'ok', 'ok', 'ok'],
  RESIZE: ['bad-request', 'bad-request', 'bad-request', 'bad-request', 'bad-request', 'bad-request', 'ok', 'ok', 'ok'],
  ERROR: ['bad-request', 'bad-request', 'bad-request', 'bad-request', 'bad-request', 'bad-request', 'ok', 'ok', 'ok'],
  UNKNOWN: ['bad-request', 'bad-request', 'bad-request', 'bad-request', 'bad-request', 'bad-request', 'ok', 'ok', 'ok'],
  DELETED: [
    'bad-request',
    'bad-request',
    'bad-request',
    'bad-request',
    'bad-request',
    'bad-request',
    'bad-request',
    'bad-request',
    'bad-request',
  ],
};

describe('every (state, action) pair', () => {
  test.each(Object.keys(TRANSITIONS) as ApiStatus[])('%s', (status) => {
    expect(ACTIONS.map((action) => verdict(action, status))).toEqual(EXPECTED[status]);
  });
});

describe('a pending task', () => {
  test.each<[ServerAction, ApiStatus, TaskState, string]>([
    ['shutdown', 'ACTIVE', 'STOPPING', 'bad-request'],
    ['start', 'STOPPED', 'STARTING', 'bad-request'],
    ['console', 'ACTIVE', 'STOPPING', 'bad-request'],
    ['console', 'REBOOT', 'REBOOTING', 'ok'],
    ['start', 'BUILD', 'BUILDING', 'building'],
    ['delete', 'ACTIVE', 'STOPPING', 'ok'],
    ['reassign', 'ACTIVE', 'STOPPING', 'ok'],
    ['edit', 'ACTIVE', 'STOPPING', 'ok'],
  ])('%s in %s during %s: %s', (action, status, task, expected) => {
    expect(verdict(action, status, task)).toBe(expected);
  });

  test('is named', () => {
    expect(() => admit('shutdown', {status: 'ACTIVE', task: 'STOPPING'})).toThrow(/pending "STOPPING"/);
  });
});
