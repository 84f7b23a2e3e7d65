/**
 * Serialised answers, kept per object: an object from the cache is a new one whenever its resourceVersion changes, so its identity is
 * the key, and what is no longer cached is collected. A list is then a concatenation of buffers.
 */

/** What a rendering depends on beside its object. */
export interface Dependencies {
  /**
   * Changes whenever anything outside the object may have changed (revisions of caches): while it stays the same, nothing is looked up.
   */
  readonly epoch: string;
  /** The other values and cached objects that the rendering reads; compared by identity when the epoch has changed. */
  readonly uses: () => readonly unknown[];
}

/** Renders an object once per variant (a base URL, a format), again only when the object or what it depends on has changed. */
export interface BytesMemo<T extends object> {
  bytes(object: T, variant: string, dependencies: Dependencies, render: () => unknown): Buffer;
}

interface Rendered {
  epoch: string;
  readonly uses: readonly unknown[];
  readonly bytes: Buffer;
}

/** Variants kept per object; a client that sends ever new Host headers must not grow memory. */
const MAX_VARIANTS = 8;

/** Creates a memo. `render` results are turned into JSON. */
export function createBytesMemo<T extends object>(): BytesMemo<T> {
  const memo = new WeakMap<T, Map<string, Rendered>>();
  return {
    bytes(object, variant, {epoch, uses}, render) {
      const known = memo.get(object) ?? new Map<string, Rendered>();
      const found = known.get(variant);
      if (found?.epoch === epoch) return found.bytes;
      const used = uses();
      if (found !== undefined && found.uses.length === used.length && found.uses.every((value, at) => value === used[at])) {
        found.epoch = epoch;
        return found.bytes;
      }
      const bytes = Buffer.from(JSON.stringify(render()), 'utf8');
      if (known.size >= MAX_VARIANTS) known.clear();
      known.set(variant, {epoch, uses: used, bytes});
      memo.set(object, known);
      return bytes;
    },
  };
}

/** Dependencies of a rendering that reads nothing but its object. */
export const NOTHING_ELSE: Dependencies = {epoch: '', uses: () => []};

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
