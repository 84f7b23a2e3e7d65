/**
 * The CRDs on a real API server, under a group of their own: exact copies but for the group and the short names, so that a test can
 * store what it likes without an operator acting on it, and without touching what is installed.
 */
import {ALL_KINDS, VERSION} from '../../crds/index.ts';
import type {KindDefinition} from '../../crds/index.ts';
import type {Attempt, Draft} from '../../crds/fixtures/types.ts';
import {customResourceDefinition} from '../../crds/manifest.ts';
import type {KubeClient} from '../../kube/client.ts';
import {isNotFound} from '../../kube/errors.ts';
import type {AnyObject, ResourceType} from '../../kube/objects.ts';
import {CUSTOM_RESOURCE_DEFINITION} from '../../kube/types.ts';
import type {CustomResourceDefinition} from '../../kube/types.ts';

/** Group of the copies. */
export const FIXTURES_GROUP = 'fixtures.basalt.dev';
const FIELD_MANAGER = 'basalt-crd-test';
const NAMESPACE = 'default';
const DEADLINE_MS = 60_000;

/** The address of a kind's copy. */
export const copyOf = ({version, plural, kind, namespaced}: KindDefinition): ResourceType => ({
  group: FIXTURES_GROUP,
  version,
  plural,
  kind,
  namespaced,
});

/** The CRD of a kind as the server takes it. */
export const crdOf = (kind: KindDefinition): CustomResourceDefinition =>
  customResourceDefinition(kind) as unknown as CustomResourceDefinition;

function crdCopy(kind: KindDefinition): CustomResourceDefinition {
  const crd = crdOf(kind);
  const {shortNames: _short, categories: _categories, ...names} = crd.spec.names;
  return {...crd, metadata: {name: `${kind.plural}.${FIXTURES_GROUP}`}, spec: {...crd.spec, group: FIXTURES_GROUP, names}};
}

async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${DEADLINE_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Stores objects of the copies. */
export class CrdBench {
  readonly #client: KubeClient;
  #count = 0;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** Installs the copies and waits until each is served. Resolves with the conditions of each, by kind. */
  async install(): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
    await this.uninstall(); // what a killed run left
    for (const kind of ALL_KINDS) await this.#client.create(CUSTOM_RESOURCE_DEFINITION, crdCopy(kind));
    const conditions = new Map<string, Readonly<Record<string, string>>>();
    for (const kind of ALL_KINDS) {
      const name = `${kind.plural}.${FIXTURES_GROUP}`;
      const crd = await until(`${name} established`, async () => {
        const seen = await this.#client.get(CUSTOM_RESOURCE_DEFINITION, {name});
        return conditionsOf(seen)['Established'] === 'True' ? seen : undefined;
      });
      conditions.set(kind.kind, conditionsOf(crd));
      await until(`${name} served`, () => this.#served(copyOf(kind)));
    }
    return conditions;
  }

  /** Removes the copies and everything stored in them. */
  async uninstall(): Promise<void> {
    const names = ALL_KINDS.map((kind) => `${kind.plural}.${FIXTURES_GROUP}`);
    for (const name of names) await this.#ignoreAbsent(this.#client.delete(CUSTOM_RESOURCE_DEFINITION, {name}));
    for (const name of names)
      await until(`${name} gone`, async () =>
        (await this.#ignoreAbsent(this.#client.get(CUSTOM_RESOURCE_DEFINITION, {name}))) === undefined ? true : undefined,
      );
  }

  /** Stores an object, its status after it; resolves with it as stored, rejects with the server's refusal. */
  async store(kind: KindDefinition, draft: Draft): Promise<AnyObject> {
    const type = copyOf(kind);
    const name = draft.name ?? `fixture-${(this.#count += 1)}`;
    const created = await this.#client.create(type, this.#object(kind, name, draft.spec));
    return draft.status === undefined ? created : this.#writeStatus(type, created, draft.status);
  }

  /** Makes the writes of an attempt; the last one is what is tried. A `before` that is refused is an error of its own. */
  async attempt(kind: KindDefinition, {before, after}: Attempt): Promise<AnyObject> {
    if (before === undefined) return this.store(kind, after);
    const stored = await this.store(kind, before).catch((error: unknown) => {
      throw new Error('what the fixture starts from was refused', {cause: error});
    });
    const sameSpec = JSON.stringify(before.spec) === JSON.stringify(after.spec);
    const replaced =
      sameSpec && after.status !== undefined ? stored : await this.#client.replace(copyOf(kind), {...stored, spec: after.spec});
    return after.status === undefined ? replaced : this.#writeStatus(copyOf(kind), replaced, after.status);
  }

  #object(kind: KindDefinition, name: string, spec: object): AnyObject {
    return {
      apiVersion: `${FIXTURES_GROUP}/${VERSION}`,
      kind: kind.kind,
      metadata: {name, ...(kind.namespaced ? {namespace: NAMESPACE} : {})},
      spec,
    };
  }

  #writeStatus(type: ResourceType, object: AnyObject, status: object): Promise<AnyObject> {
    return this.#client.replace(type, {...object, status}, {subresource: 'status', fieldManager: FIELD_MANAGER});
  }

  async #served(type: ResourceType): Promise<true | undefined> {
    return (await this.#ignoreAbsent(this.#client.list(type, {limit: 1}))) === undefined ? undefined : true;
  }

  async #ignoreAbsent<T>(call: Promise<T>): Promise<T | undefined> {
    try {
      return await call;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}

const conditionsOf = (crd: AnyObject | CustomResourceDefinition): Readonly<Record<string, string>> => {
  const {status} = crd as {readonly status?: {readonly conditions?: readonly {readonly type: string; readonly status: string}[]}};
  return Object.fromEntries((status?.conditions ?? []).map((condition) => [condition.type, condition.status]));
};
