/**
 * RFC 3339 in whole seconds. virt-controller patches with a JSON-patch `test` on what it has read and re-serialised, and its times have
 * no fraction: one fraction in a status makes it fail and retry for ever.
 */
export function wholeSecond(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
