/** The operations of the inventory, the same for regions, cells and hosts. */
import type {Cell} from '../../crds/index.ts';
import {Failure} from '../http/failure.ts';
import type {Answer, Input, ModuleDeps} from '../http/types.ts';
import {touched} from '../store/times.ts';
import {demandForCreate, parseBody} from './bodies.ts';
import {CELLS} from './cells.ts';
import {checkFree, createNamed} from './create-named.ts';
import {checkDataSize, mergeData, readDataChanges, readDataNames, withoutData} from './data.ts';
import type {Document} from './document.ts';
import {JSON_TYPE, notFound, Problems} from './errors.ts';
import {readFilters} from './filters.ts';
import {formatJson, parseExactJson} from './json.ts';
import type {InventoryKind, InventoryObject, Plan} from './kind.ts';
import {createCells, planCells} from './nested-cells.ts';
import {find, viewOf, type View} from './view.ts';

/** A handler that belongs to a kind. */
export type Operation = <T extends InventoryObject>(kind: InventoryKind<T>, input: Input, deps: ModuleDeps) => Promise<Answer> | Answer;

/** How long a deletion waits for the object to be gone, so that its name is free for the next request. */
const GONE_DEADLINE_MS = 5_000;

const answer = (body: Document | readonly Document[] | null): Answer => ({
  status: 200,
  headers: {'content-type': JSON_TYPE},
  body: formatJson(body),
});

function idOf(input: Input): string {
  return input.params['id'] ?? '';
}

function findOne<T extends InventoryObject>(kind: InventoryKind<T>, input: Input, view: View): T {
  const object = find(kind.collection(view.store), idOf(input), (candidate) => kind.sees(view, candidate), kind.what);
  if (object === undefined) throw notFound(kind.what, idOf(input));
  return object;
}

/** GET /{kind}: a bare array in order of creation. */
export const list: Operation = (kind, input, {store}) => {
  const view = viewOf(store, input.caller);
  const problems = new Problems();
  const filters = readFilters(input.query, problems);
  problems.throwIfAny();
  const documents: Document[] = [];
  for (const object of kind.collection(store).list()) {
    if (documents.length === filters.limit) break;
    if (kind.sees(view, object) && kind.matches(object, filters, view)) documents.push(kind.document(object, view));
  }
  return answer(documents);
};

/** GET /{kind}/{id}. */
export const get: Operation = (kind, input, {store}) => {
  const view = viewOf(store, input.caller);
  return answer(kind.document(findOne(kind, input, view), view));
};

function planOf<T extends InventoryObject>(kind: InventoryKind<T>, input: Input, current: T | undefined, view: View): Planned<T> {
  const body = parseBody(input.body.text());
  const problems = new Problems();
  const byTriple = input.caller.scheme === 'triple';
  if (current === undefined) demandForCreate(kind.path, body, byTriple, problems);
  const plan = kind.plan(body, current, view, problems);
  const cells = current === undefined && kind.path === 'regions' ? planCells(body, plan.name, byTriple, view, problems) : [];
  problems.throwIfAny();
  checkFree(kind, plan, current, view);
  for (const cell of cells) checkFree(CELLS, cell, undefined, view);
  return {plan, cells};
}

/** A body that is in order. `cells`: those that come with a new region. */
interface Planned<T extends InventoryObject> {
  readonly plan: Plan<T['spec']>;
  readonly cells: readonly Plan<Cell['spec']>[];
}

/** POST /{kind}: 200 and the new object. The cells in the body of a region are made with it, all or none. */
export const create: Operation = async (kind, input, {store, clock}) => {
  const view = viewOf(store, input.caller);
  const {plan, cells} = planOf(kind, input, undefined, view);
  const created = await createNamed(kind, plan, view, input.signal);
  await createCells(cells, {kind, object: created}, view, {signal: input.signal, log: input.log, clock});
  const location = `${input.baseUrl}/${kind.path}/${created.spec.id}`;
  return {...answer(kind.document(created, view)), headers: {'content-type': JSON_TYPE, location}};
};

