/**
 * Shapes shared by everything that talks to a Kubernetes API server: plain JSON objects as they travel on the wire, and the
 * description of a resource (group, version, plural) from which URLs are made. Objects that come out of a cache are read-only.
 */

/** `metadata.ownerReferences[]` (meta/v1 OwnerReference). */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** `metadata` (meta/v1 ObjectMeta) as far as this project reads or writes it. Times are RFC 3339. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly generateName?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
}

/** Any Kubernetes object, as raw JSON typed by our own interfaces. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** An object about which nothing but its metadata is known. */
export interface AnyObject extends KubeObject {
  readonly [field: string]: unknown;
}

/** A kind on the wire: `group` is `''` for the core group. The type parameter is the shape of its objects. */
export interface ResourceType<T extends KubeObject = AnyObject> {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Never set: carries the object's type for inference. */
  readonly __shape?: T;
}

/** The name of one object. `namespace` is absent for cluster-scoped kinds. */
export interface Ref {
  readonly name: string;
  readonly namespace?: string;
}

/** A page of a list. `continue` is absent on the last page. */
export interface List<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** One event of a watch stream. A `BOOKMARK` carries only `metadata.resourceVersion`. */
export type WatchEvent<T> = {readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: T};

/** `namespace/name`, or `name` for a cluster-scoped object: the key of caches and queues. */
export function keyOf(ref: Ref): string {
  return ref.namespace === undefined || ref.namespace === '' ? ref.name : `${ref.namespace}/${ref.name}`;
}

/** The inverse of {@link keyOf}. */
export function refOf(key: string): Ref {
  const slash = key.indexOf('/');
  return slash < 0 ? {name: key} : {namespace: key.slice(0, slash), name: key.slice(slash + 1)};
}

/** The reference of an object: its namespace (if any) and name. */
export function refOfObject(object: KubeObject): Ref {
  const {name, namespace} = object.metadata;
  return namespace === undefined ? {name} : {namespace, name};
}

/** `group/version`, or `version` for the core group: the `apiVersion` of the objects of a type. */
export function apiVersionOf(type: Pick<ResourceType, 'group' | 'version'>): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

/** Whether the object is on its way out. */
export const isDeleting = (object: {readonly metadata: ObjectMeta}): boolean => object.metadata.deletionTimestamp !== undefined;
