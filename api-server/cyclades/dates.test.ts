import {describe, expect, test} from '@jest/globals';
import {apiDate, changesSince} from './dates.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const since = (value: string) => changesSince(new URLSearchParams({'changes-since': value}), NOW);

test('dates have microseconds and a zone', () => {
  expect(apiDate(Date.UTC(2014, 1, 12, 8, 31, 37, 834))).toBe('2014-02-12T08:31:37.834000+00:00');
});

describe('changesSince', () => {
  test.each([
    ['2026-01-01T11:30:00Z', NOW - 1_800_000],
    ['2026-01-01T11:30:00.5+00:00', NOW - 1_799_500],
    ['2026-01-01T13:30:00+0200', NOW - 1_800_000],
    ['2026-01-01T13:30+02', NOW - 1_800_000],
  ])('%s', (value, expected) => {
    expect(since(value)).toBe(expected);
  });

  test.each([
    ['2026-01-01T11:30:00', /time zone/],
    ['2026-01-01T11:30:00 00:00', /time zone/],
    ['yesterday', /time zone/],
    ['2026-13-41T11:30:00Z', /time zone/],
    ['2026-01-01T12:00:01Z', /future/],
    ['2026-01-01T10:59:59Z', /^Too old changes-since value\.$/],
  ])('%s is refused', (value, message) => {
    expect(() => since(value)).toThrow(message);
  });

  test('absent means everything', () => {
    expect(changesSince(new URLSearchParams(), NOW)).toBeUndefined();
  });
});
