/** The small raw disk image of clusters with simulated guests: an MBR with one Linux partition, and nothing that boots. */

const SECTOR = 512;
/** 4 MiB: small enough to serve a hundred times, large enough to be a disk. */
const SIZE = 4 * 1024 * 1024;

/** The bytes of the image, the same each time. */
export function simulatedImage(): Buffer {
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
