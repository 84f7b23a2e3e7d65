/** `host off|on NAME`: takes a simulated host's power and gives it back. KWOK and the hypervisor watch the Node for it. */
import {existsSync} from 'node:fs';
import type {Clock} from '../../kube/clock.ts';
import {isNotFound} from '../../kube/errors.ts';
import {silentLogger} from '../../kube/log.ts';
import {loadKubeConfig} from '../../kube/pooled-kube-config.ts';
import {createClient} from '../../kube/transport.ts';
import {NODE} from '../../kube/types.ts';
import type {CoreNode} from '../../kube/types.ts';
import {wholeSecond} from './hypervisor/timestamps.ts';
import {ANNOTATIONS, LABELS} from './hypervisor/types.ts';
import {clusterPaths} from './paths.ts';

/** What is asked for. */
export interface HostOptions {
  /** The cluster's folder, absolute. */
  readonly dir: string;
  readonly power: 'on' | 'off';
  /** The host's node. */
  readonly name: string;
}

/** Set by people who know that a host is really off: Kubernetes then gives its pods up. */
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';

/** The change of the Node; undefined when its power is so already. Coming back clears the taint, as a person should. */
export function powerPatch(node: CoreNode, power: HostOptions['power'], nowMs: number): object | undefined {
  const isOff = node.metadata.labels?.[LABELS.power] === 'off';
  if (isOff === (power === 'off')) return undefined;
  if (power === 'off') return {metadata: {labels: {[LABELS.power]: 'off'}}};
  const taints = (node.spec?.taints ?? []).filter(({key}) => key !== OUT_OF_SERVICE);
  return {
    metadata: {labels: {[LABELS.power]: null}, annotations: {[ANNOTATIONS.poweredOnAt]: wholeSecond(nowMs)}},
    ...(taints.length === (node.spec?.taints ?? []).length ? {} : {spec: {taints}}),
  };
}

const WHAT_FOLLOWS = {
  off: (name: string): readonly string[] => [
    `${name} has no power: its guests are gone, and it says nothing any more.`,
    `Kubernetes misses it within a minute (Host not Ready, servers of unknown state), KubeVirt after five. Servers stay with it until it is`,
    `back, or until somebody says that it is really off, and then start elsewhere:`,
    `  $KUBECTL taint node ${name} ${OUT_OF_SERVICE}=nodeshutdown:NoExecute`,
  ],
  on: (name: string): readonly string[] => [`${name} has power again. The guests that it lost are started anew.`],
};

/** Carries it out. Throws when there is no such cluster or host. */
export async function host({dir, power, name}: HostOptions, say: (line: string) => void, clock: Clock, signal: AbortSignal): Promise<void> {
  const {adminKubeconfig: path} = clusterPaths(dir);
  if (!existsSync(path)) throw new Error(`there is no cluster in ${dir}`);
  const client = createClient({
    kubeConfig: loadKubeConfig({path}),
    userAgent: 'basalt-cluster',
    fieldManager: 'basalt-cluster-host-power',
    log: silentLogger,
  });
  try {
    const patch = powerPatch(await client.get(NODE, {name}, {signal}), power, clock.now());
    if (patch === undefined) return say(`${name} is ${power} already.`);
    await client.mergePatch(NODE, {name}, patch, {signal});
    for (const line of WHAT_FOLLOWS[power](name)) say(line);
  } catch (error) {
    if (isNotFound(error)) throw new Error(`there is no host ${name}`, {cause: error});
    throw error;
  } finally {
    await client.close();
  }
}
