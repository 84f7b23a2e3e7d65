import {describe, expect, test} from '@jest/globals';
import type {Drive, DriveClaim, Server} from '../../../crds/index.ts';
import {nextStaleCheckMs, staleBecause, standingClaims} from './claims.ts';

const NOW = Date.parse('2026-01-01T00:10:00Z');
const OLD = '2026-01-01T00:00:00Z';
const YOUNG = '2026-01-01T00:09:45Z';
const drive = (claims: readonly DriveClaim[] = [], owner?: {readonly kind: string; readonly name: string; readonly uid: string}): Drive =>
  ({
    metadata: {
      name: 'd',
      namespace: 'ns',
      creationTimestamp: OLD,
      ...(owner === undefined ? {} : {ownerReferences: [{...owner, apiVersion: 'v', controller: true}]}),
    },
    spec: {name: 'd', sizeBytes: 1},
    status: {claims},
  }) as unknown as Drive;
const claim = (more: Partial<DriveClaim> = {}): DriveClaim => ({server: 's', uid: 'u1', slot: 'ide:0:0', claimedAt: OLD, ...more});
const server = (uid: string, drives: readonly string[]): Server =>
  ({metadata: {name: 's', uid}, spec: {disks: drives.map((name) => ({slot: 'ide:0:0', drive: name}))}}) as unknown as Server;

describe('a claim stands or is stale', () => {
  test.each<[string, Partial<DriveClaim>, Server | undefined, boolean, string | undefined]>([
    ['its server lists the drive', {}, server('u1', ['d']), false, undefined],
    ['its server was not seen when it was taken', {uid: undefined as never}, server('u9', ['d']), false, undefined],
    ['its server is another one now', {}, server('u2', ['d']), false, 'another one'],
    ['its server is another one, but the old guest still has the volume', {}, server('u2', ['d']), true, undefined],
    ['its server no longer lists the drive', {}, server('u1', []), false, 'no longer lists'],
    ['its server no longer lists it, but the guest has it until it restarts', {}, server('u1', []), true, undefined],
    ['its server does not list the drive yet', {claimedAt: YOUNG}, server('u1', []), false, undefined],
    ['there is no such server', {}, undefined, false, 'does not exist'],
    ['there is no such server yet', {claimedAt: YOUNG}, undefined, false, undefined],
    ['there is no such server any more, but its guest is not gone', {}, undefined, true, undefined],
  ])('%s', (_name, more, holder, mounted, expected) => {
    const because = staleBecause(drive(), claim(more), {server: holder, mounted}, NOW);
    if (expected === undefined) expect(because).toBeUndefined();
    else expect(because).toContain(expected);
  });
});

test('only the standing claims are shown', () => {
  const claims = [claim(), claim({server: 'gone', uid: 'u7'})];
  const view = ({server: name}: DriveClaim) => ({server: name === 's' ? server('u1', ['d']) : undefined, mounted: false});
  expect(standingClaims(drive(claims), view, NOW)).toEqual([claims[0]]);
});

test('a root drive is held by its server from birth, whatever its status says', () => {
  const root = drive([], {kind: 'Server', name: 'web', uid: 'u5'});
  expect(standingClaims(root, () => ({server: undefined, mounted: false}), NOW)).toEqual([
    {server: 'web', uid: 'u5', slot: 'block:0', claimedAt: OLD},
  ]);
});

test('young claims are looked at again when they are no longer young', () => {
  expect(nextStaleCheckMs([claim(), claim({claimedAt: YOUNG})], NOW)).toBe(15_000);
  expect(nextStaleCheckMs([claim()], NOW)).toBeUndefined();
});