/** Writes a changed spec and the time of the change. */
function changed<T extends InventoryObject>(current: T, spec: T['spec'], nowMs: number): T {
  return {...touched(current, nowMs), spec};
}

/** PUT /{kind}/{id}: members that are not sent keep their values. */
export const update: Operation = async (kind, input, {store, clock}) => {
  const view = viewOf(store, input.caller);
  const {name} = findOne(kind, input, view).metadata;
  const change = <T extends InventoryObject>(of: InventoryKind<T>, current: T): T =>
    changed(current, planOf(of, input, current, view).plan.spec, clock.now());
  const updated = await kind.collection(store).update({name}, (current) => change(kind, current), {signal: input.signal});
  return answer(kind.document(updated, view));
};

/** The operator takes its leave of an object first. Past the deadline the name stays taken for a while, which is no failure of this call. */
async function untilGone(wait: Promise<unknown>): Promise<void> {
  try {
    await wait;
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'timeout') throw error;
  }
}

/** DELETE /{kind}/{id}: 409 while something refers to it. */
export const remove: Operation = async (kind, input, {store}) => {
  const view = viewOf(store, input.caller);
  const object = findOne(kind, input, view);
  const holder = kind.referredBy(object, view);
  if (holder !== undefined) throw new Failure('conflict', `${kind.what} ${idOf(input)} still has ${holder}`);
  const {name, uid} = object.metadata;
  const collection = kind.collection(store);
  await collection.delete({name}, {signal: input.signal, ...(uid === undefined ? {} : {uid})});
  await untilGone(collection.waitFor({name}, (seen) => seen?.metadata.uid !== uid, {signal: input.signal, deadlineMs: GONE_DEADLINE_MS}));
  return answer(null);
};

/** PUT /{kind}/{id}/data: merges. */
export const putData: Operation = async (kind, input, {store, clock}) => {
  const view = viewOf(store, input.caller);
  const {name} = findOne(kind, input, view).metadata;
  const changes = readDataChanges(parseExactJson(input.body.text()));
  const updated = await kind.collection(store).update(
    {name},
    (current) => {
      const data = mergeData(current.spec.data ?? {}, changes);
      checkDataSize(data);
      return changed(current, {...current.spec, data}, clock.now());
    },
    {signal: input.signal},
  );
  return answer(kind.document(updated, view));
};

/** DELETE /{kind}/{id}/data: absent keys are ignored, but on hosts it is a 404 when none of the keys is there. */
export const deleteData: Operation = async (kind, input, {store, clock}) => {
  const view = viewOf(store, input.caller);
  const {name} = findOne(kind, input, view).metadata;
  const text = input.body.text();
  const names = readDataNames(text.trim() === '' ? undefined : parseExactJson(text), input.query.get('key'));
  await kind.collection(store).update(
    {name},
    (current) => {
      const data = current.spec.data ?? {};
      if (!names.some((key) => Object.hasOwn(data, key))) {
        if (kind.path === 'hosts') throw new Failure('not-found', `Host/data not found: ${names.join(', ')}`);
        return undefined;
      }
      return changed(current, {...current.spec, data: withoutData(data, names)}, clock.now());
    },
    {signal: input.signal},
  );
  return answer(null);
};

/** GET /{kind}/{id}/variables: the alias of `data` that cratonclient reads. */
export const getVariables: Operation = (kind, input, {store}) => {
  const view = viewOf(store, input.caller);
  return answer({variables: findOne(kind, input, view).spec.data ?? {}});
};

/** PUT /{kind}/{id}/variables: as `data`, answered in the alias form. */
export const putVariables: Operation = async (kind, input, deps) => {
  await putData(kind, input, deps);
  return getVariables(kind, input, deps);
};
