import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {HERE, ROOT} from '../paths.ts';
import {cacheKey} from './cache-key.ts';
import {applyPatches} from './cdi-patches.ts';
import {parseYamlDocuments} from './dump.ts';
import {versionAtLeast} from './go.ts';
import {clockText, paint, progressLine} from './progress.ts';
import {buildSteps, controlPlaneLdflags} from './steps.ts';
import {parseEnvLines, parseVersions} from './versions.ts';

const versions = parseVersions(readFileSync(join(ROOT, 'hack/versions.env'), 'utf8'));

describe('versions.env agrees with the modules', () => {
  const goMod = (name: string): string => readFileSync(join(HERE, 'go', name, 'go.mod'), 'utf8');
  test.each([
    ['control-plane', `k8s.io/kubernetes ${versions.kubernetes}`],
    ['control-plane', `go.etcd.io/etcd/server/v3 ${versions.etcd}`],
    ['control-plane', `sigs.k8s.io/kwok ${versions.kwok}`],
    ['control-plane', `helm.sh/helm/v4 ${versions.helm}`],
    ['control-plane', `k8s.io/api => k8s.io/api ${versions.kubernetesStaging}`],
    ['kubevirt', `kubevirt.io/kubevirt ${versions.kubevirt}`],
    ['cdi', `kubevirt.io/containerized-data-importer ${versions.cdi}`],
  ])('%s: %s', (module, line) => expect(goMod(module)).toContain(line));
  test.each(['control-plane', 'kubevirt', 'cdi'])('%s needs that Go', (module) =>
    expect(goMod(module)).toMatch(new RegExp(`^go ${versions.go}`, 'm')),
  );
});

test('the version stamp is in both packages that report one', () => {
  const flags = controlPlaneLdflags({...versions, kubernetes: 'v1.36.4', helm: 'v4.2.4'});
  for (const name of ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version']) {
    expect(flags).toContain(`-X ${name}.gitVersion=v1.36.4 -X ${name}.gitMajor=1 -X ${name}.gitMinor=36`);
  }
  expect(flags).toContain('helm/v4/internal/version.version=v4.2.4');
});

test('every program that is started is built', () => {
  const steps = buildSteps(versions);
  const names = steps.flatMap((step) => [...step.builds.map((build) => build.output), ...Object.values(step.links).flat()]);
  expect(names).toEqual(
    expect.arrayContaining([
      'etcd',
      'kube-apiserver',
      'kwok',
      'helm',
      'pki',
      'virt-api',
      'virt-controller',
      'cdi-controller',
      'cdi-apiserver',
      'cdi-importer',
    ]),
  );
});

describe('the cache key', () => {
  const inputs = {
    files: new Map([
      ['a/go.mod', 'module a'],
      ['b', 'x'],
    ]),
    versions: 'V=1',
    platform: 'linux/x64',
  };
  const key = cacheKey(inputs);
  test('is the same whatever the order of the files', () =>
    expect(cacheKey({...inputs, files: new Map([...inputs.files].reverse())})).toBe(key));
  test.each([
    [
      'a file',
      {
        files: new Map([
          ['a/go.mod', 'module b'],
          ['b', 'x'],
        ]),
      },
    ],
    [
      'a name',
      {
        files: new Map([
          ['a/go.mo', 'dmodule a'],
          ['b', 'x'],
        ]),
      },
    ],
    ['versions', {versions: 'V=2'}],
    ['the platform', {platform: 'linux/arm64'}],
  ])('changes with %s', (_what, change) => expect(cacheKey({...inputs, ...change})).not.toBe(key));
});

describe('patches', () => {
  const patch = {file: 'x.go', find: 'a', put: 'bb'};
  test('change every occurrence', () => expect(applyPatches('a-a', [patch])).toBe('bb-bb'));
  test('that find nothing stop the build', () =>
    expect(() => applyPatches('c', [patch])).toThrow('x.go: cannot be patched, "a" is not in it'));
});

describe('env lines', () => {
  test('comments and empty lines are skipped', () => expect(parseEnvLines('# x\n\nA=1\nB_2=c=d\n')).toEqual({A: '1', B_2: 'c=d'}));
  test('anything else is an error with its line', () => expect(() => parseEnvLines('A=1\nnonsense')).toThrow('line 2'));
  test('a missing pin is named', () => expect(() => parseVersions('GO_VERSION=1.26\n')).toThrow('KUBERNETES_VERSION is missing'));
});

test.each([
  ['1.26.8', '1.26', true],
  ['1.27', '1.26', true],
  ['1.25.9', '1.26', false],
  ['1.9', '1.26', false],
  ['2.0', '1.26', true],
])('Go %s is at least %s: %s', (have, want, expected) => expect(versionAtLeast(have, want)).toBe(expected));

describe('progress', () => {
  const facts = {step: 1, steps: 3, name: 'KubeVirt', elapsedMs: 65_000, estimateMs: 150_000, packages: 12};
  test('says how far and how long', () =>
    expect(progressLine(facts)).toBe('[1/3] KubeVirt: 1:05 elapsed, about 1:25 left at most, 12 packages compiled'));
  test('does not count below zero', () =>
    expect(progressLine({...facts, elapsedMs: 200_000, packages: 0})).toBe('[1/3] KubeVirt: 3:20 elapsed, longer than usual'));
  test('clock', () => expect([0, 59_600, 3_600_000].map(clockText)).toEqual(['0:00', '1:00', '60:00']));
  test('ends with its last line, on a terminal in place of the painted one', () => {
    const written: string[] = [];
    paint({isTTY: true, write: (text) => written.push(text)}, () => 'going').stop('done');
    expect(written).toEqual(['\r\x1b[2Kgoing', '\r\x1b[2Kdone\n']);
  });
});

test('YAML documents: empty ones are skipped, bad ones are errors', () => {
  expect(parseYamlDocuments('---\na: 1\n---\n---\nb: 2\n')).toEqual([{a: 1}, {b: 2}]);
  expect(() => parseYamlDocuments('a: {')).toThrow();
});
