import {expect, test} from '@jest/globals';
import type {Drive} from '../../crds/index.ts';
import {claimed} from './claims.ts';

const NOW = '2026-01-01T00:00:00Z';
const HELD = {server: 'a', uid: 'ua', slot: 'ide:0:0', claimedAt: '2025-12-31T00:00:00Z'};
const WISH = {server: 'a', slot: 'ide:0:0'};

const drive = (claims: readonly object[], deleting = false): Drive =>
  ({
    apiVersion: 'basalt.dev/v1alpha1',
    kind: 'Drive',
    metadata: {name: 'd', namespace: 'n', ...(deleting ? {deletionTimestamp: NOW} : {})},
    spec: {name: 'd', sizeBytes: 1_048_576, claimType: 'Exclusive'},
    status: {phase: 'Ready', claims},
  }) as unknown as Drive;

test('a free drive is taken, and the rest of its status stays', () => {
  expect(claimed(drive([]), WISH, NOW)?.status).toEqual({phase: 'Ready', server: 'a', claims: [{...WISH, claimedAt: NOW}]});
});

test('claiming again writes nothing, or moves the slot', () => {
  expect(claimed(drive([HELD]), WISH, NOW)).toBeUndefined();
  expect(claimed(drive([HELD]), {...WISH, slot: 'block:1'}, NOW)?.status?.claims).toEqual([{...HELD, slot: 'block:1'}]);
});

test.each([
  ['of another server', drive([HELD]), 'in-use'],
  ['that is being deleted', drive([], true), 'not-found'],
])('a drive %s is refused', (_title, wanted, code) => {
  expect(() => claimed(wanted, {...WISH, server: 'b'}, NOW)).toThrow(expect.objectContaining({code}));
});
