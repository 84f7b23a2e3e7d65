/** The verbs of the fake API server on its store, all but watch. */
import {FakeStatusError} from './fake-objects.ts';
import type {FakeObject} from './fake-objects.ts';
import {applyPatch, jsonPatch, mergePatch} from './fake-patch.ts';
import {isBuiltIn} from './fake-route.ts';
import type {Route} from './fake-route.ts';
import {compileSelectors} from './fake-selectors.ts';
import type {FakeStore} from './fake-store.ts';

/** A request with its body parsed. */
export interface FakeRequest {
  readonly method: string;
  readonly route: Route;
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly body: unknown;
}

/** An answer to be sent as JSON. */
export interface FakeAnswer {
  readonly code: number;
  readonly body: object;
}

/** Executes requests. */
export class FakeVerbs {
  readonly #store: FakeStore;
  readonly #withoutStatus: ReadonlySet<string>;
  /** What each field manager applied last, by collection, object and manager. */
  readonly #applied = new Map<string, Map<string, Record<string, unknown>>>();

  constructor(store: FakeStore, withoutStatusSubresource: readonly string[]) {
    this.#store = store;
    this.#withoutStatus = new Set(withoutStatusSubresource);
  }

  run(request: FakeRequest): FakeAnswer {
    const {method, route} = request;
    if (route.subresource !== undefined && (route.subresource !== 'status' || this.#withoutStatus.has(route.plural))) {
      throw new FakeStatusError(404, 'NotFound', `the fake API server has no subresource ${route.subresource} of ${route.plural}`);
    }
    switch (method) {
      case 'GET':
        return route.name === undefined ? this.#list(request) : {code: 200, body: this.#present(route)};
      case 'POST':
        return {code: 201, body: this.#create(request)};
      case 'PUT':
        return {code: 200, body: this.#replace(request)};
      case 'PATCH':
        return this.#patch(request);
      case 'DELETE':
        return {code: 200, body: this.#delete(request)};
      default:
        throw new FakeStatusError(405, 'MethodNotAllowed', `${method} is not supported`);
    }
  }

  #present({collection, namespace, name}: Route): FakeObject {
    return this.#store.require(collection, namespace, name ?? '');
  }

  #list({route, query}: FakeRequest): FakeAnswer {
    const selected = compileSelectors(query.get('labelSelector'), query.get('fieldSelector'));
    const all = this.#store.list(route.collection, route.namespace, selected);
    const token = query.get('continue');
    const [version, after] =
      token === null ? [this.#store.version, ''] : (JSON.parse(Buffer.from(token, 'base64url').toString()) as [number, string]);
    if (version < this.#store.compacted) throw new FakeStatusError(410, 'Expired', 'The provided continue parameter is too old');
    const keyOf = (object: FakeObject): string => `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    const rest = token === null ? all : all.filter((object) => keyOf(object) > after);
    const limit = Number(query.get('limit') ?? 0);
    const page = limit > 0 ? rest.slice(0, limit) : rest;
    const last = page.at(-1);
    const more = last !== undefined && page.length < rest.length;
    const next = more
      ? {continue: Buffer.from(JSON.stringify([version, keyOf(last)])).toString('base64url'), remainingItemCount: rest.length - page.length}
      : {};
    const items = isBuiltIn(route.group) ? page.map(({apiVersion: _apiVersion, kind: _kind, ...item}) => item) : page;
    return {code: 200, body: {apiVersion: 'v1', kind: 'List', metadata: {resourceVersion: String(version), ...next}, items}};
  }

  #create({route, query, body}: FakeRequest): FakeObject {
    const object = objectOf(body, route);
    if (route.name !== undefined) throw new FakeStatusError(405, 'MethodNotAllowed', 'POST to an object is not supported');
    if (object.metadata.name === undefined && object.metadata.generateName === undefined) throw invalid('name or generateName is required');
    const stored = this.#hasStatus(route) ? without(object, 'status') : object;
    if (query.get('dryRun') !== null) return stored;
    return this.#store.create(route.collection, stored);
  }

  #replace({route, query, body}: FakeRequest): FakeObject {
    const before = this.#present(route);
    return this.#save(route, query, before, objectOf(body, route));
  }

  #patch(request: FakeRequest): FakeAnswer {
    const {route, query, contentType, body} = request;
    if (contentType.includes('apply-patch')) return this.#apply(request);
    const before = this.#present(route);
    const unlocked = {...before, metadata: without(before.metadata, 'resourceVersion')};
    let after: unknown;
    if (contentType.includes('merge-patch')) after = mergePatch(contentType.includes('strategic') ? before : unlocked, body);
    else if (contentType.includes('json-patch')) after = jsonPatch(before, body);
    else throw new FakeStatusError(415, 'UnsupportedMediaType', `the fake API server knows no patch of type ${contentType}`);
    return {code: 200, body: this.#save(route, query, before, after as FakeObject)};
  }

  #apply({route, query, body}: FakeRequest): FakeAnswer {
    const manager = query.get('fieldManager');
    if (manager === null) throw new FakeStatusError(400, 'BadRequest', 'fieldManager is required for apply patch');
    const desired = objectOf(body, route);
    const before = this.#store.find(route.collection, route.namespace, route.name ?? '');
    const key = `${route.collection}/${route.namespace ?? ''}/${route.name}/${route.subresource ?? ''}`;
    let managers = this.#applied.get(key);
    if (managers === undefined || before === undefined) this.#applied.set(key, (managers = new Map<string, Record<string, unknown>>()));
    const others = new Map([...managers].filter(([name]) => name !== manager));
    const after = applyPatch(before, desired, managers.get(manager), others, query.get('force') === 'true') as FakeObject;
    if (query.get('dryRun') === null) managers.set(manager, desired);
    if (before !== undefined) return {code: 200, body: this.#save(route, query, before, after)};
    const stored = this.#hasStatus(route) && route.subresource === undefined ? without(after, 'status') : after;
    return {code: 201, body: query.get('dryRun') === null ? this.#store.create(route.collection, stored) : stored};
  }

  #delete({route, query, body}: FakeRequest): FakeObject {
    const object = this.#present(route);
    const {preconditions} = (body ?? {}) as {preconditions?: {uid?: string; resourceVersion?: string}};
    this.#store.check(route.collection, object, preconditions ?? {});
    return query.get('dryRun') === null ? this.#store.delete(route.collection, object, {}) : object;
  }

  #save(route: Route, query: URLSearchParams, before: FakeObject, wanted: FakeObject): FakeObject {
    const {uid, resourceVersion} = wanted.metadata;
    const preconditions = {uid, resourceVersion: resourceVersion === '' ? undefined : resourceVersion};
    this.#store.check(route.collection, before, preconditions);
    const after = this.#hasStatus(route) ? this.#splitStatus(route, before, wanted) : wanted;
    return query.get('dryRun') === null ? this.#store.update(route.collection, before, after, preconditions) : after;
  }

  /** `/status` changes nothing but the status, everything else all but it. */
  #splitStatus(route: Route, before: FakeObject, wanted: FakeObject): FakeObject {
    const [body, status] = route.subresource === 'status' ? [before, wanted] : [wanted, before];
    const rest = without(body, 'status');
    return 'status' in status ? {...rest, status: status['status']} : rest;
  }

  #hasStatus(route: Route): boolean {
    return !this.#withoutStatus.has(route.plural);
  }
}

function objectOf(body: unknown, route: Route): FakeObject {
  const object = body as Partial<FakeObject> | null;
  if (
    typeof object !== 'object' ||
    object === null ||
    object.metadata === undefined ||
    object.kind === undefined ||
    object.apiVersion === undefined
  ) {
    throw new FakeStatusError(400, 'BadRequest', 'the body is no object with apiVersion, kind and metadata');
  }
  if (object.apiVersion !== (route.group === '' ? route.version : `${route.group}/${route.version}`)) {
    throw new FakeStatusError(400, 'BadRequest', `the body is of ${object.apiVersion}, the URL of ${route.group}/${route.version}`);
  }
  if (route.name !== undefined && object.metadata.name !== route.name) {
    throw new FakeStatusError(
      400,
      'BadRequest',
      `the name of the object (${object.metadata.name}) does not match the name on the URL (${route.name})`,
    );
  }
  const {namespace} = object.metadata;
  if (namespace !== undefined && route.namespace !== undefined && namespace !== route.namespace) {
    throw new FakeStatusError(400, 'BadRequest', 'the namespace of the provided object does not match the namespace sent on the request');
  }
  const metadata = route.namespace === undefined ? {...object.metadata} : {...object.metadata, namespace: route.namespace};
  return {...object, metadata} as FakeObject;
}

const invalid = (message: string): FakeStatusError => new FakeStatusError(422, 'Invalid', message);

function without<T extends object, K extends PropertyKey>(object: T, field: K): T {
  const copy = {...object} as Record<PropertyKey, unknown>;
  delete copy[field];
  return copy as T;
}
