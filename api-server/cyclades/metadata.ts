/** Server metadata: collection and items. Answers about an item carry both members, `metadata` and `meta`. */
import {isObject} from '../http/body.ts';
import {Failure} from '../http/failure.ts';
import type {Answer, Input} from '../http/types.ts';
import {serverOf, type ComputeContext} from './context.ts';
import {checkMetadataCount, readMetadata, type MetadataItem} from './create-input.ts';
import {empty, reply} from './format.ts';
import {profileOf} from './profile.ts';
import {jsonObject} from './request-body.ts';
import {editSpec} from './servers.ts';
import {metadataOf} from './server-view.ts';

/** The list with the given items put in: known keys keep their place. Pure. */
export function mergeMetadata(present: readonly MetadataItem[], given: readonly MetadataItem[]): readonly MetadataItem[] {
  const merged = new Map(present.map(({key, value}) => [key, value]));
  for (const {key, value} of given) merged.set(key, value);
  return [...merged].map(([key, value]) => ({key, value}));
}

/** The items of a collection body: `{"metadata": {…}}`. */
export function readCollection(body: Readonly<Record<string, unknown>>): readonly MetadataItem[] {
  const {metadata} = body;
  if (!isObject(metadata)) throw new Failure('bad-request', 'Malformed request: "metadata" is missing or not an object');
  return readMetadata(metadata);
}

/** The item of a body: `meta` or `metadata` with exactly the key of the path. */
export function readItem(body: Readonly<Record<string, unknown>>, key: string): MetadataItem {
  const item = body['meta'] ?? body['metadata'];
  if (!isObject(item) || Object.keys(item).length !== 1 || !Object.hasOwn(item, key)) {
    throw new Failure('bad-request', `Malformed request: "meta" needs exactly the key "${key}"`);
  }
  const [read] = readMetadata(item);
  if (read === undefined) throw new Failure('bad-request');
  return read;
}

/** The body of an answer about one item. */
export function itemBody({key, value}: MetadataItem) {
  return {metadata: {[key]: value}, meta: {[key]: value}};
}

/** GET /servers/{id}/metadata. */
export function listServerMetadata(input: Input, context: ComputeContext): Answer {
  return reply(input, 200, {metadata: metadataOf(serverOf(context, input))});
}

/** POST /servers/{id}/metadata: merges. */
export async function updateServerMetadata(input: Input, context: ComputeContext): Promise<Answer> {
  const server = serverOf(context, input, {deleted: true});
  const items = readCollection(jsonObject(input));
  const after = await put(input, context, server, items);
  return reply(input, 201, {metadata: metadataOf(after)});
}

/** GET /servers/{id}/metadata/{key}. */
export function getServerMeta(input: Input, context: ComputeContext): Answer {
  const key = input.params['key'] ?? '';
  const found = serverOf(context, input).spec.metadata?.find((item) => item.key === key);
  if (found === undefined) throw metaNotFound();
  return reply(input, 200, itemBody(found));
}

/** PUT /servers/{id}/metadata/{key}: new or changed. */
export async function putServerMeta(input: Input, context: ComputeContext): Promise<Answer> {
  const server = serverOf(context, input, {deleted: true});
  const item = readItem(jsonObject(input), input.params['key'] ?? '');
  await put(input, context, server, [item]);
  return reply(input, 201, itemBody(item));
}

/** DELETE /servers/{id}/metadata/{key}. */
export async function deleteServerMeta(input: Input, context: ComputeContext): Promise<Answer> {
  const server = serverOf(context, input, {deleted: true});
  const key = input.params['key'] ?? '';
  await editSpec(input, context, server, (spec) => {
    const {metadata = []} = spec;
    if (!metadata.some((item) => item.key === key)) throw metaNotFound();
    return {...spec, metadata: metadata.filter((item) => item.key !== key)};
  });
  return empty(204);
}

const metaNotFound = (): Failure => new Failure('not-found', 'Metadata key not found.');

function put(input: Input, context: ComputeContext, server: ReturnType<typeof serverOf>, items: readonly MetadataItem[]) {
  return editSpec(input, context, server, (spec) => {
    const present = spec.metadata ?? [];
    const metadata = mergeMetadata(present, items);
    if (metadata.length > present.length) checkMetadataCount(metadata.length, profileOf(input.mount));
    return JSON.stringify(metadata) === JSON.stringify(present) ? undefined : {...spec, metadata: [...metadata]};
  });
}
