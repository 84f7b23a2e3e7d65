/**
 * Comparing resourceVersions. They are opaque except by this rule: versions of one kind that consist of decimal digits without a leading
 * zero grow (Kubernetes documents them as comparable since 1.35; etcd revisions always were). Whatever is not of that form is only equal
 * or not.
 */

/** Negative, 0 or positive as `a` is older than, the same as or newer than `b`; undefined when nothing can be said. */
export function compareVersions(a: string, b: string): number | undefined {
  if (a === b) return 0;
  if (!isComparable(a) || !isComparable(b)) return undefined;
  return a.length === b.length ? (a < b ? -1 : 1) : a.length - b.length;
}

/** Whether `version` is known to be `wanted` or later. */
export function reaches(version: string | undefined, wanted: string): boolean {
  return version !== undefined && (compareVersions(version, wanted) ?? -1) >= 0;
}

const isComparable = (version: string): boolean => /^[1-9]\d*$/.test(version);
