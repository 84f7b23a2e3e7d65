import {describe, expect, test} from '@jest/globals';
import type {Server, ServerPhase} from '../server.ts';
import {powerProgress, powerWish} from './power.ts';

describe('power', () => {
  test.each([
    ['start', {powerState: 'Running'}],
    ['stop', {powerState: 'Stopped', powerOffMode: 'Hard'}],
    ['shutdown', {powerState: 'Stopped', powerOffMode: 'TrySoft'}],
  ] as const)('%s wishes for %j', (verb, wish) => {
    expect(powerWish(verb)).toEqual(wish);
  });

  const server = (powerState: 'Running' | 'Stopped' | undefined, phase: ServerPhase | undefined, observedGeneration = 2): Server => ({
    apiVersion: 'basalt.dev/v1alpha1',
    kind: 'Server',
    metadata: {name: 'web', generation: 2},
    spec: {name: 'web', ...(powerState === undefined ? {} : {powerState})},
    ...(phase === undefined ? {} : {status: {phase, observedGeneration}}),
  });

  test.each([
    ['Running', 'ACTIVE', 'reached'],
    [undefined, 'ACTIVE', 'reached'],
    ['Running', 'PAUSED', 'reached'],
    ['Running', 'STOPPED', 'underway'],
    ['Running', 'BUILD', 'underway'],
    ['Running', 'ERROR', 'failed'],
    ['Running', 'UNKNOWN', 'underway'],
    ['Stopped', 'STOPPED', 'reached'],
    ['Stopped', 'ACTIVE', 'underway'],
    ['Stopped', 'REBOOT', 'underway'],
    ['Stopped', undefined, 'underway'],
  ] as const)('%s wanted, %s seen: %s', (wanted, phase, expected) => {
    expect(powerProgress(server(wanted, phase))).toBe(expected);
  });

  test('a status of an older spec proves nothing', () => {
    expect(powerProgress(server('Stopped', 'STOPPED', 1))).toBe('underway');
    expect(powerProgress(server('Running', 'ERROR', 1))).toBe('underway');
  });
});
