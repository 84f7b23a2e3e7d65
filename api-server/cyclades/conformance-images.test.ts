/** Expected exchanges of the compute API over real HTTP against the fake cluster: flavors, images, and the small APIs beside it. */
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {DEMO, IMAGE_MINE, IMAGE_THEIRS, IMAGE_TINY, OTHER, startHarness, type Call, type Harness} from '../testing/harness.ts';
import {CLIENT_MOUNT, DOCUMENT_MOUNT} from './profile.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const call = (method: string, path: string, more: Call = {}, mount: string = CLIENT_MOUNT) =>
  harness.call(method, mount + path, {token: DEMO.token, ...more});
describe('flavors and images', () => {
  test('CY41 brief, full, one', async () => {
    const brief = (await call('GET', '/flavors')).json<{flavors: object[]}>().flavors;
    expect(brief.map((flavor) => Object.keys(flavor))).toEqual(Array.from({length: 4}, () => ['id', 'name', 'links']));
    const {flavor} = (await call('GET', '/flavors/4')).json<{flavor: object}>();
    expect(flavor).toMatchObject({
      id: 4,
      name: 'granted',
      ram: 512,
      vcpus: 1,
      disk: 5,
      swap: 0,
      rxtx_factor: 1,
      'OS-FLV-EXT-DATA:ephemeral': 0,
      'os-flavor-access:is_public': false,
      'SNF:flavor-access': ['demo'],
      'SNF:allow_create': true,
    });
    const detail = (await call('GET', '/flavors/detail')).json<{flavors: object[]}>().flavors;
    expect(detail[3]).toMatchObject({id: 5, 'SNF:allow_create': false});
    expect((await call('GET', '/flavors/1/os-extra_specs')).json()).toEqual({extra_specs: {}});
  });

  test.each([
    ['is_public=None', [1, 2, 4, 5]],
    ['os-flavor-access:is_public=True', [1, 2, 5]],
    ['SNF:is_public=false', [4]],
    ['SNF:flavor-access=demo', [4]],
  ])('?%s', async (query, ids) => {
    expect((await call('GET', `/flavors/detail?${query}`)).json<{flavors: {id: number}[]}>().flavors.map(({id}) => id)).toEqual(ids);
  });

  test('CY43 lists, details, metadata', async () => {
    expect((await call('GET', '/images')).json<{images: {id: string}[]}>().images.map(({id}) => id)).toEqual([IMAGE_TINY, IMAGE_MINE]);
    const {image} = (await call('GET', `/images/${IMAGE_TINY}`)).json<{image: object}>();
    expect(image).toMatchObject({
      id: IMAGE_TINY,
      name: 'tiny',
      status: 'ACTIVE',
      progress: 100,
      public: true,
      metadata: {OS: 'debian', USERS: 'root'},
    });
    expect((await call('GET', `/images/${IMAGE_TINY}/metadata`)).json()).toEqual({metadata: {OS: 'debian', USERS: 'root'}});
    expect((await call('GET', `/images/${IMAGE_TINY}/metadata/OS`)).json()).toEqual({metadata: {OS: 'debian'}, meta: {OS: 'debian'}});
    expect((await call('POST', '/images', {json: {}})).status).toBe(501);
    expect((await call('DELETE', `/images/${IMAGE_TINY}`)).status).toBe(403);
  });

  test('image metadata is written on one’s own image; an absent key: by profile', async () => {
    const path = `/images/${IMAGE_MINE}/metadata`;
    expect((await call('POST', path, {json: {metadata: {NewAttr: 'NewVal'}}})).json()).toEqual({metadata: {NewAttr: 'NewVal'}});
    expect((await call('DELETE', `${path}/NewAttr`)).status).toBe(204);
    expect((await call('DELETE', `${path}/NewAttr`)).status).toBe(204);
    expect((await call('DELETE', `${path}/NewAttr`, {}, DOCUMENT_MOUNT)).status).toBe(404);
  });

  test('images with changes-since and nothing changed: by profile', async () => {
    const query = `/images?changes-since=${new Date().toISOString()}`;
    expect((await call('GET', query, {token: OTHER.token}, DOCUMENT_MOUNT)).status).toBe(304);
    const client = await call('GET', query, {token: OTHER.token});
    expect([client.status, client.json()]).toEqual([200, {images: []}]);
  });

  test('the image API lists, filters and shows', async () => {
    const ids = async (query: string) =>
      (await harness.call('GET', `/image/v2/images${query}`, {token: DEMO.token}))
        .json<{images: {id: string}[]}>()
        .images.map(({id}) => id);
    expect(await ids('')).toEqual([IMAGE_TINY, IMAGE_MINE]);
    expect(await ids('?name=mine')).toEqual([IMAGE_MINE]);
    expect(await ids(`?id=in%3A${IMAGE_TINY},${IMAGE_THEIRS}`)).toEqual([IMAGE_TINY]);
    expect((await harness.call('GET', `/image/v2/images/${IMAGE_TINY}`, {token: DEMO.token})).json()).toMatchObject({
      status: 'active',
      visibility: 'public',
      os: 'debian',
    });
    expect((await harness.call('GET', '/image/v2/images/tiny', {token: DEMO.token})).status).toBe(404);
    const v1 = (await harness.call('GET', '/image/v1.0/images/', {token: DEMO.token})).json<object[]>();
    expect(v1[0]).toMatchObject({id: IMAGE_TINY, status: 'available', is_public: true, properties: {OS: 'debian'}});
  });

  // Last: it takes the image away.
  test('CY45 an own image is deleted', async () => {
    expect((await call('DELETE', `/images/${IMAGE_MINE}`)).status).toBe(204);
    expect((await call('GET', `/images/${IMAGE_MINE}`)).status).toBe(404);
  });
});

test('account and network calls that clients make', async () => {
  const catalogue = await harness.call('POST', '/account/v1.0/user_catalogs', {token: DEMO.token, json: {uuids: [DEMO.uuid, OTHER.uuid]}});
  expect(catalogue.json()).toEqual({uuid_catalog: {[DEMO.uuid]: DEMO.email}, displayname_catalog: {}});
  const {networks} = (await harness.call('GET', '/network/v2.0/networks', {token: DEMO.token})).json<{networks: object[]}>();
  expect(networks).toMatchObject([{id: '1', name: 'public', status: 'ACTIVE', subnets: []}]);
});
