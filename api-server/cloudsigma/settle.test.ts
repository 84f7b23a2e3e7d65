import {describe, expect, test} from '@jest/globals';
import type {Server} from '../../crds/index.ts';
import type {PowerState} from '../../crds/rules/power.ts';
import {Failure} from '../http/failure.ts';
import {settlement, untilOrTimeout, type Settlement} from './settle.ts';

interface Seen {
  readonly power?: PowerState;
  readonly phase?: NonNullable<Server['status']>['phase'];
  readonly generation?: number;
  readonly observed?: number;
  readonly deleting?: boolean;
}

const server = ({power, phase, generation = 2, observed = 2, deleting = false}: Seen): Server => ({
  apiVersion: 'basalt.dev/v1alpha1',
  kind: 'Server',
  metadata: {name: 's', namespace: 'n', generation, ...(deleting ? {deletionTimestamp: '2026-01-01T00:00:00Z'} : {})},
  spec: {name: 's', ...(power === undefined ? {} : {powerState: power})},
  status: {observedGeneration: observed, ...(phase === undefined ? {} : {phase})},
});

describe('whether a power command is done', () => {
  test.each([
    ['runs', 'Running', {phase: 'ACTIVE'}, 'settled'],
    ['is being built', 'Running', {phase: 'BUILD'}, 'waiting'],
    ['was seen running before the command', 'Running', {phase: 'ACTIVE', observed: 1}, 'waiting'],
    ['was in error before the command', 'Running', {phase: 'ERROR', observed: 1}, 'waiting'],
    ['failed', 'Running', {phase: 'ERROR'}, 'failed'],
    ['was stopped by someone meanwhile', 'Running', {power: 'Stopped', phase: 'STOPPED'}, 'overruled'],
    ['is stopped', 'Stopped', {power: 'Stopped', phase: 'STOPPED'}, 'settled'],
    ['still runs', 'Stopped', {power: 'Stopped', phase: 'ACTIVE'}, 'waiting'],
    ['failed on the way down', 'Stopped', {power: 'Stopped', phase: 'ERROR'}, 'waiting'],
    ['was started by someone meanwhile', 'Stopped', {phase: 'ACTIVE'}, 'overruled'],
    ['is being deleted', 'Running', {phase: 'ACTIVE', deleting: true}, 'gone'],
  ] as [string, PowerState, Seen, Settlement][])('a server that %s', (_name, wanted, seen, expected) => {
    expect(settlement(server(seen), wanted)).toBe(expected);
  });

  test('a server that is not there, or not seen by the operator', () => {
    expect(settlement(undefined, 'Running')).toBe('gone');
    const {status: _unseen, ...fresh} = server({});
    expect(settlement(fresh, 'Running')).toBe('waiting');
  });

  test('only running out of time is forgiven', async () => {
    await expect(untilOrTimeout(Promise.reject(new Failure('timeout')))).resolves.toBeUndefined();
    await expect(untilOrTimeout(Promise.reject(new Failure('unavailable')))).rejects.toThrow(Failure);
  });
});
