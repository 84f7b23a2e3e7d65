import {describe, expect, test} from '@jest/globals';
import type {Image} from '../../../crds/index.ts';
import type {GuestImage} from '../images/cache.ts';
import {imageVariables, isSame} from './cloud-images.ts';
import type {Ports} from '../ports.ts';

const ports = {images: 8080} as Ports;
const guest = (name: string): GuestImage => ({name, path: '/x', sizeBytes: 36_700_160, sha256: 'ab', packages: []});

describe('what is registered', () => {
  test('where guests boot: each image with its own bytes', () =>
    expect(imageVariables([guest('tiny'), guest('debian')], ports)).toMatchObject([
      {IMAGE_NAME: 'tiny', IMAGE_URL: 'http://127.0.0.1:8080/tiny.raw', IMAGE_BYTES: '36700160', IMAGE_SHA256: 'ab'},
      {IMAGE_NAME: 'debian', IMAGE_URL: 'http://127.0.0.1:8080/debian.raw'},
    ]));

  test('where they are simulated: one that says that it boots nothing', () =>
    expect(imageVariables([], ports)).toMatchObject([{IMAGE_NAME: 'tiny', IMAGE_DESCRIPTION: expect.stringContaining('boots nothing')}]));
});

describe('a registered image', () => {
  const image = (changes: {url?: string; checksum?: string; sizeBytes?: number; description?: string}): Image => {
    const {url = 'http://a/tiny.raw', checksum = 'sha256:ab', sizeBytes = 1, ...others} = changes;
    return {
      apiVersion: 'basalt.dev/v1alpha1',
      kind: 'Image',
      metadata: {name: 'tiny'},
      spec: {name: 'tiny', sizeBytes, source: {http: {url, checksum}}, ...others},
    } as unknown as Image;
  };
  test.each([
    ['nothing else', {}, true],
    ['another description', {description: 'x'}, true],
    ['another address', {url: 'http://b/tiny.raw'}, false],
    ['other bytes', {checksum: 'sha256:cd'}, false],
    ['another size', {sizeBytes: 2}, false],
  ])('with %s: the same = %s', (_what, changes, same) => expect(isSame(image({}), image(changes))).toBe(same));
});
