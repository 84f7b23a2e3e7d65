/** Free-form `data` of the inventory: the bounds that the CRD cannot say, because CEL does not see into open fields. Pure. */

/** Most keys. */
export const MAX_DATA_KEYS = 512;
/** Longest key, in characters. */
export const MAX_DATA_KEY_LENGTH = 255;
/** Most bytes of the whole, as JSON in UTF-8. An object of the cluster has to stay under 1.5 MB. */
export const MAX_DATA_BYTES = 262_144;

/** Why `data` cannot be stored, or undefined when it can. `key` names the culprit where there is one. */
export function dataProblem(data: Readonly<Record<string, unknown>>): {readonly key?: string; readonly message: string} | undefined {
  const keys = Object.keys(data);
  if (keys.length > MAX_DATA_KEYS) return {message: `must have at most ${MAX_DATA_KEYS} keys`};
  if (keys.includes('')) return {key: '', message: 'must not have an empty key'};
  const long = keys.find((key) => Array.from(key).length > MAX_DATA_KEY_LENGTH);
  if (long !== undefined) return {key: long, message: `keys must have at most ${MAX_DATA_KEY_LENGTH} characters`};
  if (Buffer.byteLength(JSON.stringify(data)) > MAX_DATA_BYTES) return {message: `must have at most ${MAX_DATA_BYTES} bytes as JSON`};
  return undefined;
}
