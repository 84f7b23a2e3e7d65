/**
 * A seccomp filter under which fsync and fdatasync do nothing and say that they succeeded. Like etcd in this cluster (`--unsafe-no-fsync`):
 * data of a local cluster may be lost with the machine, not with a process, and an import writes everything twice. Pure.
 */

/** Of linux/audit.h and the system call tables. */
const ARCHITECTURES: Readonly<Record<string, {readonly audit: number; readonly calls: readonly number[]}>> = {
  x64: {audit: 0xc000003e, calls: [74, 75]},
  arm64: {audit: 0xc00000b7, calls: [82, 83]},
};

const LOAD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
/** The call is not made; errno 0 is success. */
const ERRNO_0 = 0x00050000;
/** Offsets in struct seccomp_data. */
const OFFSET = {call: 0, audit: 4};

/** The filter as the kernel takes it; undefined for an architecture that is not known, which then syncs. */
export function noFsyncFilter(architecture: string): Buffer | undefined {
  const known = ARCHITECTURES[architecture];
  if (known === undefined) return undefined;
  const {audit, calls} = known;
  // Another architecture than the machine's own (32-bit programs) is let through.
  const program: (readonly [code: number, ifTrue: number, ifFalse: number, value: number])[] = [
    [LOAD, 0, 0, OFFSET.audit],
    [JUMP_IF_EQUAL, 0, calls.length + 1, audit],
    [LOAD, 0, 0, OFFSET.call],
    ...calls.map((call, index) => [JUMP_IF_EQUAL, calls.length - index, 0, call] as const),
    [RETURN, 0, 0, ALLOW],
    [RETURN, 0, 0, ERRNO_0],
  ];
  const buffer = Buffer.alloc(program.length * 8);
  for (const [index, [code, ifTrue, ifFalse, value]] of program.entries()) {
    buffer.writeUInt16LE(code, index * 8);
    buffer.writeUInt8(ifTrue, index * 8 + 2);
    buffer.writeUInt8(ifFalse, index * 8 + 3);
    buffer.writeUInt32LE(value, index * 8 + 4);
  }
  return buffer;
}
