import {deflateSync} from 'node:zlib';
import {describe, expect, test} from '@jest/globals';
import {decodePng, litPixels} from './png.ts';

function chunk(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, Buffer.from(type), body, Buffer.alloc(4)]); // the checksum is not looked at
}
function png(lines: readonly (readonly number[])[], {width = 2, colour = 2, depth = 8, interlace = 0} = {}): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(lines.length, 4);
  header.set([depth, colour, 0, 0, interlace], 8);
  const data = deflateSync(Buffer.from(lines.flat()));
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', data.subarray(0, 5)),
    chunk('IDAT', data.subarray(5)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
const first = [0, 10, 20, 30, 40, 50, 60];

describe('decoding a PNG', () => {
  test.each<[string, readonly number[], readonly number[]]>([
    ['none', [0, 1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]],
    ['sub', [1, 1, 2, 3, 250, 1, 1], [1, 2, 3, 251, 3, 4]],
    ['up', [2, 1, 1, 1, 1, 1, 250], [11, 21, 31, 41, 51, 54]],
    ['average', [3, 1, 1, 1, 1, 1, 1], [6, 11, 16, 24, 31, 39]],
    ['Paeth', [4, 1, 1, 1, 1, 1, 1], [11, 21, 31, 41, 51, 61]],
  ])('filter %s', (_name, line, pixels) => {
    expect([...decodePng(png([first, line])).pixels.subarray(6)]).toEqual(pixels);
  });

  test('transparency is left out, and lit pixels are counted', () => {
    const picture = decodePng(png([[0, 1, 0, 0, 255, 0, 0, 0, 255]], {colour: 6}));
    expect(picture).toEqual({width: 2, height: 1, pixels: Buffer.from([1, 0, 0, 0, 0, 0])});
    expect(litPixels(picture)).toBe(1);
  });

  test.each<[string, Buffer, RegExp]>([
    ['text', Buffer.from('501 not available for simulated guests'), /not a PNG/],
    ['grey', png([[0, 1, 2]], {colour: 0}), /colour type 0/],
    ['16 bits', png([first], {depth: 16}), /depth 16/],
    ['interlaced', png([first], {interlace: 1}), /interlace 1/],
    ['an unknown filter', png([[9, 1, 2, 3, 4, 5, 6]]), /filter 9/],
  ])('%s is refused', (_name, file, message) => {
    expect(() => decodePng(file)).toThrow(message);
  });
});
