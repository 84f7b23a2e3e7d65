/** The small read-only image API beside compute: v2 for OpenStack clients, v1.0 for kamaki. */
import type {Image} from '../../crds/index.ts';
import {uuidOf} from '../../crds/rules/ids.ts';
import {Failure} from '../http/failure.ts';
import {faultOf, OPENSTACK_HEADERS, writeFault} from '../http/openstack-fault.ts';
import {bindRoutes, requireRoles, type Answer, type ApiModule, type Input, type PublicInput, type RouteOf} from '../http/types.ts';
import type {Store} from '../store/types.ts';
import {ownerOf} from './images.ts';
import {v1Image, v2Image} from './image-view.ts';
import {findImage, imagesOf, TENANT} from './scope.ts';

interface ImageDeps {
  readonly store: Store;
}

/** GET /image: which versions there are. Only v2.0 is announced; clients of v1 know their path. */
function listVersions({origin}: PublicInput): Answer {
  const version = (id: string, status: string, path: string) => ({id, status, links: [{rel: 'self', href: `${origin}/image/${path}/`}]});
  return {status: 200, body: {versions: [version('v2.0', 'CURRENT', 'v2')]}};
}

/** GET /image/v2/images, with `name=`, `id=in:A,B`, `visibility=` and `status=` as clients filter. */
function listV2({caller, query}: Input, {store}: ImageDeps): Answer {
  const wanted = idFilter(query.get('id'));
  const [name, visibility, status] = [query.get('name'), query.get('visibility'), query.get('status')];
  const images = imagesOf(caller, store)
    .filter((image) => wanted === undefined || wanted.includes(uuidOf(image)))
    .map((image) => v2Image(image, ownerOf({store}, image)))
    .filter(
      (image) =>
        (name === null || image.name === name) &&
        (visibility === null || image.visibility === visibility) &&
        (status === null || image.status === status),
    );
  return {status: 200, body: {images, first: '/v2/images', schema: '/v2/schemas/images'}};
}

/** `in:A,B` or a single id; undefined when there is no filter. Pure. */
export function idFilter(value: string | null): readonly string[] | undefined {
  if (value === null) return undefined;
  return value
    .replace(/^in:/, '')
    .split(',')
    .map((id) => id.trim().replaceAll('"', ''))
    .filter((id) => id !== '');
}

/** GET /image/v2/images/{id}. */
function getV2(input: Input, {store}: ImageDeps): Answer {
  const image = imageOf(input, store);
  return {status: 200, body: v2Image(image, ownerOf({store}, image))};
}

/** GET /image/v1.0/images/ and …/detail. */
function listV1({caller, query}: Input, {store}: ImageDeps): Answer {
  const name = query.get('name');
  const images = imagesOf(caller, store).filter((image) => name === null || image.spec.name === name);
  return {status: 200, body: images.map((image) => v1Image(image, ownerOf({store}, image)))};
}

/** GET /image/v1.0/images/{id}. */
function getV1(input: Input, {store}: ImageDeps): Answer {
  const image = imageOf(input, store);
  return {status: 200, body: v1Image(image, ownerOf({store}, image))};
}

function imageOf({params, caller}: Input, store: Store): Image {
  const image = findImage(params['id'] ?? '', caller, store);
  if (image === undefined) throw new Failure('not-found', 'Image not found.');
  return image;
}

const ROUTES: readonly RouteOf<ImageDeps>[] = [
  {method: 'GET', path: '', auth: 'public', handler: listVersions},
  {method: 'GET', path: '/versions', auth: 'public', handler: listVersions},
  {method: 'GET', path: '/v2', auth: 'public', handler: listVersions},
  {method: 'GET', path: '/v1.0', auth: 'public', handler: listVersions},
  {method: 'GET', path: '/v2/images', handler: listV2},
  {method: 'GET', path: '/v2/images/{id}', handler: getV2},
  {method: 'GET', path: '/v1.0/images', handler: listV1},
  {method: 'GET', path: '/v1.0/images/detail', handler: listV1},
  {method: 'GET', path: '/v1.0/images/{id}', handler: getV1},
];

/** The module of `/image`. */
export function createImageApiModule(store: Store): ApiModule {
  return {
    name: 'image',
    mounts: ['/image'],
    schemes: ['token'],
    routes: bindRoutes(requireRoles(ROUTES, TENANT), {store}),
    headers: OPENSTACK_HEADERS,
    writeError: (failure) => writeFault(faultOf(failure), failure),
  };
}
