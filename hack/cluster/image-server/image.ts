/** The small raw disk image that the demo cloud imports: an MBR with one Linux partition, and nothing that boots. */
import {existsSync} from 'node:fs';
import {writeAtomic} from '../files.ts';

const SECTOR = 512;
/** 4 MiB: small enough to serve a hundred times, large enough to be a disk. */
const SIZE = 4 * 1024 * 1024;

/** The bytes of the image, the same each time. */
export function tinyImage(): Buffer {
  const image = Buffer.alloc(SIZE);
  image.write('Basalt simulated image: nothing here boots.', 0, 'latin1');
  const entry = 446;
  const first = 2048;
  image.writeUInt8(0x80, entry);
  image.writeUInt8(0x83, entry + 4);
  image.writeUInt32LE(first, entry + 8);
  image.writeUInt32LE(SIZE / SECTOR - first, entry + 12);
  image.writeUInt16LE(0xaa55, 510);
  return image;
}

/** Writes the image unless it is there. */
export function ensureImage(path: string): void {
  if (!existsSync(path)) writeAtomic(path, tinyImage(), 0o644);
}
