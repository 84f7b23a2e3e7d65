import {describe, expect, test} from '@jest/globals';
import {createBytesMemo, joinJson} from './bytes.ts';

describe('createBytesMemo', () => {
  test('renders once per object, variant and state of what it uses', () => {
    const memo = createBytesMemo<object>();
    const [object, flavor] = [{}, {}];
    let rendered = 0;
    const bytes = (variant: string, uses: readonly unknown[]) => memo.bytes(object, variant, uses, () => ({rendered: (rendered += 1)}));
    expect(bytes('a', [flavor])).toBe(bytes('a', [flavor]));
    expect(rendered).toBe(1);
    bytes('b', [flavor]);
    bytes('a', [{}]);
    expect(rendered).toBe(3);
    expect(memo.bytes({}, 'a', [], () => 1).toString()).toBe('1');
  });

  test('does not grow with ever new variants', () => {
    const memo = createBytesMemo<object>();
    const object = {};
    let rendered = 0;
    const render = () => (rendered += 1);
    for (let at = 0; at < 100; at += 1) memo.bytes(object, `host ${at}`, [], render);
    memo.bytes(object, 'host 99', [], render);
    expect(rendered).toBe(100);
    memo.bytes(object, 'host 0', [], render);
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
