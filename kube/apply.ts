/**
 * Server-side apply that writes only when something is to be changed.
 *
 * The API server answers an apply that changes nothing without writing, but a webhook's or a controller's defaulting (KubeVirt's) turns each
 * apply into a write, and each is a round trip. So what was applied last is remembered by its hash, and as long as the live object is as it
 * was left then, nothing is sent. The memory is this process's own: after a restart each object is applied once more.
 */
import type {KubeClient} from './client.ts';
import {canonicalJson, containsRecord, hashJson} from './json-hash.ts';
import {apiVersionOf, keyOf, refOfObject} from './objects.ts';
import type {KubeObject, Ref, ResourceType} from './objects.ts';
import {compareVersions} from './resource-version.ts';

/** What an apply did. */
export interface Applied<T> {
  /** As the server answered, or the live object when nothing was sent. */
  readonly object: T;
  /** Whether the server's state changed. */
  readonly changed: boolean;
}

/** Options of one apply. */
export interface ApplyOptions {
  readonly signal?: AbortSignal;
  /** Takes fields from other managers. Default true: only for objects that we generate, which is what this is for. */
  readonly force?: boolean;
}

/** See the top of this file. */
export interface Applier {
  /** Makes the server's object hold what `desired` says. `live` is the object as the cache shows it. Throws `ApiError`. */
  apply<T extends KubeObject>(type: ResourceType<T>, desired: T, live: T | undefined, options?: ApplyOptions): Promise<Applied<T>>;
  /** Forgets what was applied, so that the next apply is sent. */
  forget(type: Omit<ResourceType, '__shape'>, ref: Ref): void;
}

/** How an object was left by its last apply. */
interface Memory {
  readonly desiredHash: string;
  readonly uid: string | undefined;
  readonly version: string;
  /** Moves with every change of the spec; absent on kinds that do not count it (Secret, ConfigMap, RoleBinding, …). */
  readonly generation: number | undefined;
  /** For those kinds: the hash of the content as the cache shows it, once the cache has shown the applied state. */
  contentHash?: string;
}

/** Entries are about 300 bytes. The oldest go first; to lose one costs one more apply. */
const MOST_ENTRIES = 200_000;

/** Makes an applier for a field manager. */
export function createApplier(options: {readonly client: KubeClient; readonly fieldManager: string}): Applier {
  const {client, fieldManager} = options;
  const memories = new Map<string, Memory>();
  const keyFor = (type: Omit<ResourceType, '__shape'>, ref: Ref): string => `${apiVersionOf(type)}/${type.plural}/${keyOf(ref)}`;
  return {
    async apply(type, desired, live, {signal, force = true} = {}) {
      const key = keyFor(type, refOfObject(desired));
      const desiredHash = hashJson(desired);
      if (live !== undefined && isAsLeft(memories.get(key), desiredHash, desired, live)) return {object: live, changed: false};
      const object = await client.apply(type, desired, {fieldManager, force, ...(signal === undefined ? {} : {signal})});
      const {uid, generation, resourceVersion = ''} = object.metadata;
      memories.delete(key); // so that it is the youngest again
      memories.set(key, {desiredHash, uid, generation, version: resourceVersion});
      if (memories.size > MOST_ENTRIES) memories.delete(memories.keys().next().value ?? '');
      return {object, changed: live?.metadata.resourceVersion !== resourceVersion};
    },
    forget(type, ref) {
      memories.delete(keyFor(type, ref));
    },
  };
}

function isAsLeft(memory: Memory | undefined, desiredHash: string, desired: KubeObject, live: KubeObject): boolean {
  if (memory === undefined || memory.desiredHash !== desiredHash || memory.uid !== live.metadata.uid) return false;
  const order = compareVersions(live.metadata.resourceVersion ?? '', memory.version);
  if (order !== undefined && order < 0) return true; // the cache has not even seen our own apply: it says nothing against it
  if (!holdsMetadata(live, desired)) return false;
  if (memory.generation !== undefined) return memory.generation === live.metadata.generation;
  const contentHash = hashContent(live);
  if (order === 0) memory.contentHash = contentHash;
  return memory.contentHash === contentHash;
}

/** Whether the labels, annotations, finalizers and owners that we set are there still: a change of those moves no generation. */
function holdsMetadata(live: KubeObject, desired: KubeObject): boolean {
  const has = live.metadata;
  const wants = desired.metadata;
  const owners = new Map((has.ownerReferences ?? []).map((owner) => [owner.uid, canonicalJson(owner)]));
  return (
    containsRecord(has.labels, wants.labels) &&
    containsRecord(has.annotations, wants.annotations) &&
    (wants.finalizers ?? []).every((finalizer) => has.finalizers?.includes(finalizer) === true) &&
    (wants.ownerReferences ?? []).every((owner) => owners.get(owner.uid) === canonicalJson(owner))
  );
}

function hashContent(object: KubeObject): string {
  const {metadata: _metadata, status: _status, ...content} = object as KubeObject & {readonly status?: unknown};
  return hashJson(content);
}
