/** URLs of a Kubernetes API server, pure. */
import type {ListOptions, WatchOptions, WriteOptions} from './client.ts';
import type {Ref, ResourceType} from './objects.ts';

/** A kind's place on the wire, whatever its objects look like. */
export type ResourcePlace = Omit<ResourceType, '__shape'>;

const prefixOf = (type: ResourcePlace): string => (type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`);

/** The path of a kind's collection; all namespaces when `namespace` is absent. */
export function collectionPath(type: ResourcePlace, namespace?: string): string {
  const scope = type.namespaced && namespace !== undefined && namespace !== '' ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${prefixOf(type)}${scope}/${type.plural}`;
}

/** The path of one object, or of a subresource of it. Throws a TypeError when name or (for a namespaced kind) namespace is missing. */
export function objectPath(type: ResourcePlace, ref: Ref, subresource?: string): string {
  if (ref.name === '') throw new TypeError(`${type.kind}: an object's path needs its name`);
  requireNamespace(type, ref.namespace);
  const tail = subresource === undefined ? '' : `/${subresource}`;
  return `${collectionPath(type, ref.namespace)}/${encodeURIComponent(ref.name)}${tail}`;
}

/** Throws a TypeError when a namespaced kind comes without a namespace: the server would answer a bare 404 or 405. */
export function requireNamespace(type: ResourcePlace, namespace: string | undefined): void {
  if (type.namespaced && (namespace === undefined || namespace === '')) throw new TypeError(`${type.kind}: needs a namespace`);
}

/** `?a=b&c=d` of what is defined; empty when nothing is. */
export function queryString(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) parts.push(`${name}=${encodeURIComponent(value)}`);
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

/** The query of a list page. */
export function listQuery(options: ListOptions): string {
  const {labelSelector, fieldSelector, limit, resourceVersion} = options;
  return queryString({labelSelector, fieldSelector, limit, continue: options.continue, resourceVersion});
}

/** The query of a watch; bookmarks are always asked for. */
export function watchQuery(options: WatchOptions): string {
  const {labelSelector, fieldSelector, resourceVersion, timeoutSeconds} = options;
  return queryString({watch: 1, allowWatchBookmarks: true, labelSelector, fieldSelector, resourceVersion, timeoutSeconds});
}

/** The query of a write. */
export function writeQuery(options: WriteOptions & {readonly force?: boolean}, fieldManager: string): string {
  return queryString({
    fieldManager: options.fieldManager ?? fieldManager,
    dryRun: options.dryRun === true ? 'All' : undefined,
    force: options.force === true ? true : undefined,
  });
}
