import {describe, expect, test} from '@jest/globals';
import type {Drive} from '../../crds/index.ts';
import {withClaim, withoutClaim} from './claims.ts';
import type {DriveClaim} from './types.ts';

const NOW = '2026-01-01T00:00:00.000Z';
const HELD = {server: 'a', uid: 'ua', slot: 'ide:0:0', claimedAt: '2025-12-31T00:00:00Z'};

const drive = (claims: readonly object[], {claimType = 'Exclusive', deleting = false} = {}): Drive =>
  ({
    apiVersion: 'basalt.dev/v1alpha1',
    kind: 'Drive',
    metadata: {name: 'd', namespace: 'n', ...(deleting ? {deletionTimestamp: NOW} : {})},
    spec: {name: 'd', sizeBytes: 1_048_576, claimType},
    status: {claims},
  }) as unknown as Drive;

const claim = (server: string, more: Partial<DriveClaim> = {}): DriveClaim => ({
  drive: {namespace: 'n', name: 'd'},
  server,
  slot: 'ide:0:0',
  ...more,
});

describe('withClaim', () => {
  test('a free drive is taken', () => {
    expect(withClaim(drive([]), claim('a', {serverUid: 'ua'}), NOW)).toEqual([{server: 'a', uid: 'ua', slot: 'ide:0:0', claimedAt: NOW}]);
  });

  test('an exclusive drive of another server is in use', () => {
    expect(() => withClaim(drive([HELD]), claim('b'), NOW)).toThrow(/currently in use/);
  });

  test('a shared drive takes several', () => {
    expect(withClaim(drive([HELD], {claimType: 'Shared'}), claim('b'), NOW)).toHaveLength(2);
  });

  test('claiming again changes nothing, or moves the slot and keeps its time', () => {
    const held = drive([HELD]);
    expect(withClaim(held, claim('a'), NOW)).toBe(held.status?.claims);
    expect(withClaim(held, claim('a', {slot: 'block:1'}), NOW)).toEqual([{...HELD, slot: 'block:1'}]);
  });

  test('a drive that is being deleted cannot be claimed', () => {
    expect(() => withClaim(drive([], {deleting: true}), claim('a'), NOW)).toThrow(/could not be found/);
  });
});

test('withoutClaim removes that server’s claim and no other', () => {
  const held = drive([HELD, {...HELD, server: 'b'}], {claimType: 'Shared'});
  expect(withoutClaim(held, 'a').map(({server}) => server)).toEqual(['b']);
  expect(withoutClaim(held, 'c')).toBe(held.status?.claims);
});
