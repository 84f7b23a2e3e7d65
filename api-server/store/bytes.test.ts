import {describe, expect, test} from '@jest/globals';
import {createBytesMemo, joinJson, NOTHING_ELSE} from './bytes.ts';

describe('createBytesMemo', () => {
  test('renders once per object, variant and state of what it uses', () => {
    const memo = createBytesMemo<object>();
    const [object, flavor] = [{}, {}];
    let rendered = 0;
    const bytes = (variant: string, epoch: string, uses: readonly unknown[]) =>
      memo.bytes(object, variant, {epoch, uses: () => uses}, () => ({rendered: (rendered += 1)}));
    expect(bytes('a', '1', [flavor])).toBe(bytes('a', '2', [flavor]));
    expect(rendered).toBe(1);
    bytes('b', '2', [flavor]);
    bytes('a', '3', [{}]);
    expect(rendered).toBe(3);
    expect(memo.bytes({}, 'a', NOTHING_ELSE, () => 1).toString()).toBe('1');
  });

  test('looks nothing up while the epoch stays the same', () => {
    const memo = createBytesMemo<object>();
    const object = {};
    let looked = 0;
    const read = (epoch: string) => memo.bytes(object, 'a', {epoch, uses: () => [void (looked += 1)]}, () => 1);
    for (const epoch of ['1', '1', '2', '2']) read(epoch);
    expect(looked).toBe(2);
  });

  test('does not grow with ever new variants', () => {
    const memo = createBytesMemo<object>();
    const object = {};
    let rendered = 0;
    const render = () => (rendered += 1);
    for (let at = 0; at < 100; at += 1) memo.bytes(object, `host ${at}`, NOTHING_ELSE, render);
    memo.bytes(object, 'host 99', NOTHING_ELSE, render);
    expect(rendered).toBe(100);
    memo.bytes(object, 'host 0', NOTHING_ELSE, render);
    expect(rendered).toBe(101);
  });
});

test.each([
  [[], '{"a":[]}'],
  [['1'], '{"a":[1]}'],
  [['1', '{"b":2}'], '{"a":[1,{"b":2}]}'],
])('joinJson of %j', (parts, expected) => {
  expect(
    joinJson(
      '{"a":[',
      parts.map((part) => Buffer.from(part)),
      ']}',
    ).toString(),
  ).toBe(expected);
});
