/** Images of the compute API: reads, deletion of own ones, metadata. */
import {accountOfNamespace, type Image} from '../../crds/index.ts';
import {uuidOf} from '../../crds/rules/ids.ts';
import {refOfObject} from '../../kube/objects.ts';
import {Failure} from '../http/failure.ts';
import type {Answer, Caller, Input} from '../http/types.ts';
import {touched, updatedMs} from '../store/times.ts';
import type {ComputeContext} from './context.ts';
import {checkMetadataCount, type MetadataItem} from './create-input.ts';
import {changesSince} from './dates.ts';
import {empty, reply} from './format.ts';
import {briefImage, fullImage, imageMetadata} from './image-view.ts';
import {itemBody, mergeMetadata, readCollection, readItem} from './metadata.ts';
import {profileOf} from './profile.ts';
import {jsonObject} from './request-body.ts';
import {findImage, imagesOf} from './scope.ts';

/** GET /images. */
export function listImages(input: Input, context: ComputeContext): Answer {
  return answerList(input, context, (image) => briefImage(image, input.baseUrl));
}

/** GET /images/detail. */
export function listImagesDetail(input: Input, context: ComputeContext): Answer {
  return answerList(input, context, (image) => fullImage(image, ownerOf(context, image), input.baseUrl));
}

function answerList(input: Input, context: ComputeContext, render: (image: Image) => object): Answer {
  const sinceMs = changesSince(input.query, context.clock.now());
  const images = imagesOf(input.caller, context.store).filter((image) => sinceMs === undefined || updatedMs(image) >= sinceMs);
  if (sinceMs !== undefined && images.length === 0 && profileOf(input.mount).imagesUnchanged === 304) return empty(304);
  return reply(input, 200, {images: images.map(render)});
}

/** uuid of the account in whose namespace an image is; of a public one of the system the empty string. */
export function ownerOf({store}: Pick<ComputeContext, 'store'>, image: Image): string {
  const name = accountOfNamespace(image.metadata.namespace ?? '');
  const account = name === undefined ? undefined : store.accounts.get({name});
  return account === undefined ? '' : uuidOf(account);
}

/** GET /images/{id}. */
export function getImage(input: Input, context: ComputeContext): Answer {
  const image = imageOf(input, context);
  return reply(input, 200, {image: fullImage(image, ownerOf(context, image), input.baseUrl)});
}

/** DELETE /images/{id}: an own one. */
export async function deleteImage(input: Input, context: ComputeContext): Promise<Answer> {
  const image = ownImage(input, context);
  const {uid} = image.metadata;
  await context.store.images.delete(refOfObject(image), {signal: input.signal, ...(uid === undefined ? {} : {uid})});
  return empty(204);
}

/** GET /images/{id}/metadata. */
export function listImageMetadata(input: Input, context: ComputeContext): Answer {
  return reply(input, 200, {metadata: imageMetadata(imageOf(input, context))});
}

/** POST /images/{id}/metadata: merges. */
export async function updateImageMetadata(input: Input, context: ComputeContext): Promise<Answer> {
  const image = ownImage(input, context);
  const after = await put(input, context, image, readCollection(jsonObject(input)));
  return reply(input, 201, {metadata: imageMetadata(after)});
}

/** GET /images/{id}/metadata/{key}. */
export function getImageMeta(input: Input, context: ComputeContext): Answer {
  const key = input.params['key'] ?? '';
  const value = imageMetadata(imageOf(input, context))[key];
  if (value === undefined) throw metaNotFound();
  return reply(input, 200, itemBody({key, value}));
}

/** PUT /images/{id}/metadata/{key}. */
export async function putImageMeta(input: Input, context: ComputeContext): Promise<Answer> {
  const image = ownImage(input, context);
  const item = readItem(jsonObject(input), input.params['key'] ?? '');
  await put(input, context, image, [item]);
  return reply(input, 201, itemBody(item));
}

/** DELETE /images/{id}/metadata/{key}. */
export async function deleteImageMeta(input: Input, context: ComputeContext): Promise<Answer> {
  const image = ownImage(input, context);
  const key = input.params['key'] ?? '';
  if (!(image.spec.metadata ?? []).some((item) => item.key === key)) {
    if (profileOf(input.mount).absentImageMeta === 204) return empty(204);
    throw metaNotFound();
  }
  await edit(input, context, image, (metadata) => metadata.filter((item) => item.key !== key));
  return empty(204);
}

const metaNotFound = (): Failure => new Failure('not-found', 'Metadata key not found.');

function imageOf({params, caller}: {readonly params: Input['params']; readonly caller: Caller}, {store}: ComputeContext): Image {
  const image = findImage(params['id'] ?? '', caller, store);
  if (image === undefined) throw new Failure('not-found', 'Image not found.');
  return image;
}

/** An image that the caller may change; somebody else's public one may only be looked at. */
function ownImage(input: Input, context: ComputeContext): Image {
  const image = imageOf(input, context);
  if (image.metadata.namespace !== input.caller.namespace) throw new Failure('forbidden', 'Not allowed to modify this image.');
  return image;
}

function put(input: Input, context: ComputeContext, image: Image, items: readonly MetadataItem[]): Promise<Image> {
  return edit(input, context, image, (present) => {
    const merged = mergeMetadata(present, items);
    if (merged.length > present.length) checkMetadataCount(merged.length, profileOf(input.mount));
    return merged;
  });
}

function edit(
  {signal}: Input,
  {store, clock}: ComputeContext,
  image: Image,
  change: (metadata: readonly MetadataItem[]) => readonly MetadataItem[],
): Promise<Image> {
  return store.images.update(
    refOfObject(image),
    (current) => {
      const present = current.spec.metadata ?? [];
      const metadata = change(present);
      if (JSON.stringify(metadata) === JSON.stringify(present)) return undefined;
      return touched({...current, spec: {...current.spec, metadata: [...metadata]}}, clock.now());
    },
    {signal},
  );
}
