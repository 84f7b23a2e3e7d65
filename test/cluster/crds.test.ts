/**
 * The CRDs on a real API server: each installs (its CEL rules fit the cost budget), accepts every valid fixture and refuses every invalid
 * one, blaming the field and with the message that the fixture expects.
 */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {ALL_FIXTURES} from '../../crds/fixtures/index.ts';
import type {Attempt} from '../../crds/fixtures/types.ts';
import {ALL_KINDS} from '../../crds/index.ts';
import type {KindDefinition} from '../../crds/index.ts';
import type {KubeClient} from '../../kube/client.ts';
import {ApiError} from '../../kube/errors.ts';
import {refOfObject} from '../../kube/objects.ts';
import {loadKubeConfig} from '../../kube/pooled-kube-config.ts';
import {createClient} from '../../kube/transport.ts';
import {CUSTOM_RESOURCE_DEFINITION} from '../../kube/types.ts';
import {CrdBench, copyOf, crdOf} from '../lib/crd-bench.ts';

function kubeconfigPath(): string {
  const path = process.env['KUBECONFIG'] ?? join(process.env['BASALT_CLUSTER_DIR'] ?? '.cluster', 'admin.kubeconfig');
  if (!existsSync(path)) throw new Error(`There is no cluster at ${path}: run \`make up\` first, or set KUBECONFIG.`);
  return path;
}

const kindNamed = (name: string): KindDefinition => {
  const kind = ALL_KINDS.find((candidate) => candidate.kind === name);
  if (kind === undefined) throw new Error(`${name} is no kind of ours`);
  return kind;
};

