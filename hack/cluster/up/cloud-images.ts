/** The Images that `up` registers: what the image server serves, as public Images, each with the checksum of its bytes. */
import {createHash} from 'node:crypto';
import {join} from 'node:path';
import {IMAGE, type Image} from '../../../crds/index.ts';
import {isNotFound} from '../../../kube/errors.ts';
import type {AnyObject} from '../../../kube/objects.ts';
import type {GuestImage} from '../images/cache.ts';
import {placeImage, recipeOf} from '../images/catalogue.ts';
import {simulatedImage} from '../image-server/image.ts';
import {writeAtomic} from '../files.ts';
import type {Variables} from '../objects/manifests.ts';
import type {Ports} from '../ports.ts';
import {waitFor} from '../waiting.ts';
import type {StartContext, UpContext} from './context.ts';
import {imageUrl} from './env-file.ts';

const REMOVAL_DEADLINE_MS = 60_000;
/** Of the image that boots nothing: a size like that of a real one, since no byte of it is copied. */
const SIMULATED_BYTES = 2 ** 30;

/** Puts the files of all images into the cluster's folder. Without guests that boot, there is one small file that only looks like a disk. */
export async function placeImages({guestImages, paths, signal}: StartContext): Promise<void> {
  if (guestImages.length === 0) writeAtomic(join(paths.images, 'tiny.raw'), simulatedImage(), 0o644);
  for (const image of guestImages) await placeImage(image, paths.images, signal);
}

/** What cloud/images.yaml is filled in with, per image; the first one is tiny. */
export function imageVariables(images: readonly GuestImage[], ports: Ports): [Variables, ...Variables[]] {
  const real = images.map((image) => ({
    IMAGE_NAME: image.name,
    IMAGE_DESCRIPTION: recipeOf(image).description,
    IMAGE_BYTES: String(image.sizeBytes),
    IMAGE_URL: imageUrl(ports, image.name),
    IMAGE_SHA256: image.sha256,
  }));
  const [first, ...others] = real;
  if (first !== undefined) return [first, ...others];
  return [
    {
      IMAGE_NAME: 'tiny',
      IMAGE_DESCRIPTION: 'A raw disk of 4 MiB that boots nothing',
      IMAGE_BYTES: String(SIMULATED_BYTES),
      IMAGE_URL: imageUrl(ports),
      IMAGE_SHA256: createHash('sha256').update(simulatedImage()).digest('hex'),
    },
  ];
}

/**
 * An Image keeps the source that it was made with. One of ours that was registered with other bytes (a newer kernel, guests that were
 * simulated before) is removed here, to be registered again; servers and drives made from it have copies.
 */
export async function removeOutdatedImages({client, signal, say}: UpContext, objects: readonly AnyObject[]): Promise<void> {
  for (const wanted of objects.filter(({kind}) => kind === 'Image') as unknown as readonly Image[]) {
    const ref = {namespace: wanted.metadata.namespace ?? '', name: wanted.metadata.name};
    const find = async (): Promise<Image | undefined> => {
      try {
        return await client.get(IMAGE, ref, {signal});
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    };
    const found = await find();
    if (found === undefined || isSame(found, wanted)) continue;
    say(`Image ${ref.name}: its bytes are others than before, so it is registered anew.`);
    await client.delete(IMAGE, ref, {signal});
    await waitFor(async () => ((await find()) === undefined ? undefined : 'it is still there'), {
      what: `removal of Image ${ref.name}`,
      deadlineMs: REMOVAL_DEADLINE_MS,
      intervalMs: 200,
      signal,
    });
  }
}

/** Whether a registered image is the wanted one: same address, same checksum, same size. */
export function isSame(found: Image, wanted: Image): boolean {
  const facts = ({spec}: Image): string => JSON.stringify([spec.source.http?.url, spec.source.http?.checksum, spec.sizeBytes]);
  return facts(found) === facts(wanted);
}
