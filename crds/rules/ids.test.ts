import {describe, expect, test} from '@jest/globals';
import {MAX_ID, parseId, rightfulOwner, uuidOf} from './ids.ts';

const UUID = '5f0c9d0e-6f5a-4f7e-9a3b-0a1b2c3d4e5f';

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