describe('CRDs', () => {
  let client: KubeClient;
  let bench: CrdBench;
  let installed: ReadonlyMap<string, Readonly<Record<string, string>>>;

  beforeAll(async () => {
    const kubeConfig = loadKubeConfig({path: kubeconfigPath(), inCluster: false});
    client = createClient({kubeConfig, userAgent: 'basalt-crd-test', fieldManager: 'basalt-crd-test'});
    bench = new CrdBench(client);
    installed = await bench.install();
  }, 120_000);

  afterAll(async () => {
    await bench.uninstall();
    await client.close();
  }, 120_000);

  /** What the server says to an attempt that it must refuse. */
  async function refusal(kind: KindDefinition, attempt: Attempt): Promise<ApiError> {
    try {
      await bench.attempt(kind, attempt);
    } catch (error) {
      if (error instanceof ApiError) return error;
      throw error;
    }
    throw new Error(`${kind.kind} accepted ${JSON.stringify(attempt)}`);
  }

  test.each(ALL_KINDS.map((kind) => [kind.kind, kind] as const))('%s installs, with a structural schema', async (name, kind) => {
    expect(installed.get(name)).toMatchObject({Established: 'True', NamesAccepted: 'True'});
    expect(installed.get(name)).not.toHaveProperty('NonStructuralSchema');
    // The CRD itself, names and all, over what is installed.
    await client.apply(CUSTOM_RESOURCE_DEFINITION, crdOf(kind), {dryRun: true, force: true});
  });

  describe.each(ALL_FIXTURES.map((fixtures) => [fixtures.kind, fixtures] as const))('%s', (name, fixtures) => {
    const kind = kindNamed(name);

    test.each(Object.entries(fixtures.valid))('accepts %s', async (_title, draft) => {
      await bench.store(kind, draft);
    });

    test.each(fixtures.invalid.map((fixture) => [fixture.title, fixture] as const))('refuses %s', async (_title, {draft, field}) => {
      const error = await refusal(kind, {after: draft});
      expect({status: error.status, fields: error.causes.map((cause) => cause.field)}).toEqual({
        status: 422,
        fields: expect.arrayContaining([field]),
      });
    });

    test.each(fixtures.rules.map((fixture) => [`${fixture.field}: ${fixture.message}`, fixture] as const))(
      'rule %s',
      async (_title, {accepts, refuses, field, message}) => {
        for (const attempt of accepts) await bench.attempt(kind, attempt);
        for (const attempt of refuses) {
          const error = await refusal(kind, attempt);
          const blamed = error.causes.filter((cause) => cause.field === field).map((cause) => cause.message);
          expect({status: error.status, blamed, causes: error.causes}).toEqual({
            status: 422,
            blamed: expect.arrayContaining([expect.stringContaining(message)]),
            causes: error.causes,
          });
        }
      },
    );
  });

  test('defaults are stored, also inside objects that were left out', async () => {
    expect((await bench.store(kindNamed('Server'), {spec: {name: 'web', flavor: 'tiny', nics: [{index: 0}]}}))['spec']).toEqual({
      name: 'web',
      flavor: 'tiny',
      powerState: 'Running',
      powerOffMode: 'TrySoft',
      lifecycle: 'Persistent',
      nics: [{index: 0, model: 'virtio', addressing: 'Auto'}],
    });
    expect((await bench.store(kindNamed('Host'), {spec: {hostname: 'h', region: 'r'}}))['spec']).toMatchObject({
      activity: 'Active',
      maintenance: {mode: 'None', policy: 'Migrate', deadlineSeconds: 3600},
    });
  });

  test('a merge patch of one key of data keeps the others, and any JSON comes back as it was', async () => {
    const type = copyOf(kindNamed('Region'));
    const data = {a: {deep: [1, null, {x: 'é'}]}, b: null, c: 1.5, 'd e/~': false};
    const stored = await bench.store(kindNamed('Region'), {spec: {name: 'North', data}});
    expect(stored['spec']).toMatchObject({data});
    const patched = await client.mergePatch(type, refOfObject(stored), {spec: {data: {c: null, f: 'x'}}});
    const {c: _removed, ...rest} = data;
    expect(patched['spec']).toEqual({name: 'North', data: {...rest, f: 'x'}});
  });

  test('two writers own two entries of metadata', async () => {
    const kind = kindNamed('Server');
    const stored = await bench.store(kind, {spec: {name: 'web', flavor: 'tiny'}});
    const ref = refOfObject(stored);
    const entry = (key: string) => ({
      apiVersion: stored.apiVersion,
      kind: stored.kind,
      metadata: ref,
      spec: {name: 'web', flavor: 'tiny', metadata: [{key, value: 'x'}]},
    });
    await client.apply(copyOf(kind), entry('a'), {fieldManager: 'one', force: true});
    const both = await client.apply(copyOf(kind), entry('b'), {fieldManager: 'two', force: true});
    expect(both['spec']).toMatchObject({
      metadata: [
        {key: 'a', value: 'x'},
        {key: 'b', value: 'x'},
      ],
    });
  });

  test('a write of the object leaves the status alone, and of the status the spec', async () => {
    const kind = kindNamed('Drive');
    const stored = await bench.store(kind, {spec: {name: 'Data', sizeBytes: 1_048_576}, status: {phase: 'Ready'}});
    const renamed = await client.mergePatch(copyOf(kind), refOfObject(stored), {spec: {name: 'Other'}, status: {phase: 'Failed'}});
    expect(renamed).toMatchObject({spec: {name: 'Other'}, status: {phase: 'Ready'}});
    const failed = await client.mergePatch(
      copyOf(kind),
      refOfObject(stored),
      {spec: {name: 'No'}, status: {phase: 'Failed'}},
      {subresource: 'status'},
    );
    expect(failed).toMatchObject({spec: {name: 'Other'}, status: {phase: 'Failed'}});
  });

  test.each([
    ['Cell', {name: 'x', region: 'select-me'}, 'spec.region=select-me'],
    ['Host', {hostname: 'x', region: 'r', cell: 'select-me'}, 'spec.cell=select-me'],
    ['Server', {name: 'x', flavor: 'f', placement: {host: 'select-me'}}, 'spec.placement.host=select-me'],
    ['ServerOperation', {server: 'select-me', verb: 'Start'}, 'spec.server=select-me'],
  ])('%s: a field selector finds it', async (name, spec, fieldSelector) => {
    const stored = await bench.store(kindNamed(name), {spec});
    const {items} = await client.list(copyOf(kindNamed(name)), {fieldSelector});
    expect(items.map((item) => item.metadata.name)).toEqual([stored.metadata.name]);
  });

  test('the table that kubectl prints has the columns of the model', async () => {
    const stored = await bench.store(kindNamed('Flavor'), {spec: {name: 'x', vcpus: 2, memoryMiB: 1024, diskGiB: 3}});
    const path = `/apis/${stored.apiVersion}/flavors/${stored.metadata.name}`;
    const {body} = await client.raw('GET', path, {headers: {accept: 'application/json;as=Table;v=v1;g=meta.k8s.io'}});
    const table = JSON.parse(body.toString('utf8')) as {columnDefinitions: {name: string}[]; rows: {cells: unknown[]}[]};
    expect(table.columnDefinitions.map((column) => column.name)).toEqual(['Name', 'CPU', 'Memory', 'Disk', 'Public', 'Ready', 'Age']);
    expect(table.rows[0]?.cells.slice(1, 5)).toEqual([2, 1024, 3, 'Public']);
  });
});
