import {describe, expect, test} from '@jest/globals';
import {cdiPrograms, isOurs, programName, unsupported} from './programs.ts';
import {podOf} from './testing/pods.ts';

test.each([
  ['process/cdi-importer', 'cdi-importer'],
  ['process/drive-io:v1', 'drive-io'],
  ['process/x@sha256:00', 'x'],
  ['local/cdi-importer', undefined],
  ['registry.example/process/x', undefined],
  [undefined, undefined],
])('image %s is program %s', (image, name) => expect(programName(image)).toBe(name));

test.each([
  ['a pod with a host', podOf(), true],
  ['one that has none yet', podOf({}, {spec: {nodeName: undefined}}), false],
  ['another image', podOf({image: 'nginx'}), false],
])('ours: %s', (_name, pod, expected) => expect(isOurs(pod)).toBe(expected));

describe('what cannot be honoured is said', () => {
  const programs = cdiPrograms('/bin');
  const image = 'process/cdi-importer';
  test.each([
    ['nothing', podOf({image}), undefined],
    [
      'an unknown program',
      podOf({image: 'process/nginx'}),
      'no program is known for image process/nginx; there are: cdi-importer, cdi-cloner',
    ],
    [
      'two containers',
      podOf(
        {},
        {
          spec: {
            containers: [
              {name: 'a', image},
              {name: 'b', image},
            ],
          },
        },
      ),
      'one container, this one has 2',
    ],
    ['init containers', podOf({image}, {spec: {initContainers: [{name: 'i'}]}}), 'no init containers'],
    ['block volumes', podOf({image, volumeDevices: [{}]}), 'use volume mode Filesystem'],
    ['a kind of volume', podOf({image}, {spec: {volumes: [{name: 'v', nfs: {}}]}}), 'volume v: the pod runner has no nfs volumes'],
    ['a probe by command', podOf({image, readinessProbe: {exec: {}}}), 'probes by HTTP and TCP only'],
  ])('%s', (_name, pod, expected) => {
    const said = unsupported(pod, programs);
    if (expected === undefined) expect(said).toBeUndefined();
    else expect(said).toContain(expected);
  });
});
