/**
 * Serialised answers, kept per object: an object from the cache is a new one whenever its resourceVersion changes, so its identity is
 * the key, and what is no longer cached is collected. A list is then a concatenation of buffers.
 */

/** Renders an object once per variant (a base URL, a format), again only when the object or one of `uses` has changed. */
export interface BytesMemo<T extends object> {
  /** `uses`: other cached objects that the rendering reads (a flavor, an image); compared by identity. */
  bytes(object: T, variant: string, uses: readonly unknown[], render: () => unknown): Buffer;
}

/** Variants kept per object; a client that sends ever new Host headers must not grow memory. */
const MAX_VARIANTS = 8;

/** Creates a memo. `render` results are turned into JSON. */
export function createBytesMemo<T extends object>(): BytesMemo<T> {
  const memo = new WeakMap<T, Map<string, {readonly uses: readonly unknown[]; readonly bytes: Buffer}>>();
  return {
    bytes(object, variant, uses, render) {
      const known = memo.get(object) ?? new Map<string, {readonly uses: readonly unknown[]; readonly bytes: Buffer}>();
      const found = known.get(variant);
      if (found !== undefined && found.uses.length === uses.length && found.uses.every((used, at) => used === uses[at])) return found.bytes;
      const bytes = Buffer.from(JSON.stringify(render()), 'utf8');
      if (known.size >= MAX_VARIANTS) known.clear();
      known.set(variant, {uses, bytes});
      memo.set(object, known);
      return bytes;
    },
  };
}

const COMMA = Buffer.from(',');

/** `prefix` + the parts joined by commas + `suffix`: `{"servers":[` … `]}` without serialising anything again. */
export function joinJson(prefix: string, parts: readonly Buffer[], suffix: string): Buffer {
  const pieces: Buffer[] = [Buffer.from(prefix)];
  parts.forEach((part, at) => {
    if (at > 0) pieces.push(COMMA);
    pieces.push(part);
  });
  pieces.push(Buffer.from(suffix));
  return Buffer.concat(pieces);
}
