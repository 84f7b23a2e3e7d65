/**
 * Writes sets of manifests. What has been written is remembered by hash in a ConfigMap, so that a second `up` writes only what changed:
 * hundreds of objects, of which KubeVirt's CRDs alone are 2 MB. What was written and is gone, since somebody deleted it, is written again.
 */
import {createHash} from 'node:crypto';
import type {KubeClient} from '../../../kube/client.ts';
import {ApiError, isAlreadyExists, isNotFound} from '../../../kube/errors.ts';
import {keyOf, refOfObject, type AnyObject} from '../../../kube/objects.ts';
import {forEachLimited, waitFor} from '../waiting.ts';
import {missingObjects} from './existing.ts';
import type {Kinds} from './kinds.ts';

const CONFIG_MAP = {group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true} as const;
const RECORD = {namespace: 'kube-system', name: 'basalt-cluster-manifests'};
/** A kind that was just created, or a webhook whose server is starting, is there within seconds. */
const RETRY_DEADLINE_MS = 30_000;
const CONCURRENCY = 12;

/** The name under which an object is remembered. */
export function recordKey(object: AnyObject): string {
  return `${object.apiVersion} ${object.kind} ${keyOf(refOfObject(object))}`;
}

/** The hash that tells a changed manifest. */
export function manifestHash(object: AnyObject): string {
  return createHash('sha256').update(JSON.stringify(object)).digest('hex').slice(0, 12);
}

/** True for errors that pass by themselves: kind not served yet, namespace not there yet, webhook not answering yet. */
export function passesByItself(error: unknown): boolean {
  if (isNotFound(error)) return true;
  return error instanceof ApiError && error.status === 500 && /failed calling webhook/.test(error.message);
}

/** See the head of this file. */
export class ManifestWriter {
  readonly #client: KubeClient;
  readonly #kinds: Kinds;
  readonly #written: Map<string, string>;
  readonly #signal: AbortSignal;
  #changed = false;

  private constructor(client: KubeClient, kinds: Kinds, written: Map<string, string>, signal: AbortSignal) {
    this.#client = client;
    this.#kinds = kinds;
    this.#written = written;
    this.#signal = signal;
  }

  /** Reads what was written before. */
  static async open(client: KubeClient, kinds: Kinds, signal: AbortSignal): Promise<ManifestWriter> {
    let text = '{}';
    try {
      const record = (await client.get(CONFIG_MAP, RECORD, {signal})) as AnyObject & {data?: {hashes?: string}};
      text = record.data?.hashes ?? '{}';
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return new ManifestWriter(client, kinds, new Map(Object.entries(JSON.parse(text) as Record<string, string>)), signal);
  }

  /** Writes those of the objects that are new, changed or gone, several at a time; resolves with how many. `always` ignores the memory. */
  async write(objects: readonly AnyObject[], options: {readonly always?: boolean} = {}): Promise<number> {
    const due = options.always === true ? objects : await this.#due(objects);
    await forEachLimited(due, CONCURRENCY, async (object) => {
      await this.#writeOne(object);
      if (options.always === true) return;
      this.#written.set(recordKey(object), manifestHash(object));
      this.#changed = true;
    });
    return due.length;
  }

  async #due(objects: readonly AnyObject[]): Promise<AnyObject[]> {
    const written = objects.filter((object) => this.#written.get(recordKey(object)) === manifestHash(object));
    const gone = await missingObjects(this.#client, this.#kinds, written, this.#signal);
    const done = new Set(written.filter((object) => !gone.has(object)));
    return objects.filter((object) => !done.has(object));
  }

  async #writeOne(object: AnyObject): Promise<void> {
    const type = this.#kinds.of(object);
    await waitFor(
      async () => {
        try {
          // Most objects are new, and a create costs the server a third of an apply.
          await this.#client.create(type, object, {signal: this.#signal});
          return undefined;
        } catch (error) {
          if (passesByItself(error)) return (error as Error).message;
          if (!isAlreadyExists(error)) throw new Error(`${recordKey(object)}: ${(error as Error).message}`, {cause: error});
        }
        try {
          await this.#client.apply(type, object, {force: true, signal: this.#signal});
          return undefined;
        } catch (error) {
          if (passesByItself(error)) return (error as Error).message;
          throw new Error(`${recordKey(object)}: ${(error as Error).message}`, {cause: error});
        }
      },
      {what: recordKey(object), deadlineMs: RETRY_DEADLINE_MS, intervalMs: 100, signal: this.#signal},
    );
  }

  /** Stores the memory, if there is something new in it. */
  async save(): Promise<void> {
    if (!this.#changed) return;
    const record = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: RECORD,
      data: {hashes: JSON.stringify(Object.fromEntries(this.#written))},
    };
    await this.#client.apply(CONFIG_MAP, record as AnyObject, {force: true, signal: this.#signal});
    this.#changed = false;
  }
}
