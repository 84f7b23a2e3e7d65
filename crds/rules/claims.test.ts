import {describe, expect, test} from '@jest/globals';
import fc from 'fast-check';
import type {Drive, DriveClaim} from '../drive.ts';
import {decideClaim, statusWithClaims, withoutClaim} from './claims.ts';
import type {Claimant} from './claims.ts';

describe('claims', () => {
  const THEN = '2026-01-02T03:04:05Z';
  const NOW = '2026-01-02T03:05:00Z';
  const web: Claimant = {server: 'web', uid: 'u1', slot: 'ide:0:0'};
  const claim = (server: string, uid?: string, slot = 'ide:0:0'): DriveClaim => ({
    server,
    ...(uid === undefined ? {} : {uid}),
    slot,
    claimedAt: THEN,
  });
  const drive = (claims: readonly DriveClaim[], changes: {shared?: boolean; deleting?: boolean; owner?: string} = {}): Drive => ({
    apiVersion: 'basalt.dev/v1alpha1',
    kind: 'Drive',
    metadata: {
      name: 'data',
      ...(changes.deleting === true ? {deletionTimestamp: THEN} : {}),
      ...(changes.owner === undefined
        ? {}
        : {ownerReferences: [{apiVersion: 'basalt.dev/v1alpha1', kind: 'Server', name: changes.owner, uid: 'u1', controller: true}]}),
    },
    spec: {name: 'Data', sizeBytes: 1_048_576, claimType: changes.shared === true ? 'Shared' : 'Exclusive'},
    status: {claims},
  });

  test.each<readonly [string, Drive, Claimant, unknown]>([
    ['a free drive', drive([]), web, {kind: 'claim', claims: [{...claim('web', 'u1'), claimedAt: NOW}]}],
    ['a server that does not exist yet', drive([]), {...web, uid: undefined}, {kind: 'claim', claims: [{...claim('web'), claimedAt: NOW}]}],
    ['its own claim again', drive([claim('web', 'u1')]), web, {kind: 'held'}],
    ['its own claim, asked without a uid', drive([claim('web', 'u1')]), {...web, uid: undefined}, {kind: 'held'}],
    ['its own claim, now with a uid', drive([claim('web')]), web, {kind: 'claim', claims: [claim('web', 'u1')]}],
    [
      'its own claim in another slot',
      drive([claim('web', 'u1')]),
      {...web, slot: 'block:1'},
      {kind: 'claim', claims: [claim('web', 'u1', 'block:1')]},
    ],
    ["another's", drive([claim('db', 'u2')]), web, {kind: 'refused', reason: 'DriveInUse', message: 'drive data is in use by server db'}],
    [
      'a namesake that is gone',
      drive([claim('web', 'u0')]),
      web,
      {kind: 'refused', reason: 'DriveInUse', message: expect.stringContaining('earlier server web')},
    ],
    [
      'a shared drive of another',
      drive([claim('db', 'u2')], {shared: true}),
      web,
      {kind: 'claim', claims: [claim('db', 'u2'), {...claim('web', 'u1'), claimedAt: NOW}]},
    ],
    [
      'a shared drive of a namesake: the list has one entry per name',
      drive([claim('web', 'u0')], {shared: true}),
      web,
      expect.objectContaining({kind: 'refused'}),
    ],
    [
      'a drive that is being deleted',
      drive([], {deleting: true}),
      web,
      {kind: 'refused', reason: 'Deleting', message: 'drive data is being deleted'},
    ],
    ['its own while that is being deleted', drive([claim('web', 'u1')], {deleting: true}), web, {kind: 'held'}],
    ['its own root drive', drive([claim('web', 'u1')], {owner: 'web'}), web, {kind: 'held'}],
    [
      "another's root drive, not yet claimed",
      drive([], {owner: 'db'}),
      web,
      {kind: 'refused', reason: 'DriveInUse', message: 'drive data is the root drive of server db'},
    ],
  ])('%s', (_title, wanted, claimant, expected) => {
    expect(decideClaim(wanted, claimant, NOW)).toEqual(expected);
  });

  test('an exclusive drive never gets a second claim, whoever asks in whatever order', () => {
    const who = fc.record({
      server: fc.constantFrom('a', 'b', 'c'),
      uid: fc.constantFrom(undefined, 'u1', 'u2'),
      slot: fc.constantFrom('ide:0:0', 'block:1'),
    });
    const step = fc.record({who, release: fc.boolean()});
    fc.assert(
      fc.property(fc.array(step, {maxLength: 20}), (steps) => {
        let claims: readonly DriveClaim[] = [];
        for (const {who: claimant, release} of steps) {
          const decision = decideClaim(drive(claims), claimant, NOW);
          if (release) claims = withoutClaim(claims, claimant);
          else if (decision.kind === 'claim') claims = decision.claims;
          expect(claims.length).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test('the column shows the first claim, and nothing when there is none', () => {
    const claims = [claim('web'), claim('db')];
    const held = statusWithClaims({phase: 'Ready', server: 'old', claims: [claim('old')]}, claims);
    expect(held).toEqual({phase: 'Ready', server: 'web', claims});
    expect(statusWithClaims(held, [])).toEqual({phase: 'Ready'});
  });

  test('releasing spares a namesake, and tells when there is nothing to write', () => {
    const claims = [claim('web', 'u1'), claim('db', 'u2')];
    expect(withoutClaim(claims, {server: 'web'})).toEqual([claim('db', 'u2')]);
    expect(withoutClaim(claims, {server: 'web', uid: 'u9'})).toBe(claims);
    expect(withoutClaim(claims, {server: 'x'})).toBe(claims);
  });
});
