import {describe, expect, test} from '@jest/globals';
import {byAge, uuidOf} from './ids.ts';

const UUID = '5f0c9d0e-6f5a-4f7e-9a3b-0a1b2c3d4e5f';

describe('ids', () => {
  test('the uuid is the recorded one, else the given one, else the name, else the uid', () => {
    const other = UUID.replace('5', '6');
    expect(uuidOf({metadata: {name: UUID, uid: other}, status: {uuid: other}})).toBe(other);
    expect(uuidOf({metadata: {name: UUID, uid: other}})).toBe(UUID);
    expect(uuidOf({metadata: {name: 'web', uid: other}})).toBe(other);
    expect(uuidOf({metadata: {name: 'web', uid: other}, spec: {uuid: UUID}})).toBe(UUID);
  });

  test('everybody agrees on who is older, whatever the order in which they are seen', () => {
    const made = (namespace: string, name: string, creationTimestamp: string) => ({metadata: {namespace, name, creationTimestamp}});
    const [a, b, c] = [
      made('n', 'c', '2026-01-01T00:00:00Z'),
      made('n', 'd', '2026-01-01T00:00:00Z'),
      made('o', 'b', '2026-01-01T00:00:00Z'),
    ];
    const d = made('a', 'a', '2026-01-01T00:00:01Z');
    expect([d, c, b, a].toSorted(byAge)).toEqual([a, b, c, d]);
    expect([b, d, a, c].toSorted(byAge)).toEqual([a, b, c, d]);
    expect(byAge(a, a)).toBe(0);
  });
});
