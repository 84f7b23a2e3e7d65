import {describe, expect, test} from '@jest/globals';
import type {Drive, Image} from '../../crds/index.ts';
import {driveCreatedToText, driveToText, imageToText, type DriveContext} from './drive-text.ts';

const UUID = 'f40cab2a-16fc-49c2-949a-ea7dda0c1ed5';
const SERVER = '28644a70-9e81-4a3e-85ea-91129f724034';
const HOST = 'be2bcfa3-109d-4bee-8795-d75ce0865dc4';
const USER = 'f2e19d5c-eaa1-44e5-94aa-dc194594bd7b';
const NIL = '00000000-0000-0000-0000-000000000000';

const context: DriveContext = {
  user: USER,
  server: (name) =>
    name === 'on-host' ? {uuid: SERVER, hostUuid: HOST} : name === 'off' ? {uuid: SERVER, hostUuid: undefined} : undefined,
};

const drive = (spec: Partial<Drive['spec']>, status?: Drive['status']): Drive => ({
  apiVersion: 'basalt.dev/v1alpha1',
  kind: 'Drive',
  metadata: {name: UUID, namespace: 'acct-demo'},
  spec: {id: 1, name: 'root', sizeBytes: 5368709120, ...spec},
  ...(status === undefined ? {} : {status}),
});

describe('a drive as text', () => {
  test('a blank one that is ready', () => {
    expect(driveToText(drive({}, {phase: 'Ready'}), context)).toEqual({
      drive: UUID,
      name: 'root',
      user: USER,
      size: 5368709120,
      status: 'active',
      'claim:type': 'exclusive',
      'encryption:cipher': 'none',
      type: 'disk',
    });
  });

  test('what was given comes back', () => {
    const given = {
      claimType: 'Shared',
      encryptionCipher: 'AesXtsPlain',
      readers: [USER],
      tags: ['affinity:ssd', 'b'],
      use: ['a', 'b'],
      type: 'Cdrom',
    } as const;
    expect(driveToText(drive({...given, readers: [...given.readers], tags: [...given.tags], use: [...given.use]}), context)).toMatchObject({
      'claim:type': 'shared',
      'encryption:cipher': 'aes-xts-plain',
      readers: USER,
      tags: 'affinity:ssd b',
      use: 'a b',
      type: 'cdrom',
    });
  });

  test.each([
    ['not seen yet', {}, undefined, 'inactive', undefined],
    ['being made', {}, {phase: 'Creating'}, 'inactive', undefined],
    ['copied from an image, not seen yet', {source: {image: {name: 'i'}}}, undefined, 'copying', '0%'],
    ['copied from an image', {source: {image: {name: 'i'}}}, {phase: 'Importing', progressPercent: 41.7}, 'copying', '41%'],
    ['copied from a drive', {source: {drive: {name: 'd'}}}, {phase: 'Cloning', progressPercent: 99}, 'copying', '99%'],
    ['copied', {source: {drive: {name: 'd'}}}, {phase: 'Ready', progressPercent: 100}, 'active', undefined],
    ['failed', {source: {image: {name: 'i'}}}, {phase: 'Failed', progressPercent: 3}, 'inactive', undefined],
  ] as [string, Partial<Drive['spec']>, Drive['status'], string, string | undefined][])('%s', (_name, spec, seen, status, imaging) => {
    const text = driveToText(drive(spec, seen), context);
    expect([text['status'], text['imaging']]).toEqual([status, imaging]);
    // jclouds waits for `claimed` to go, libcloud for `imaging`: they come and go together.
    expect(text['claimed'] === undefined).toBe(imaging === undefined);
  });

  test.each([
    ['on-host', `${HOST}:guest:${SERVER}:ide:0:0`],
    ['off', `${NIL}:guest:${SERVER}:ide:0:0`],
    ['gone', undefined],
  ])('claimed by a server %s', (server, claimed) => {
    const claims = [{server, slot: 'ide:0:0', claimedAt: '2026-01-01T00:00:00Z'}];
    expect(driveToText(drive({}, {phase: 'Ready', claims}), context)['claimed']).toBe(claimed);
  });

  test('the answer to a create has no type', () => {
    expect(driveCreatedToText(drive({}), context)).not.toHaveProperty('type');
  });
});

describe('a standard drive as text', () => {
  const image = (spec: Partial<Image['spec']>, status?: Image['status']): Image => ({
    apiVersion: 'basalt.dev/v1alpha1',
    kind: 'Image',
    metadata: {name: 'debian', namespace: 'basalt-system', uid: UUID},
    spec: {name: 'Debian 13', source: {http: {url: 'http://127.0.0.1/debian.raw'}}, visibility: 'Public', ...spec},
    ...(status === undefined ? {} : {status}),
  });

  test('a disk that clients can list and clone', () => {
    expect(imageToText(image({os: 'linux', description: 'two\nlines'}, {phase: 'Ready', sizeBytes: 1073741824}))).toMatchObject({
      drive: UUID,
      name: 'Debian 13',
      user: NIL,
      size: 1073741824,
      status: 'active',
      type: 'disk',
      drive_type: 'preinstalled',
      os: 'linux',
      description: 'two\nlines',
    });
  });

  test('a CD, not imported yet', () => {
    expect(imageToText(image({type: 'Cdrom', sizeBytes: 5}))).toMatchObject({
      type: 'cdrom',
      drive_type: 'installcd',
      size: 5,
      status: 'inactive',
    });
  });
});
