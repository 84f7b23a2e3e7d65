import {describe, expect, test} from '@jest/globals';
import {powerWish, wantedPower} from './power.ts';

describe('power', () => {
  test.each([
    ['start', {powerState: 'Running'}],
    ['stop', {powerState: 'Stopped', powerOffMode: 'Hard'}],
    ['shutdown', {powerState: 'Stopped', powerOffMode: 'TrySoft'}],
  ] as const)('%s wishes for %j', (verb, wish) => {
    expect(powerWish(verb)).toEqual(wish);
  });

  test('a server that says nothing is wanted running', () => {
    expect([wantedPower({}), wantedPower({powerState: 'Stopped'})]).toEqual(['Running', 'Stopped']);
  });
});
