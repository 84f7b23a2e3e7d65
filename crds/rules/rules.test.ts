import {describe, expect, test} from '@jest/globals';
import fc from 'fast-check';
import type {Drive, DriveClaim} from '../drive.ts';
import type {Server, ServerPhase} from '../server.ts';
import {decideClaim, withoutClaim} from './claims.ts';
import type {Claimant} from './claims.ts';
import {MAX_DATA_BYTES, dataProblem} from './data.ts';
import {MAX_ID, parseId, rightfulOwner, uuidOf} from './ids.ts';
import {inventoryName, isDnsLabel, isUuid, slug} from './names.ts';
import {powerProgress, powerWish} from './power.ts';
import {coresForMhz, formatBytes, mebibytesFor, parseBytes, roundUpToMiB} from './sizes.ts';

const UUID = '5f0c9d0e-6f5a-4f7e-9a3b-0a1b2c3d4e5f';

describe('names', () => {
  test('a name has a readable part and a hash of the whole key', () => {
    expect(inventoryName('1', 'Zürich Süd / 2')).toMatch(/^zurich-sud-2-[0-9a-f]{8}$/);
    expect(inventoryName('北')).toMatch(/^x-[0-9a-f]{8}$/);
  });

  test('equal keys agree; keys that differ in any part, in order or in where parts end do not', () => {
    expect(inventoryName('1', 'north')).toBe(inventoryName('1', 'north'));
    const names = [['1', 'north'], ['2', 'north'], ['1', 'North'], ['north', '1'], ['1north'], ['', '1north'], ['1', 'north', '']].map(
      (parts) => inventoryName(...parts),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  test('whatever the key, the name is a DNS label of at most 63 characters', () => {
    fc.assert(
      fc.property(fc.array(fc.string({unit: 'grapheme', maxLength: 300}), {maxLength: 4}), (parts) => {
        expect(inventoryName(...parts)).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
      }),
    );
  });

  test('slug cuts without leaving a hyphen', () => {
    expect(slug('ab cd', 3)).toBe('ab');
  });

  test.each([
    [UUID, true],
    [UUID.toUpperCase(), false],
    [UUID.replaceAll('-', ''), false],
    [`${UUID}\n`, false],
  ])('isUuid(%j) is %s', (text, expected) => {
    expect(isUuid(text)).toBe(expected);
  });

  test.each([
    ['a', true],
    ['a-1', true],
    ['-a', false],
    ['a.b', false],
    ['A', false],
    ['', false],
    ['a'.repeat(64), false],
  ])('isDnsLabel(%j) is %s', (text, expected) => {
    expect(isDnsLabel(text)).toBe(expected);
  });
});

describe('ids', () => {
  test.each([
    ['42', 42],
    [String(MAX_ID), MAX_ID],
    [String(MAX_ID + 1), undefined],
    ['0', undefined],
    ['042', undefined],
    ['-1', undefined],
    ['1e3', undefined],
    [' 1', undefined],
    ['99999999999999999999', undefined],
  ])('parseId(%j) is %s', (text, expected) => {
    expect(parseId(text)).toBe(expected);
  });

  test('the uuid is the recorded one, else the name, else the uid', () => {
    const other = UUID.replace('5', '6');
    expect(uuidOf({metadata: {name: UUID, uid: other}, spec: {}, status: {uuid: other}})).toBe(other);
    expect(uuidOf({metadata: {name: UUID, uid: other}, spec: {}})).toBe(UUID);
    expect(uuidOf({metadata: {name: 'web', uid: other}, spec: {}})).toBe(other);
  });

  test('an id belongs to the oldest, in whatever order they are seen', () => {
    const made = (uid: string, creationTimestamp: string) => ({metadata: {name: uid, uid, creationTimestamp}, spec: {id: 1}});
    const [a, b, c] = [made('b', '2026-01-01T00:00:00Z'), made('c', '2026-01-01T00:00:00Z'), made('a', '2026-01-01T00:00:01Z')];
    expect(rightfulOwner([c, b, a])).toBe(a);
    expect(rightfulOwner([a, b, c])).toBe(a);
    expect(rightfulOwner([])).toBeUndefined();
  });
});

describe('sizes', () => {
  test.each([
    ['0', 0],
    ['12582912', 12_582_912],
    ['50G', 53_687_091_200],
    ['4m', 4_194_304],
    ['1KiB', 1024],
    ['2Ti', 2_199_023_255_552],
    ['7b', 7],
    [' 1 ', 1],
    ['1.5G', undefined],
    ['-1', undefined],
    ['G', undefined],
    ['1 G', undefined],
    ['9999999999999999T', undefined],
    ['', undefined],
  ])('parseBytes(%j) is %s', (text, expected) => {
    expect(parseBytes(text)).toBe(expected);
  });

  test.each([
    [0, '0'],
    [1023, '1023'],
    [1024, '1Ki'],
    [1_610_612_736, '1.5Gi'],
    [10_737_418_240, '10Gi'],
    [2 ** 40 * 64, '64Ti'],
    [1_073_741_825, '1Gi'],
  ])('formatBytes(%s) is %s', (bytes, expected) => {
    expect(formatBytes(bytes)).toBe(expected);
  });

  test('storage is never smaller than what was asked for, and by less than a MiB larger', () => {
    fc.assert(
      fc.property(fc.integer({min: 1, max: 2 ** 46}), (bytes) => {
        const rounded = roundUpToMiB(bytes);
        expect(rounded % 1_048_576).toBe(0);
        expect(rounded - bytes).toBeGreaterThanOrEqual(0);
        expect(rounded - bytes).toBeLessThan(1_048_576);
      }),
    );
    expect(mebibytesFor(1_048_577)).toBe(2);
  });

  test.each([
    [100, 1],
    [2200, 1],
    [2201, 2],
    [22_000, 10],
  ])('%s MHz are %s cores', (mhz, cores) => {
    expect(coresForMhz(mhz)).toBe(cores);
  });
});

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

  test('releasing spares a namesake, and tells when there is nothing to write', () => {
    const claims = [claim('web', 'u1'), claim('db', 'u2')];
    expect(withoutClaim(claims, {server: 'web'})).toEqual([claim('db', 'u2')]);
    expect(withoutClaim(claims, {server: 'web', uid: 'u9'})).toBe(claims);
    expect(withoutClaim(claims, {server: 'x'})).toBe(claims);
  });
});

describe('data', () => {
  test.each<readonly [string, Record<string, unknown>, unknown]>([
    ['nothing', {}, undefined],
    ['any JSON', {a: null, 'b c': [1, {d: 'x'}]}, undefined],
    ['the longest key', {['é'.repeat(255)]: 1}, undefined],
    ['a longer key', {['k'.repeat(256)]: 1}, {key: 'k'.repeat(256), message: 'keys must have at most 255 characters'}],
    ['an empty key', {'': 1}, {key: '', message: 'must not have an empty key'}],
    ['513 keys', Object.fromEntries(Array.from({length: 513}, (_, i) => [`k${i}`, 0])), {message: 'must have at most 512 keys'}],
    [
      'too many bytes, counted in UTF-8',
      {a: 'é'.repeat(MAX_DATA_BYTES / 2)},
      {message: `must have at most ${MAX_DATA_BYTES} bytes as JSON`},
    ],
  ])('%s', (_title, data, expected) => {
    expect(dataProblem(data)).toEqual(expected);
  });
});
