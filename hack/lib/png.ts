/** Reads what is needed to tell whether a picture shows anything: PNGs of 8 bits a channel without interlace, as qemu writes them. */
import {inflateSync} from 'node:zlib';

/** A decoded picture. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue; three bytes a pixel. */
  readonly pixels: Buffer;
}

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const CHANNELS: Readonly<Record<number, number>> = {2: 3, 6: 4};

/** Decodes it. Throws for what is no such PNG. */
export function decodePng(file: Buffer): Picture {
  if (!file.subarray(0, 8).equals(SIGNATURE)) throw new Error('not a PNG');
  let header: Buffer | undefined;
  const data: Buffer[] = [];
  for (let at = 8; at + 8 <= file.length;) {
    const length = file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    const body = file.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') header = body;
    if (type === 'IDAT') data.push(body);
    at += length + 12;
  }
  if (header === undefined) throw new Error('a PNG without a header');
  const [width, height, depth, colour = -1, , , interlace] = [header.readUInt32BE(0), header.readUInt32BE(4), ...header.subarray(8)];
  const channels = CHANNELS[colour];
  if (depth !== 8 || interlace !== 0 || channels === undefined || width === undefined || height === undefined)
    throw new Error(`a PNG of depth ${depth}, colour type ${colour}, interlace ${interlace}`);
  return {width, height, pixels: unfilter(inflateSync(Buffer.concat(data)), width, height, channels)};
}

function unfilter(raw: Buffer, width: number, height: number, channels: number): Buffer {
  const stride = width * channels;
  const lines = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)] ?? 0;
    for (let x = 0; x < stride; x++) {
      const value = raw[y * (stride + 1) + 1 + x] ?? 0;
      const left = x < channels ? 0 : (lines[y * stride + x - channels] ?? 0);
      const up = y === 0 ? 0 : (lines[(y - 1) * stride + x] ?? 0);
      const corner = x < channels || y === 0 ? 0 : (lines[(y - 1) * stride + x - channels] ?? 0);
      lines[y * stride + x] = (value + predictor(filter, left, up, corner)) & 255;
    }
  }
  if (channels === 3) return lines;
  const pixels = Buffer.alloc(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) lines.copy(pixels, pixel * 3, pixel * 4, pixel * 4 + 3);
  return pixels;
}

function predictor(filter: number, left: number, up: number, corner: number): number {
  switch (filter) {
    case 0:
      return 0;
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) >> 1;
    case 4: {
      const guess = left + up - corner;
      const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
      return a <= b && a <= c ? left : b <= c ? up : corner;
    }
    default:
      throw new Error(`a PNG with filter ${filter}`);
  }
}

/** Pixels that are not black. */
export function litPixels({pixels}: Picture): number {
  let lit = 0;
  for (let at = 0; at < pixels.length; at += 3) if ((pixels[at] ?? 0) + (pixels[at + 1] ?? 0) + (pixels[at + 2] ?? 0) > 0) lit++;
  return lit;
}
