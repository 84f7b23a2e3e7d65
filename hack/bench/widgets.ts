/** The resources of the operator comparison: a kind that nobody else watches, with a status subresource. */
import {spawn} from 'node:child_process';
import type {KubeClient} from '../../kube/client.ts';
import {isAlreadyExists} from '../../kube/errors.ts';
import type {KubeObject, ResourceType} from '../../kube/objects.ts';
import {CUSTOM_RESOURCE_DEFINITION} from '../../kube/types.ts';
import type {CustomResourceDefinition} from '../../kube/types.ts';
import {inParallel} from './measure.ts';

/** The machineries that are compared; see stock-operator.ts. */
export type Machinery = 'stock' | 'patched' | 'ours';

/** What one run of stock-operator.ts prints. */
export interface StockResult {
  readonly machinery: Machinery;
  /** From the start of the operator to the last resource handled, or the end of its time. */
  readonly ms: number;
  readonly handled: number;
  /** Resources whose status was stored. */
  readonly written: number;
  readonly mostAtOnce: number;
  readonly rssMiB: number;
}

/** A resource with nothing but a status. */
export interface Widget extends KubeObject {
  readonly spec: object;
  readonly status?: {readonly phase?: string};
}

export const WIDGET: ResourceType<Widget> = {group: 'bench.basalt.dev', version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true};

const open = {type: 'object', 'x-kubernetes-preserve-unknown-fields': true};

const definition: CustomResourceDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {name: 'widgets.bench.basalt.dev'},
  spec: {
    group: WIDGET.group,
    scope: 'Namespaced',
    names: {kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList'},
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: {status: {}},
        schema: {openAPIV3Schema: {type: 'object', properties: {spec: open, status: open}}},
      },
    ],
  },
};

/** Installs the kind, and waits (bounded by `signal`) until it is served. */
export async function installWidgets(client: KubeClient, signal: AbortSignal): Promise<void> {
  await client.create(CUSTOM_RESOURCE_DEFINITION, definition, {signal}).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
  for (;;) {
    const {status} = await client.raw('GET', '/apis/bench.basalt.dev/v1', {signal, acceptErrors: true});
    if (status === 200) return;
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Removes the kind with everything of it. */
export async function removeWidgets(client: KubeClient, signal: AbortSignal): Promise<void> {
  await client.delete(CUSTOM_RESOURCE_DEFINITION, {name: definition.metadata.name}, {signal});
}

/** Makes `count` resources without a status in `namespace`. */
export async function createWidgets(client: KubeClient, namespace: string, count: number, signal: AbortSignal): Promise<void> {
  const names = Array.from({length: count}, (_, index) => `widget-${String(index).padStart(4, '0')}`);
  await inParallel(names, 32, async (name) => {
    await client.create(WIDGET, {apiVersion: 'bench.basalt.dev/v1', kind: 'Widget', metadata: {name, namespace}, spec: {}}, {signal});
  });
}

/** Deletes the resources of `namespace`, so that the next machinery starts from the same state. */
export async function deleteWidgets(client: KubeClient, namespace: string, signal: AbortSignal): Promise<void> {
  await client.raw('DELETE', `/apis/bench.basalt.dev/v1/namespaces/${namespace}/widgets`, {signal, timeoutMs: 120_000});
}

/** Runs stock-operator.ts in a process of its own. Rejects when it ends without a result. */
export function runMachinery(machinery: Machinery, kubeconfig: string, count: number, seconds: number): Promise<StockResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['hack/bench/stock-operator.ts', machinery, String(count), String(seconds)], {
      env: {...process.env, KUBECONFIG: kubeconfig},
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      const line = output.split('\n').find((text) => text.startsWith('{'));
      if (line === undefined) reject(new Error(`${machinery}: exit code ${code} and no result`));
      else resolve(JSON.parse(line) as StockResult);
    });
  });
}
