/** Step 2: a flavor and an image are made with kubectl; the image is imported by CDI over http from this machine. */
import {expect, kubectl, kubectlGet, need, until, type DemoStep} from './context.ts';

/** Names that the steps share. */
export const FLAVOR = 'demo-flavor';
export const IMAGE = 'demo-image';
export const KEY_PAIR = 'demo-key';

interface ImageItem {
  readonly status?: {
    readonly phase?: string;
    readonly progressPercent?: number;
    readonly conditions?: readonly {readonly type: string; readonly status: string; readonly message?: string}[];
  };
}

export const makeCatalogue: DemoStep = {
  title: 'Making a flavor and a public image with kubectl; CDI imports the image over http',
  async run(context) {
    const manifests = [
      {
        apiVersion: 'basalt.dev/v1alpha1',
        kind: 'Flavor',
        metadata: {name: FLAVOR},
        spec: {name: FLAVOR, vcpus: 1, memoryMiB: 128, diskGiB: 1},
      },
      {
        apiVersion: 'basalt.dev/v1alpha1',
        kind: 'Image',
        metadata: {name: IMAGE, namespace: 'basalt-system'},
        spec: {
          name: IMAGE,
          source: {http: {url: need(context, 'BASALT_IMAGE_URL')}},
          visibility: 'Public',
          os: 'linux',
          metadata: [{key: 'os', value: 'linux'}],
        },
      },
    ];
    context.say('$ kubectl apply -f flavor.yaml -f image.yaml');
    await kubectl(context, ['apply', '-f', '-'], manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n'));
    let last = 'no status yet';
    await until(
      context,
      `image ${IMAGE} becomes Ready`,
      90_000,
      async () => {
        const image = await kubectlGet<ImageItem>(context, ['images.basalt.dev', IMAGE, '-n', 'basalt-system']);
        last = `phase ${image.status?.phase}, ${image.status?.conditions?.find(({type}) => type === 'Ready')?.message ?? ''}`;
        expect(image.status?.phase !== 'Failed', `the import failed: ${last}`);
        return image.status?.phase === 'Ready' ? true : undefined;
      },
      () => last,
    );
    context.say(await kubectl(context, ['get', 'flavors,images', '-A']));
  },
};
