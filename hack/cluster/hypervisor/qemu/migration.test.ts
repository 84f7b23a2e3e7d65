import {describe, expect, test} from '@jest/globals';
import {vmi} from '../testing/objects.ts';
import {boundsOf, whereIs} from './migration.ts';
import type {Side} from './migration.ts';

describe('bounds of a migration', () => {
  const bounds = (migrationConfiguration: object | undefined, memoryMiB = 128) =>
    boundsOf(vmi({status: {migrationState: migrationConfiguration === undefined ? {} : {migrationConfiguration}}}), memoryMiB);
  test('as KubeVirt has them where nobody says', () => {
    expect(bounds(undefined)).toEqual({bytesPerSecond: 8 * 2 ** 30, downtimeMs: 300, completionMs: 150_000, progressMs: 150_000});
    expect(bounds({bandwidthPerMigration: '0'}).bytesPerSecond).toBe(8 * 2 ** 30);
  });
  test('as a policy says', () => {
    const configuration = {bandwidthPerMigration: '2Mi', completionTimeoutPerGiB: 10, progressTimeout: 5, maxDowntimeMs: 900};
    expect(bounds(configuration, 1025)).toEqual({bytesPerSecond: 2 * 2 ** 20, downtimeMs: 900, completionMs: 20_000, progressMs: 5_000});
  });
});

describe('where a guest is that nobody watched', () => {
  const side = (runState: string, migration?: string): Side => ({runState, migration});
  test.each<[string, Side | undefined, Side | undefined, ReturnType<typeof whereIs>]>([
    ['at home, alone', side('running'), undefined, 'home'],
    ['at home, a target waits in vain', side('running'), side('inmigrate'), 'home'],
    ['at home, after a migration that failed', side('running', 'failed'), side('inmigrate'), 'home'],
    ['at home, the target died in the middle', side('running', 'active'), undefined, 'home'],
    ['on its way', side('running', 'active'), side('inmigrate'), 'copying'],
    ['on its way, stopped for the last of it', side('finish-migrate', 'device'), side('inmigrate'), 'copying'],
    ['paused on its way', side('paused', 'active'), side('inmigrate'), 'copying'],
    ['arrived', side('postmigrate', 'completed'), side('running'), 'away'],
    ['arrived, paused', side('postmigrate', 'completed'), side('paused'), 'away'],
    ['arrived, the first one is gone', undefined, side('running'), 'away'],
    ['the first one died while it copied', undefined, side('inmigrate'), 'nowhere'],
    [
      'handed over, and the second one died: its disk is not what the first one knows',
      side('postmigrate', 'completed'),
      undefined,
      'nowhere',
    ],
    ['handed over to one that never began', side('postmigrate', 'completed'), side('inmigrate'), 'nowhere'],
    ['both died', undefined, undefined, 'nowhere'],
  ])('%s', (_name, home, away, expected) => {
    expect(whereIs(home, away)).toBe(expected);
  });
});
